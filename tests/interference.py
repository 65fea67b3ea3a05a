"""What a test does to a world: calls that are lost, workers that die, time that passes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import requests
import sqlalchemy as sa

from connector.domain.lines import Lane
from connector.domain.states import OutboxState
from connector.salesforce.gateway import Gateway
from connector.salesforce.steps import Answer, Query, Read, Step
from connector.store.session import Store
from connector.store.tables import (
    Envelope,
    Friendship,
    LineAccount,
    Org,
    Outbox,
    Pair,
    Received,
    ReplyToken,
    Stream,
)
from connector.sync import outbox
from connector.sync.desk import redriving
from connector.sync.outgoing.delivery import Delivery
from connector.sync.upkeep import ledger
from tests.world import World

SCHEDULED = (Outbox, Received, Envelope)


class Died(BaseException):
    """The worker is gone: nothing catches this."""


@dataclass
class Tapped:
    """A gateway that tells a test of every call before and after it is made."""

    gateway: Gateway
    before: Callable[[Sequence[Step]], None] = lambda _: None
    after: Callable[[Sequence[Step]], None] = lambda _: None
    written: list[list[str]] = field(default_factory=list)

    def run(self, steps: Sequence[Step], *, assign: bool = False) -> Answer:
        self.before(steps)
        if writes(steps):
            self.written.append([step.object for step in steps if not isinstance(step, Query)])
        answer = self.gateway.run(steps, assign=assign)
        self.after(steps)
        return answer


def writes(steps: Sequence[Step]) -> bool:
    return not all(isinstance(step, Query | Read) for step in steps)


def delivery(world: World, gateway: Any) -> Delivery:
    """A worker's delivery of its own, over another gateway."""
    return replace(world.system.delivery, gateway=gateway)


def tap(world: World, **hooks: Any) -> Tapped:
    """Let every delivery of this world go through hooks."""
    tapped = Tapped(world.system.gateway, **hooks)
    world.system.__dict__["delivery"] = delivery(world, tapped)
    return tapped


def each_write_once(world: World, fault: str, **params: Any) -> Tapped:
    """Every distinct write meets the fault the first time it is tried."""
    struck: set[str] = set()

    def before(steps: Sequence[Step]) -> None:
        sign = repr([step for step in steps if writes([step])])
        if writes(steps) and sign not in struck:
            struck.add(sign)
            match = {"method": "POST", "path": "/services/data/*/composite"}
            world.org_fault(fault, times=1, match=match, **params)

    return tap(world, before=before)


def dies_before_write(world: World) -> None:
    """A worker claims what is ready, comes as far as its first write, and is gone."""

    def before(steps: Sequence[Step]) -> None:
        if writes(steps):
            raise Died

    die(world, before=before)


def dies_after_write(world: World) -> None:
    """A worker's first write is carried out, and then it is gone."""

    def after(steps: Sequence[Step]) -> None:
        if writes(steps):
            raise Died

    die(world, after=after)


def die(world: World, **hooks: Any) -> None:
    worker = delivery(world, Tapped(world.system.gateway, **hooks))
    for lane in Lane:
        try:
            worker.deliver(lane)
        except Died:
            continue


def read_all(world: World) -> None:
    """Read the inbox until it is empty; nothing is delivered."""
    world.carry()
    while world.system.reader.read():
        pass


def poll(world: World) -> None:
    """Read the org's changes and what they mean; nothing is delivered."""
    world.system.streams.read()
    read_all(world)


def expire_claims(world: World) -> None:
    """Let every lease run out."""
    with world.system.store.transaction() as session:
        for table in SCHEDULED:
            past = sa.func.clock_timestamp() - timedelta(seconds=1)
            claimed = sa.update(table).where(table.state == "claimed")
            session.execute(claimed.values(claimed_until=past))


def expire_leases(world: World) -> None:
    """Let whoever asks next have the streams."""
    with world.system.store.transaction() as session:
        past = sa.func.clock_timestamp() - timedelta(seconds=1)
        leased = sa.update(Stream).where(Stream.leased_until.is_not(None))
        session.execute(leased.values(leased_until=past))


def hurry(world: World) -> None:
    """Whatever waits for a time need not wait any longer, and nothing rests."""
    with world.system.store.transaction() as session:
        for table in SCHEDULED:
            past = sa.func.clock_timestamp() - timedelta(seconds=1)
            session.execute(sa.update(table).where(table.state == "waiting").values(due=past))
        session.execute(sa.update(Envelope).values(token_hoped_until=None))
        long_ago = sa.func.clock_timestamp() - timedelta(minutes=3)
        unseen = sa.update(Pair).where(Pair.unseen_write, Pair.written_at > long_ago)
        session.execute(unseen.values(written_at=long_ago))
        session.execute(sa.update(Org).values(paused_until=None))
        session.execute(sa.update(LineAccount).values(paused_until=None))


def settle_down(world: World, seconds: float = 30.0) -> None:
    """Work until idle, with no waiting for times."""
    for _ in range(40):
        hurry(world)
        expire_claims(world)
        for _ in range(3):
            if not world.step():
                break
        if not world.unfinished():
            break
    world.run_until_idle(seconds)


def clear_faults(world: World) -> None:
    for url in (world.simulators.org_url, world.simulators.line_url):
        requests.delete(f"{url}/_simulator/faults", timeout=5).raise_for_status()


def claim(world: World, lane: Lane = Lane.URGENT) -> list[Outbox]:
    with world.system.store.transaction() as session:
        return outbox.claim(session, lane, 400, timedelta(seconds=60))


def intent(world: World, pair: UUID) -> Outbox | None:
    with world.system.store.reading() as session:
        return session.scalars(sa.select(Outbox).where(Outbox.pair_id == pair)).one_or_none()


def parked(world: World) -> list[Outbox]:
    return [row for row in world.outbox() if row.state is OutboxState.PARKED]


def all_of(store: Store, table: Any, *where: Any) -> list[Any]:
    with store.reading() as session:
        return list(session.scalars(sa.select(table).where(*where)))


def imbalances(world: World) -> list[Any]:
    with world.system.store.reading() as session:
        return list(ledger.imbalances(session))


def in_flight(world: World) -> list[Received]:
    return all_of(world.system.store, Received, Received.ledger == "in_flight")


def friend_of(world: World, user: str) -> UUID:
    """The friend record of a LINE user."""
    person = world.person_id(user)
    (found,) = all_of(world.system.store, Friendship, Friendship.person_id == person)
    return found.id


class NoPostman:
    """Nobody carries messages."""

    def send(self) -> int:
        return 0


def message_id(arrived: tuple[bytes, str]) -> str:
    """The id of the message in a webhook that was kept back."""
    (event,) = json.loads(arrived[0])["events"]
    return str(event["message"]["id"])


def spend_tokens(world: World) -> None:
    """No reply token is left, so what is said next is a push."""
    with world.system.store.transaction() as session:
        session.execute(sa.update(ReplyToken).values(used_at=sa.func.clock_timestamp()))


def redrive_parked(world: World) -> int:
    return redriving.redrive_all(world.system.store, "parked", "an admin")
