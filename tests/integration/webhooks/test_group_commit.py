"""Group commit, without HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from connector.line.events import Delivery, read_event
from tests.integration.webhooks.site import ACCOUNT
from webhooks.group_commit import MOST_EVENTS, GroupCommit, Signed


def delivery(name: str, events: int = 1) -> Delivery:
    return Delivery(name, [read_event({"n": number}) for number in range(events)])


def down() -> sa.exc.OperationalError:
    return sa.exc.OperationalError("insert", {}, Exception("gone"))


def run(
    save: Callable[[Sequence[Signed]], int], work: Callable[[GroupCommit], Awaitable[Any]]
) -> Any:
    async def main() -> Any:
        group = GroupCommit(save)
        storing = asyncio.create_task(group.run())
        try:
            return await asyncio.wait_for(work(group), 10)
        finally:
            storing.cancel()

    return asyncio.run(main())


def all_of(*deliveries: Delivery) -> Callable[[GroupCommit], Awaitable[list[Any]]]:
    async def work(group: GroupCommit) -> list[Any]:
        waiting = (group.store(ACCOUNT, one) for one in deliveries)
        return await asyncio.gather(*waiting, return_exceptions=True)

    return work


def test_what_arrives_during_a_save_is_saved_together() -> None:
    batches: list[int] = []
    gathered = threading.Event()

    def save(deliveries: Sequence[Signed]) -> int:
        batches.append(len(deliveries))
        gathered.wait(0.2)
        return len(deliveries)

    async def work(group: GroupCommit) -> None:
        first = asyncio.create_task(group.store(ACCOUNT, delivery("0")))
        await asyncio.sleep(0.05)
        await asyncio.gather(first, *(group.store(ACCOUNT, delivery(str(n))) for n in range(9)))

    run(save, work)
    assert batches == [1, 9]


def test_one_save_takes_a_bounded_number_of_events() -> None:
    sizes: list[int] = []

    def save(deliveries: Sequence[Signed]) -> int:
        sizes.append(sum(len(one.events) for _, one in deliveries))
        return 0

    run(save, all_of(*(delivery(str(number), 100) for number in range(12))))
    assert sum(sizes) == 1200
    assert max(sizes) <= MOST_EVENTS


def test_one_delivery_that_cannot_be_stored_does_not_take_the_others_with_it() -> None:
    def save(deliveries: Sequence[Signed]) -> int:
        if any(one.destination == "bad" for _, one in deliveries):
            raise ValueError("bad")
        return len(deliveries)

    outcomes = run(save, all_of(delivery("a"), delivery("bad"), delivery("b")))
    assert [type(outcome) for outcome in outcomes] == [type(None), ValueError, type(None)]


def test_a_restarted_server_is_tried_once_more() -> None:
    troubles = [down()]

    def save(deliveries: Sequence[Signed]) -> int:
        if troubles:
            raise troubles.pop()
        return len(deliveries)

    assert run(save, all_of(delivery("a"), delivery("b"))) == [None, None]


def test_while_the_server_is_away_everybody_is_told_at_once() -> None:
    tried: list[int] = []

    def save(deliveries: Sequence[Signed]) -> int:
        tried.append(len(deliveries))
        raise down()

    outcomes = run(save, all_of(*(delivery(str(number)) for number in range(50))))
    assert {type(outcome) for outcome in outcomes} == {sa.exc.OperationalError}
    assert len(tried) <= 4


def test_who_left_before_the_save_ended_does_not_stop_the_others() -> None:
    gate = threading.Event()

    def save(deliveries: Sequence[Signed]) -> int:
        gate.wait(2)
        return len(deliveries)

    async def work(group: GroupCommit) -> str:
        leaving = asyncio.create_task(group.store(ACCOUNT, delivery("a")))
        await asyncio.sleep(0.05)
        leaving.cancel()
        gate.set()
        await group.store(ACCOUNT, delivery("b"))
        return "stored"

    assert run(save, work) == "stored"


@pytest.mark.parametrize("trouble", [ValueError("x"), down()])
def test_after_a_failed_save_the_next_one_works(trouble: Exception) -> None:
    state = {"broken": True}

    def save(deliveries: Sequence[Signed]) -> int:
        if state["broken"]:
            raise trouble
        return len(deliveries)

    async def work(group: GroupCommit) -> None:
        with pytest.raises(type(trouble)):
            await group.store(ACCOUNT, delivery("a"))
        state["broken"] = False
        await group.store(ACCOUNT, delivery("a"))

    run(save, work)
