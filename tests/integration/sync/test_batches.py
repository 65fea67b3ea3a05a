"""What a batch costs in statements does not grow with what is in it."""

from __future__ import annotations

from connector.domain.lines import Lane
from tests.statements import Statements, counted
from tests.world import World


def bound(world: World, number: int) -> str:
    user = world.person(f"客戶{number}")
    world.follow(user)
    world.bind(user, f"王{number:04}", f"09{10_000_000 + number:08}")
    return user


def delivered(world: World, users: list[str], each: int) -> Statements:
    """Ask for repairs, and deliver them as one batch."""
    for user in users:
        for _ in range(each):
            world.asks_for_repair(user)
    with counted(world.system.store.engine) as statements:
        assert world.system.delivery.deliver(Lane.URGENT) == 2 * each * len(users)
    return statements


def sent(world: World) -> Statements:
    with counted(world.system.store.engine) as statements:
        assert world.system.postman.send() > 0
    return statements


def test_a_larger_batch_takes_no_more_statements(world: World) -> None:
    users = [bound(world, number) for number in range(6)]
    world.run_until_idle()
    delivered(world, users[:1], 1)  # what is read once is read
    world.run_until_idle()
    few = delivered(world, users[1:2], 1)
    few_sent = sent(world)
    world.run_until_idle()
    many = delivered(world, users[2:], 4)
    many_sent = sent(world)
    assert many.rows <= few.rows, str(many)
    assert many_sent.rows <= few_sent.rows, str(many_sent)
    world.run_until_idle()
    assert len(world.rows("SELECT Id FROM Case")) == 18
    assert len(world.rows("SELECT Id FROM WorkOrder")) == 18
