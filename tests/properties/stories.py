"""What every story knows: its world, the people and rows in it, what was entered where, what happened so far."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.strategies import SearchStrategy

from connector.domain.lines import Lane
from connector.store.tables import Received
from connector.sync.upkeep import sweeping
from tests import interference as stir
from tests.properties.ears import Ear
from tests.properties.naps import Nap
from tests.properties.stage import Stage
from tests.properties.tally import Tally
from tests.world import World

PHONES = ("0912345678", "0922333444")
NAMES = ("王小明", "王大明", "Ming Wang")
SKUS = ("AC-100", "WF-10")
LANES = st.sampled_from([Lane.URGENT, Lane.URGENT, Lane.NORMAL])
people = st.integers(0, 1)
which = st.integers(0, 3)
serial = count(1)
RULES: dict[str, Mapping[str, SearchStrategy[Any]]] = {}
Act = TypeVar("Act", bound=Callable[..., str | None])


@dataclass
class Known:
    """What the story knows of a person."""

    number: int
    user: str
    member: UUID | None = None
    blocked: bool = False  # once, at least: what was pushed then reached nobody
    codes: list[str] = field(default_factory=list)
    registered: list[UUID] = field(default_factory=list)


@dataclass
class Entered:
    """Values that were entered once only, so that one which comes back is known for what it is."""

    by_people: dict[UUID, str | None] = field(default_factory=dict)  # a member's e-mail, the last
    by_agents: dict[str, str | None] = field(default_factory=dict)  # a Contact's e-mail, the last
    rows: dict[str, str] = field(default_factory=dict)  # which Contact an e-mail was entered in
    winners: dict[str, str] = field(default_factory=dict)  # what a merged row lives on in
    moved: set[str] = field(
        default_factory=set
    )  # Contacts that were merged, deleted or brought back

    def by_agent(self, row: str, email: str | None) -> None:
        self.by_agents[row] = email
        if email is not None:
            self.rows[email] = row

    def merged(self, winner: str, loser: str) -> None:
        self.winners[loser] = winner
        self.moved |= {winner, loser}

    def lives_on_in(self, row: str) -> set[str]:
        """The row, and those it was merged into since."""
        found: set[str] = set()
        while row and row not in found:
            found.add(row)
            row = self.winners.get(row, "")
        return found


class Story(RuleBasedStateMachine):
    """A world, and all that a story remembers of it."""

    stage: Stage
    tally: Tally

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.broken: str | None = None  # by what, once nothing more can be told
        self.world: World = self.stage.fresh()
        self.people = [
            Known(number, self.world.person(name)) for number, name in enumerate(("安安", "美美"))
        ]
        for known, sku in zip(self.people, SKUS, strict=True):
            known.codes = self.world.codes(sku, 6)
        self.agents_rows: set[str] = set()
        self.deleted: list[tuple[str, str]] = []
        self.entered = Entered()
        self.steps: dict[str, int] = {}
        self.asleep: list[Nap] = []
        self.ear: Ear | None = None
        self.old_ears: list[Ear] = []

    def one(self, place: int, *, member: bool) -> Known | None:
        """One of the people who are members, or of those who are not."""
        fits = [known for known in self.people if (known.member is not None) is member]
        return fits[place % len(fits)] if fits else None

    def rows_of(self, name: str, where: str = "") -> list[str]:
        """The ids of an object's rows, always in the same order."""
        rows = self.world.rows(f"SELECT Id FROM {name} {where} ORDER BY Id")
        return [row["Id"] for row in rows]

    def row_of(self, name: str, place: int, where: str = "") -> str | None:
        """One of an object's rows."""
        rows = self.rows_of(name, where)
        return rows[place % len(rows)] if rows else None

    def comes_to_rest(self) -> None:
        """Take the faults away and let everything be worked off; who sleeps sleeps on."""
        stir.clear_faults(self.world)
        for _ in range(20):
            self.works_off()
            stir.expire_leases(self.world)
            news = self.world.system.streams.read() + self._hears()
            if not news and not self.world.woken and not self.world.unfinished():
                return
        raise AssertionError(f"it comes to no rest: {self.world.unfinished()}")

    def listens(self) -> None:
        """Follow the org's change events from now on."""
        self.world.switch_org(keepalive_seconds=0.1)
        self.ear = Ear(self.world)
        self.ear.hear()

    def works_off(self, rounds: int = 40) -> None:
        """Do all that is known, without waiting for any time."""
        self.world.carry()
        for _ in range(rounds):
            stir.hurry(self.world)
            stir.expire_claims(self.world)
            sweeping.sweep(self.world.system.store)
            while self.world._work():
                pass
            if not self.world.unfinished():
                return

    def _hears(self) -> int:
        """How much the org's change events told; a reader that is gone has a successor."""
        if self.ear is None:
            return 0
        before = self._received()
        if self.ear.over:
            self.ear = Ear(self.world)
        assert self.ear.hear(), "the topic is not heard"
        return self._received() - before

    def everybody_wakes(self) -> None:
        """Who sleeps goes on with what was claimed long ago."""
        for nap in self.asleep:
            nap.go_on()
        for old in self.old_ears:
            old.wake()

    def _received(self) -> int:
        return len(stir.all_of(self.world.system.store, Received.id))


def happens(**given: SearchStrategy[Any]) -> Callable[[Act], Act]:
    """A rule: counted, and kept in words after the call that plays it again; None: it did nothing."""

    def made(act: Act) -> Act:
        name = act.__name__
        RULES[name] = given

        @wraps(act)
        def kept(self: Story, *args: Any, **given: Any) -> None:
            call = f"story.{name}({', '.join(f'{key}={_written(given[key])}' for key in given)})"
            if self.broken is not None:
                return
            try:
                words = act(self, *args, **given)
            except Exception:
                self.broken, words = traceback.format_exc(), None
            if words is not None:
                self.tally.rules[name] += 1
            self.lines.append(f"{call}  # {words or 'nothing to do'}")

        return kept  # type: ignore[return-value]

    return made


def _written(value: Any) -> str:
    return f"Lane.{value.name}" if isinstance(value, Lane) else repr(value)
