"""One run: people and agent at work, faults between them, quiet at the end, and the verdict."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.org import Org
from tests.acceptance.stack import free_base
from tests.acceptance.waiting import TooLong, now
from tests.acceptance.world import World
from tests.chaos.agent import Agent
from tests.chaos.crowd import Crowd
from tests.chaos.diary import Diary
from tests.chaos.faults import FAULTS, Lengths, Strike
from tests.chaos.findings import Findings, Wrong
from tests.chaos.messages import Messages
from tests.chaos.phones import Phones
from tests.chaos.plans import SKUS, crowd
from tests.chaos.recovery import PROBES, Probe
from tests.chaos.report import Report
from tests.chaos.rows import Rows
from tests.chaos.stage import Stack, Stage

QUIET_WITHIN = 420.0
OVERLAPS_OF_100 = 20
Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What is asked of a run."""

    events: int
    edits: int
    minutes: float
    seed: int = 1
    only: Sequence[str] = tuple(FAULTS)
    lengths: Lengths = field(default_factory=Lengths)
    pauses: tuple[float, float] = (1.0, 4.0)
    each_once: bool = False  # every kind in order and no overlap, then no more
    skus: Sequence[str] = SKUS
    lease: int = 10  # seconds; what a killed worker held comes back after that


class Run:
    """One run on one data folder."""

    def __init__(self, order: Order, data: Path, say: Say) -> None:
        self._order = order
        self._rng = random.Random(order.seed)
        self._say = say
        self._stack = Stack(data, free_base(), {"CONNECTOR_LEASE_SECONDS": str(order.lease)})
        self.diary = Diary()
        self.strikes: list[Strike] = []
        self._stop = threading.Event()

    def carry_out(self) -> Report:
        """Start, do all, judge, end."""
        try:
            world = World(self._stack.ready())
            stage = Stage(self._stack)
            with closing(stage.claims):
                return self._with(world, stage)
        finally:
            self._stop.set()
            self._stack.end()
            self._stack.sweep()

    def _with(self, world: World, stage: Stage) -> Report:
        up = self._stack
        phones = Phones(up.line_url, up.url, self.diary, random.Random(self._order.seed))
        codes = {sku: deque(self._codes(world, sku)) for sku in self._order.skus}
        agent = Agent(self.diary, Org(up.org_url), random.Random(self._order.seed + 1), set())
        leads = agent.roster.leads
        people = Crowd(self.diary, phones, codes, leads.__contains__, self._rng)
        probes = [
            Probe(number, phones, Org(up.org_url), stage.claims, people.ask_for_repair)
            for number in range(PROBES)
        ]
        for probe in probes:
            agent.spared |= probe.settle_in(self.diary)
        others = crowd(self._order.events, self._order.skus, self._rng)
        self._arrive(phones, Org(up.org_url), others)
        self.diary.people += others
        began = time.monotonic()
        with ThreadPoolExecutor(3) as hands:
            rate = self._order.events / (60 * self._order.minutes)
            crowd_runs = hands.submit(people.run, rate)
            edits = (self._order.edits, self._order.edits / (54 * self._order.minutes))
            agent_runs = hands.submit(agent.run, *edits, self._stop)
            try:
                self._strike(stage, itertools.cycle(probes), lambda: not crowd_runs.done(), people)
                crowd_runs.result()
                self._wait_for_edits(agent)
            finally:
                self._stop.set()
            agent_runs.result()
        seconds = time.monotonic() - began
        stage.calm()
        return self._judge(world, phones, seconds)

    def _codes(self, world: World, sku: str) -> list[str]:
        made = world.cli.codes(sku, count=max(30, self._order.events // 30))
        return [each["code"] for each in made]

    def _arrive(self, phones: Phones, org: Org, people: Sequence[Any]) -> None:
        """Everybody has LINE; some are known to the org already."""
        with ThreadPoolExecutor(8) as hands:
            list(hands.map(phones.join, people))
        for person in people:
            if person.known_phone:
                known = {"LastName": person.name[0], "FirstName": person.name[1:]}
                org.create("Contact", **known, MobilePhone=person.known_phone)

    def _strike(
        self, stage: Stage, probes: Iterator[Probe], goes_on: Callable[[], bool], people: Crowd
    ) -> None:
        """One fault after the other for as long as people are at work, or each kind once."""
        turns: list[str] = []
        time.sleep(self._order.pauses[1])
        while goes_on() or (self._order.each_once and len(self.strikes) < len(self._order.only)):
            if not turns:
                turns = [*self._order.only]
                if not self._order.each_once:
                    self._rng.shuffle(turns)
                elif self.strikes:
                    return
            kind = turns.pop(0)
            strike = FAULTS[kind](stage, self._rng, self._order.lengths)
            overlaps = not self._order.each_once and self._rng.randrange(100) < OVERLAPS_OF_100
            if not overlaps:
                strike.recovered = next(probes).measure()
                if strike.recovered is None:
                    self.diary.refused.append(f"{strike.kind}: not got over in time")
            strike.close()
            self.strikes.append(strike)
            self._tell(strike, people)
            time.sleep(self._rng.uniform(*self._order.pauses))

    def _tell(self, strike: Strike, people: Crowd) -> None:
        taken = f"{strike.recovered:.1f} s" if strike.recovered is not None else "overlapped"
        sent, edits = self.diary.sent.total(), len(self.diary.edits)
        self._say(
            f"{len(self.strikes):>4} {strike.kind:26} recovered: {taken:>10}   "
            f"{sent} events, {people.left} steps left, {edits} edits, "
            f"{len(self.diary.refused)} refused"
        )

    def _wait_for_edits(self, agent: Agent) -> None:
        until = time.monotonic() + 60 * self._order.minutes
        while not agent.done and time.monotonic() < until:
            time.sleep(0.5)

    # -- the end

    def _judge(self, world: World, phones: Phones, seconds: float) -> Report:
        findings = Findings()
        self._say("waiting for quiet")
        try:
            for _ in range(2):  # what was written last comes back as an event
                world.settled(now(), seconds=QUIET_WITHIN)
        except TooLong as waited:
            findings.add(Wrong.REFUSED, str(waited)[:400])
        for refusal in self.diary.refused:
            findings.add(Wrong.REFUSED, refusal)
        ledger = self._ledger(world, findings)
        rows = Rows(world.org, phones, self.diary, findings)
        rows.check()
        messages = Messages(self.diary, rows.cases, rows.orders, findings)
        for person in self.diary.people:
            messages.check(person, phones.chat(person))
        told = (messages.own, messages.edits)
        return Report(seconds, self.strikes, self.diary, findings, ledger, told)

    def _ledger(self, world: World, findings: Findings) -> dict[str, Any]:
        status = world.cli.status()
        found: dict[str, Any] = status["ledger"]
        if not status["idle"]:
            findings.add(Wrong.REFUSED, f"not idle: {status['queues']}")
        checked = world.cli.run("ledger")
        if checked.code != 0 or found["balanced"] is not True:
            findings.add(Wrong.REFUSED, f"the ledger is not balanced: {checked.out[:400]}")
        for stuck in ("parked", "dead", "in_flight"):
            if found[stuck]:
                findings.add(Wrong.REFUSED, f"{found[stuck]} received rows are {stuck}")
        return found
