"""What a plan comes to, in numbers: by mapping, verdict and field, and what carrying it out costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connector.domain.values import Value
from connector.planning.foreseeing import Foreseen
from connector.store.tables import Verdict
from connector.sync.outgoing.bulk_delivery import LEAST, MOST
from connector.sync.outgoing.delivery import BATCH

WRITTEN = (Verdict.CREATE, Verdict.MATCH, Verdict.UPDATE)
_MARK = "|"  # between the parts of a count's name, as a run keeps it
_BULK_CALLS = 14  # of one job and its rows: looked up, begun, uploaded, asked about, read back
_ROWS_A_MINUTE = 12_000  # of an org with some automation of its own


@dataclass
class Tally:
    """The numbers of one mapping."""

    verdicts: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)  # that change, of rows that are there
    values: Counter[str] = field(default_factory=Counter)  # of records, taken from Salesforce
    lines: Counter[str] = field(default_factory=Counter)  # refused, or for a person to decide

    @property
    def records(self) -> int:
        """All that were looked at."""
        return sum(self.verdicts.values())

    @property
    def written(self) -> int:
        """Rows that would be written."""
        return sum(self.verdicts[each] for each in WRITTEN)

    def told(self) -> dict[str, Value]:
        """As JSON."""
        verdicts: dict[str, Value] = {each.value: self.verdicts[each] for each in Verdict}
        parts = {"fields": self.fields, "values": self.values, "lines": self.lines}
        return {"records": self.records, **verdicts, **{k: dict(v) for k, v in parts.items()}}


def count(counts: Counter[str], seen: Iterable[Foreseen], left_out: Mapping[str, int]) -> None:
    """Add a page to the counts of a run."""
    for each in seen:
        counts[_MARK.join((each.mapping, "verdicts", each.verdict))] += 1
        for part, names in (
            ("fields", each.fields),
            ("values", each.values),
            ("lines", each.lines),
        ):
            if part == "fields" and each.verdict is Verdict.CREATE:
                continue
            for name in names:
                counts[_MARK.join((each.mapping, part, name))] += 1
    for mapping, number in left_out.items():
        counts[_MARK.join((mapping, "verdicts", Verdict.LEFT_OUT))] += number


def tallies(counts: Mapping[str, Value]) -> dict[str, Tally]:
    """The numbers by mapping, of a run's or a plan's counts."""
    found: dict[str, Tally] = {}
    for name, number in counts.items():
        mapping, part, what = name.split(_MARK, 2)
        if isinstance(number, int):
            getattr(found.setdefault(mapping, Tally()), part)[what] += number
    return found


def calls(found: Iterable[Tally]) -> int:
    """About how many of the org's API calls it takes: a job's worth for ten thousand rows, else batches."""
    rows = sum(tally.written for tally in found)
    if rows >= LEAST:
        return -(-rows // MOST) * _BULK_CALLS
    return -(-rows // BATCH) * 3 if rows else 0


def minutes(found: Iterable[Tally]) -> float:
    """About how long the org is busy with it."""
    return round(sum(tally.written for tally in found) / _ROWS_A_MINUTE, 1)


@dataclass(frozen=True)
class Reach:
    """How much of what is there a plan touches."""

    rows: int
    of_rows: int
    field: str
    share_of_field: float

    @property
    def share(self) -> float:
        """The larger one: of the records, or of one field's values."""
        return max(self.rows / self.of_rows if self.of_rows else 0.0, self.share_of_field)


def reach(found: Mapping[str, Tally]) -> Reach:
    """How far a plan goes: over all records, and in the one field that it changes most."""
    rows = sum(tally.written for tally in found.values())
    of_rows = sum(tally.records for tally in found.values())
    most, share = "", 0.0
    for name, tally in found.items():
        there = tally.records - tally.verdicts[Verdict.CREATE] - tally.verdicts[Verdict.LEFT_OUT]
        for field_name, number in tally.fields.items():
            if there and number / there > share:
                most, share = f"{name}: {field_name}", number / there
    return Reach(rows, of_rows, most, share)
