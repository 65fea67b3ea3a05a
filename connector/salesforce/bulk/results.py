"""What became of each row of an ingest job: three result files, matched by key and never by order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from connector.domain.faults import Fault
from connector.mapping.canonical import long_id
from connector.salesforce.faults import fault_of
from connector.salesforce.steps import RowFailed, RowOk

Table: TypeAlias = tuple[Sequence[str], Iterator[Sequence[str]]]

_REFUSAL = re.compile(r"(?P<code>\w+):(?P<text>.*)", re.DOTALL)
_FIELDS = re.compile(r"(?P<message>.*):(?P<fields>[\w.]+(?:,\s*[\w.]+)*)?", re.DOTALL)
_END = "--"


@dataclass
class Results:
    """Rows by key. A key that is in none of these was named by no file: its outcome is unknown."""

    rows: dict[str, RowOk | RowFailed] = field(default_factory=dict)
    unprocessed: set[str] = field(default_factory=set)

    def take_written(self, table: Table, key: str) -> None:
        """Add the file of what was written."""
        for row in _rows(table):
            told = RowOk(long_id(row["sf__id"]), row["sf__created"].lower() == "true")
            self.rows[_key(row, key)] = told

    def take_refused(self, table: Table, key: str, object_name: str) -> None:
        """Add the file of what was refused."""
        for row in _rows(table):
            fault = row_fault(row["sf__error"], object_name)
            self.rows[_key(row, key)] = RowFailed((fault,))

    def take_unprocessed(self, table: Table, key: str) -> None:
        """Add the file of what was not come to."""
        self.unprocessed.update(_key(row, key) for row in _rows(table))


def row_fault(text: str, object_name: str) -> Fault:
    """The fault in a result's `CODE:message:Field,Field --`; the message may hold colons of its own."""
    refusal = _REFUSAL.fullmatch(text.strip())
    if refusal is None:
        return fault_of("", text, http=400, object_name=object_name)
    told = refusal["text"].strip()
    if not told.endswith(_END):
        return fault_of(refusal["code"], told, object_name=object_name)
    named = _FIELDS.fullmatch(told.removesuffix(_END).strip())
    if named is None:
        return fault_of(refusal["code"], told, object_name=object_name)
    fields = [name.strip() for name in (named["fields"] or "").split(",") if name.strip()]
    return fault_of(refusal["code"], named["message"].strip(), fields, object_name=object_name)


def _rows(table: Table) -> Iterator[Mapping[str, str]]:
    names, rows = table
    lower = [name.lower() for name in names]
    return (dict(zip(lower, row, strict=False)) for row in rows)


def _key(row: Mapping[str, str], key: str) -> str:
    """The row's own column, else the id that the org says it is; ids in their long form."""
    if key.lower() != "id":
        return row.get(key.lower(), "")
    return long_id(row.get("id") or row.get("sf__id", ""))
