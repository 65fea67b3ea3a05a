"""What was seen of a row of the org: which values, and up to which moment of org time they speak.

A polled row and a change event differ in how much they tell and how sharp their clocks are. Neither may
overwrite what was learnt of the row later (design rule 7): `is_news` is that rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.domain.lines import Lane
from connector.domain.values import Fields, Value, moment
from connector.mapping.parts.compiled import CompiledMapping
from connector.salesforce.planner import KEY_FIELD
from connector.salesforce.pubsub.events import GAP, HEADER, OVERFLOW, WHOLE
from connector.store.tables import Pair, Received

EVERY_ROW = "*"  # the subject of an event that speaks of a whole object
_SECOND = timedelta(milliseconds=999)  # SystemModstamp and `Date` are cut to seconds


@dataclass(frozen=True)
class Sighting:
    """One look at one row.

    `at` and `until` are the same for an event and the two ends of a second for a polled row. `by` made the
    change, as far as that is told; `is_ours` says that it carries our own tag. `noted` is
    the epoch noted before a poll. `whole`: every field that we read is told. `unsaid`: something changed,
    and the row must be read to learn what.
    """

    fields: Fields
    at: datetime
    until: datetime
    noted: int | None
    whole: bool
    unsaid: bool
    deleted: bool = False
    by: str | None = None
    is_ours: bool = False

    @property
    def is_sharp(self) -> bool:
        """Whether the moment is known to the millisecond."""
        return self.at == self.until

    @property
    def told(self) -> dict[str, Value]:
        """Who made the change, and when."""
        return {"at": moment(self.at), "by": self.by}

    @property
    def row_id(self) -> str:
        """The row's Salesforce id, or `EVERY_ROW`."""
        return str(self.fields.get("Id"))

    @property
    def key(self) -> Value:
        """The key that the row carries, where it was told."""
        return self.fields.get(KEY_FIELD)

    def is_news(self, pair: Pair) -> bool:
        """Whether it was seen after everything that the pair's base stands for."""
        if self.noted is not None and pair.epoch > self.noted:
            return False
        return pair.seen_at is None or self.at > pair.seen_at

    def is_torn(self, mapping: CompiledMapping) -> bool:
        """Whether a line that merges as one unit is told in part only."""
        if self.whole:
            return False
        return any(
            any(name in self.fields for name in line.fields)
            and not all(name in self.fields for name in line.fields)
            for line in mapping.inbound
        )


def sighting_of(row: Received) -> Sighting:
    """What a received row of Salesforce says."""
    header = row.body.get(HEADER)
    if not isinstance(header, Mapping):
        return Sighting(
            row.body, row.at, row.at + _SECOND, row.noted or 0, whole=True, unsaid=False
        )
    change = str(header["changeType"])
    return Sighting(
        {name: value for name, value in row.body.items() if name != HEADER},
        row.at,
        row.at,
        None,
        whole=change in WHOLE,
        unsaid=change.startswith(GAP) or change == "DELETE" or bool(header.get("diffFields")),
        deleted=change == "DELETE",
        by=str(header["commitUser"]) if header.get("commitUser") else None,
        is_ours=may_be_echo(row),
    )


def speaks_of_all(row: Received) -> bool:
    """Whether a received row says that an object changed as a whole."""
    header = row.body.get(HEADER)
    return isinstance(header, Mapping) and (
        row.subject == EVERY_ROW or header["changeType"] == OVERFLOW
    )


def may_be_echo(row: Received) -> bool:
    """Whether an event carries our own tag, which the intake says by its lane."""
    return row.lane is Lane.BULK and HEADER in row.body


def end_of_second(moment: datetime) -> datetime:
    """The last moment that a clock cut to seconds can mean."""
    return moment.replace(microsecond=0) + _SECOND
