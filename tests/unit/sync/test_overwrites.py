"""Which sighting proves that our write came over an edit, and which is an old tale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from connector.store.tables import Pair
from connector.sync.pairs import overwrites, questions, weighing
from connector.sync.pairs.sightings import Sighting
from connector.sync.pairs.weighing import Outcome, Question
from tests.properties.two_sides import policies

WRITTEN = datetime(2026, 11, 21, 4, 0, 10, tzinfo=UTC)
LOOKED = WRITTEN - timedelta(seconds=3)
BETWEEN = WRITTEN - timedelta(seconds=1)


class Row:
    """A row of which we read `was` and wrote `ours`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mapping: Any = policies()
        self.pair = Pair(base={}, looks=None, doubts=None)
        self.asked: list[Question] = []
        monkeypatch.setattr(questions, "open_one", lambda *each: self.asked.append(each[-1]))
        self.job: Any = SimpleNamespace(
            mapping=self.mapping,
            row=self._row("was"),
            outcome=Outcome(sent=self._based("ours")),
            asked_at=LOOKED,
        )
        overwrites.remember_look(self.job, self.pair, WRITTEN)
        self.pair.base = self._based("ours")

    def _row(self, value: str) -> dict[str, Any]:
        return {name: value for name in ("Wins__c", "Line__c", "Ask__c")}

    def _based(self, value: str) -> dict[str, Any]:
        lines = [self.mapping.line(name) for name in self._row(value)]
        found = [weighing.based(line, {line.id: value}, value, 1) for line in lines]
        return {name: held for each in found for name, held in each.items()}

    def sees(
        self, at: datetime, *, polled: bool = False, ours: bool = False, **fields: Any
    ) -> None:
        until = at + timedelta(milliseconds=999) if polled else at
        seen = Sighting(fields, at, until, None, whole=False, unsaid=False, by="005", is_ours=ours)
        overwrites.doubt(self.pair, self.mapping, seen)

    def is_read(self, value: str = "ours") -> list[str]:
        """The lines that are asked about once the row was read again."""
        self.job.row, self.job.base = self._row(value), self.pair.base
        overwrites.answer(SimpleNamespace(), self.job, self.pair)  # type: ignore[arg-type]
        assert self.pair.doubts is None
        return [each.line for each in self.asked]


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch) -> Row:
    return Row(monkeypatch)


def test_an_edit_between_look_and_write_that_is_in_the_row_no_more_was_overwritten(
    row: Row,
) -> None:
    row.sees(BETWEEN, Wins__c="theirs")
    assert row.is_read() == ["Wins__c"]
    (asked,) = row.asked
    sides = [fields and fields["Wins__c"] for fields in (asked.base, asked.ours, asked.theirs)]
    assert sides == ["was", "ours", "theirs"]
    assert asked.told == {"at": "2026-11-21T04:00:09.000Z", "by": "005"}


def test_a_polled_row_proves_it_too(row: Row) -> None:
    row.sees(BETWEEN, polled=True, Wins__c="theirs", Ask__c="was")
    assert row.is_read() == ["Wins__c"]


def test_an_edit_that_stands_in_the_row_was_not_overwritten(row: Row) -> None:
    row.sees(BETWEEN, Wins__c="theirs")
    assert row.is_read("theirs") == []


def test_where_line_wins_anyway_nobody_is_asked(row: Row) -> None:
    row.sees(BETWEEN, Line__c="theirs")
    assert row.is_read() == []


@pytest.mark.parametrize("value", ["was", "ours"])
def test_what_our_look_found_or_our_write_brought_is_no_edit(row: Row, value: str) -> None:
    row.sees(BETWEEN, Wins__c=value)
    assert row.is_read() == []


@pytest.mark.parametrize("away", [timedelta(seconds=-5), timedelta(seconds=5)])
def test_what_happened_at_another_time_is_no_proof(row: Row, away: timedelta) -> None:
    row.sees(BETWEEN + away, Wins__c="theirs")
    assert row.is_read() == []


def test_a_polled_row_of_the_second_of_the_look_may_be_older_than_it(row: Row) -> None:
    row.sees(LOOKED, polled=True, Wins__c="older")
    assert row.is_read() == []


def test_what_carries_our_own_tag_is_our_echo(row: Row) -> None:
    row.sees(BETWEEN, ours=True, Wins__c="an earlier write of ours")
    assert row.is_read() == []


def test_few_doubts_are_kept(row: Row) -> None:
    for at in range(50):
        row.sees(BETWEEN, Wins__c=f"theirs {at}")
    assert len(row.pair.doubts or ()) == 8
