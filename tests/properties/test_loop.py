"""The loop under everything that happens to it: whatever the order, both sides end up the same.

People and agents act, webhooks come late, twice or in another order, calls fail, change events are
lost, workers die or wake late; then the faults are taken away and all comes to rest. Half of the
stories follow the org's change events, the others poll.
"""

import os
import time
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
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
from tests.properties.crew import Crew
from tests.properties.outages import Outages
from tests.properties.stage import Stage, leave
from tests.properties.stories import PHONES, RULES
from tests.properties.tally import Tally
from tests.world import Simulators

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
STORIES = int(os.environ.get("STORIES", "300" if SOAK else "6"))
STEPS = 120 if SOAK else 50
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
        """Each rule as often as any other: hypothesis alone would tell stories of a few rules each.

        What is possible depends on how fast the world is, so there are no preconditions either.
        """
        name = data.draw(st.sampled_from(sorted(RULES)))
        given = {key: data.draw(strategy) for key, strategy in RULES[name].items()}
        getattr(self, name)(**given)

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


def tell_again(story: Loop, lines: Iterable[str]) -> None:
    """Tell a story from its lines, which are calls of its rules."""
    try:
        for line in lines:
            if line.startswith("story."):
                eval(line, {"story": story, "Lane": Lane})  # noqa: S307 - a developer's own file
    finally:
        story.teardown()


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
            run_state_machine_as_test(
                story,
                settings=settings(
                    max_examples=STORIES,
                    stateful_step_count=STEPS,
                    phases=[Phase.generate],  # a story takes seconds: it is shown as it is
                ),
            )
    finally:
        print(f"\n{tally.table()}\nin {time.monotonic() - began:.0f} s")
    assert not tally.failed, "\n\n".join(tally.failed)
    if SOAK:
        assert not tally.too_few(), "\n".join(tally.too_few())
