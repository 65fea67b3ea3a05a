"""Reading what changed since a watermark: overlap, keyset pages, five objects in one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connector.domain.faults import Fault
from connector.salesforce.composite import MAX_STEPS
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.soql import changed_since
from connector.salesforce.steps import Answer, Query, Row, StepFailed

OVERLAP = timedelta(minutes=15)
PAGE = 2000


@dataclass(frozen=True)
class Position:
    """A place in a polled stream: SystemModstamp as answered, and Id."""

    stamp: str
    id: str

    @property
    def at(self) -> datetime:
        """The moment of the stamp."""
        return datetime.fromisoformat(self.stamp)


@dataclass(frozen=True)
class Cursor:
    """One object to poll from `since` less `overlap`, or on from `after` (a poll cut short)."""

    object: str
    fields: tuple[str, ...]
    since: datetime
    overlap: timedelta = OVERLAP
    after: Position | None = None


@dataclass(frozen=True)
class Polled:
    """What one object's poll found, oldest first.

    All that was visible up to the org time `read_through` is in `rows` or in earlier polls.
    `last` is the newest row's place, None where nothing was found. Not `complete`: poll on with
    `after=last`.
    """

    object: str
    rows: list[Row] = field(default_factory=list)
    read_through: datetime | None = None
    last: Position | None = None
    complete: bool = True
    fault: Fault | None = None


@dataclass(frozen=True)
class PollAnswer:
    """The polls by object, and the API calls they took."""

    streams: Mapping[str, Polled]
    calls: int


def poll(
    gateway: Gateway, cursors: Sequence[Cursor], *, rounds: int = 10, page: int = PAGE
) -> PollAnswer:
    """Read every object's changes, at most `rounds` pages of each.

    Raises `CallFailed` only where the first call of five objects fails; a later failure leaves
    its streams incomplete, with the fault beside what was read.
    """
    streams: dict[str, Polled] = {}
    calls = 0
    for at in range(0, len(cursors), MAX_STEPS):
        found, made = _together(gateway, cursors[at : at + MAX_STEPS], rounds, page)
        streams.update(found)
        calls += made
    return PollAnswer(streams, calls)


def _together(
    gateway: Gateway, cursors: Sequence[Cursor], rounds: int, page: int
) -> tuple[dict[str, Polled], int]:
    streams = {
        cursor.object: Polled(cursor.object, last=cursor.after, complete=False)
        for cursor in cursors
    }
    open_ = list(cursors)
    calls = 0
    for _ in range(rounds):
        try:
            answer = gateway.run([_query(cursor, page) for cursor in open_])
        except CallFailed as failed:
            if calls == 0:
                raise
            return {**streams, **_cut_short(open_, streams, failed.fault)}, calls
        calls += answer.calls
        open_ = list(_next(open_, answer, streams, page))
        if not open_:
            break
    return streams, calls


def _cut_short(
    cursors: Sequence[Cursor], streams: Mapping[str, Polled], fault: Fault
) -> dict[str, Polled]:
    return {cursor.object: replace(streams[cursor.object], fault=fault) for cursor in cursors}


def _query(cursor: Cursor, page: int) -> Query:
    after = (cursor.after.stamp, cursor.after.id) if cursor.after else None
    since = cursor.since - cursor.overlap
    text = changed_since(cursor.object, cursor.fields, since, after, page)
    return Query(cursor.object, text, deleted=True)  # deletes and merges are changes too


def _next(
    cursors: Sequence[Cursor], answer: Answer, streams: dict[str, Polled], page: int
) -> Iterator[Cursor]:
    """Store what the round found; the cursors of those objects that have more."""
    for cursor in cursors:
        result = answer.results[cursor.object]
        so_far = streams[cursor.object]
        if isinstance(result, StepFailed):
            streams[cursor.object] = replace(so_far, fault=result.fault)
            continue
        rows = result.found if not isinstance(result, list) else []
        streams[cursor.object] = _extended(so_far, rows, answer, complete=len(rows) < page)
        last = streams[cursor.object].last
        if len(rows) >= page and last is not None:
            yield replace(cursor, after=last)


def _extended(so_far: Polled, rows: list[Row], answer: Answer, *, complete: bool) -> Polled:
    last = Position(str(rows[-1]["SystemModstamp"]), str(rows[-1]["Id"])) if rows else so_far.last
    # Rows of the last second may lie beyond a full page: it reaches up to that second only.
    reached = answer.asked_at if complete else last.at if last else None
    return replace(
        so_far, rows=[*so_far.rows, *rows], last=last, complete=complete, read_through=reached
    )
