"""The loop under everything that happens to it: whatever the order, both sides end up the same.

People and agents act, webhooks come late, twice or in another order, calls fail, change events are
lost, workers die or wake late; then the faults are taken away and all comes to rest. Half of the
stories follow the org's change events, the others poll.
"""

import os
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from connector.domain.lines import Lane
from connector.ground.postgres import Postgres
from tests.properties import balance, naps, outages
from tests.properties.agents import Agents
from tests.properties.citizens import Citizens
from tests.properties.crew import POINTS, Crew
from tests.properties.outages import Outages
from tests.properties.stage import Stage, leave
from tests.properties.stories import PHONES, RULES
from tests.properties.tally import Tally
from tests.world import Simulators

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
STORIES = int(os.environ.get("STORIES", "300" if SOAK else "6"))
STEPS = 120 if SOAK else 50
PORTION = 20
KEPT = os.environ.get("STORY")  # a file with the lines of a story that ended badly


class Loop(Citizens, Agents, Outages, Crew):
    """What people, agents, networks and workers do, in any order."""

    @initialize(
        known=st.sampled_from(["nobody", "a friend", "a member with a case", "two members"]),
        by_events=st.booleans(),
    )
    def begins_with(self, known: str, by_events: bool) -> None:
        self.lines.append(f"story.begins_with({known=}, {by_events=})")
        if by_events:
            self.listens()
        if known == "nobody":
            return
        self.a_person_follows(who=0)
        self.a_person_consents(who=0)
        self.works_off()
        if known == "a friend":
            return
        self.a_person_binds(who=0, name="王小明", phone=PHONES[0])
        if known == "two members":
            self.a_person_binds(who=0, name="王大明", phone=PHONES[1])
        else:
            self.a_person_registers(who=0)
            self.a_person_asks_for_repair(who=0, from_chat=False, registered=True)
        self.works_off()

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """Of three things that could happen the one that happened least, for its rule or for its fault.

        Hypothesis alone would tell stories of a few rules each, and of a few faults. What is
        possible depends on how fast the world is, so there are no preconditions either.
        """
        drawn = [self._drawn(data) for _ in range(3)]
        name, given = min(drawn, key=lambda each: self.tally.share(each[0], fault_of(*each)))
        getattr(self, name)(**given)

    def _drawn(self, data: st.DataObject) -> tuple[str, dict[str, Any]]:
        name = data.draw(st.sampled_from(sorted(RULES)))
        return name, {key: data.draw(strategy) for key, strategy in RULES[name].items()}

    def teardown(self) -> None:
        try:
            self.ends()
        finally:
            self.tally.stories += 1
            self.tally.faults.update(self.stage.faults())
            for ear in [self.ear, *self.old_ears]:
                if ear is not None:
                    ear.stop()
            leave(self.world)

    def ends(self) -> None:
        """A story that ends badly is kept, and the next one is told."""
        try:
            assert self.broken is None, self.broken
            self.works_off(rounds=3)  # what was to fail may still do so
            self.comes_to_rest()
            if self.asleep or self.old_ears:  # whatever they hold, others have done it
                self.everybody_wakes()
                self.comes_to_rest()
            found = balance.problems(self)
        except Exception:
            found = [traceback.format_exc()]
        if found:
            self.tally.failed.append("\n".join([*found, "the story:", *self.lines]))
            print(f"\nthis ended badly: {self.tally.failed[-1]}")


def every_fault() -> Iterator[str]:
    """The faults that a soak must have seen, as the simulators and the story name them."""
    yield from outages.ORG_FAULTS
    yield from (fault for fault, _ in outages.LINE_FAULTS.values())
    yield from (*outages.STREAM_FAULTS, *outages.EVENT_FAULTS, "block_user")
    yield from (f"{what} {at}" for what in ("dies", "sleeps") for at in naps.WORKERS)


def tell(story: type[Loop], tally: Tally) -> None:
    """Tell new stories, some at a time, until a soak has seen enough of everything."""
    while tally.stories < STORIES and not (SOAK and not tally.too_few()):
        run_state_machine_as_test(
            story,
            settings=settings(
                max_examples=min(PORTION, STORIES - tally.stories),
                stateful_step_count=STEPS,
                phases=[Phase.generate],  # a story takes seconds: it is shown as it is
            ),
        )


def tell_again(story: Loop, lines: Iterable[str]) -> None:
    """Tell a story from its lines, which are calls of its rules."""
    try:
        calls = [line for line in lines if line.startswith("story.")]
        while len(story.lines) < len(calls):  # a rule that calls others has told their lines too
            eval(calls[len(story.lines)], {"story": story, "Lane": Lane})
    finally:
        story.teardown()


def fault_of(name: str, given: Mapping[str, Any]) -> str | None:
    """The fault that a rule would bring about, as the tally names it."""
    if name == "a_worker_dies":
        return f"dies {POINTS[given['at']]}"
    if name == "a_worker_falls_asleep":
        return f"sleeps {POINTS[given['at']]}"
    if name == "line_fails":
        return outages.LINE_FAULTS[given["name"]][0]
    return (
        given["name"] if name in {"the_org_fails", "the_stream_breaks", "events_are_lost"} else None
    )


@pytest.fixture
def stage(outside: Simulators, postgres: Postgres, template: str) -> Iterator[Stage]:
    name = f"stage_{uuid4().hex}"
    yield Stage(outside, postgres.clone(template, name))
    postgres.drop(name)


@pytest.mark.timeout(0 if SOAK else 900)
def test_whatever_happens_both_sides_end_up_the_same(stage: Stage) -> None:
    tally, began = Tally(), time.monotonic()
    tally.know(RULES, every_fault())
    story = type("Story", (Loop,), {"stage": stage, "tally": tally})
    try:
        if KEPT:
            tell_again(story(), Path(KEPT).read_text().splitlines())
        else:
            tell(story, tally)
    finally:
        print(f"\n{tally.table()}\nin {time.monotonic() - began:.0f} s")
    assert not tally.failed, "\n\n".join(tally.failed)
    if SOAK:
        assert not tally.too_few(), "\n".join(tally.too_few())
