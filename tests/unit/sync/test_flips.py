"""When a value that goes to and fro is one, and when it is only edited often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from connector.store.tables import Pair
from connector.sync.pairs import flips, weighing
from connector.sync.pairs.weighing import Outcome
from tests.properties.two_sides import policies

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


class Frozen(Exception):
    """The line is frozen."""


class Play:
    """One line of both ways, and who sets it when."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mapping: Any = policies()
        self.line: Any = self.mapping.line("Wins__c")
        self.pair, self.now = Pair(base={}, flips=None), NOON
        monkeypatch.setattr(flips, "_freeze", self._freeze)

    def _freeze(self, *_: object) -> None:
        raise Frozen

    def we(self, value: str) -> None:
        """Our value is sent."""
        job: Any = SimpleNamespace(outcome=Outcome(sent=self._based(value)), mapping=self.mapping)
        flips.note_sent(SimpleNamespace(now=self.now), self.pair, job, None)  # type: ignore[arg-type]
        self.pair.base |= job.outcome.sent

    def they(self, value: str) -> None:
        """Their value is taken."""
        outcome = Outcome(takes={"symptom": value}, agreed=self._based(value))
        flips.note_taken(self.pair, self.mapping, outcome, self.now)
        self.pair.base |= outcome.agreed

    def _based(self, value: str) -> dict[str, Any]:
        return weighing.based(self.line, {"Wins__c": value}, value, 1)

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    return Play(monkeypatch)


def test_the_second_time_we_send_what_was_turned_back_is_one_too_many(play: Play) -> None:
    play.we("a"), play.they("b"), play.we("a"), play.they("b")
    with pytest.raises(Frozen):
        play.we("a")


def test_it_does_not_matter_what_the_other_one_sets(play: Play) -> None:
    play.we("a"), play.they("b"), play.we("a"), play.they("c")
    with pytest.raises(Frozen):
        play.we("a")


def test_the_same_in_slow_motion_is_nobodys_business(play: Play) -> None:
    for _ in range(5):
        play.we("a")
        play.they("b")
        play.later(minutes=11)


def test_new_values_of_both_are_edits(play: Play) -> None:
    for at in range(10):
        play.we(f"ours {at}")
        play.they(f"theirs {at}")


def test_what_we_alone_change_to_and_fro_turns_nobody_back(play: Play) -> None:
    for _ in range(5):
        play.we("a")
        play.we("b")


def test_what_they_alone_change_to_and_fro_turns_nobody_back(play: Play) -> None:
    for _ in range(5):
        play.they("a")
        play.they("b")


def test_little_is_kept_and_no_value_in_the_clear(play: Play) -> None:
    play.we("secret")
    for at in range(50):
        play.they(f"secret {at}")
    kept = repr(play.pair.flips)
    assert "secret" not in kept
    assert len(kept) < 500
    play.later(hours=1)
    play.they("x")
    assert len(play.pair.flips["Wins__c"]["replaced"]) == 1
