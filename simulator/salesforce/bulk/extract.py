"""The rows that a query job found, kept by reference and written as CSV page by page."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.salesforce.bulk.dialect import Dialect
from simulator.salesforce.errors import Refusal
from simulator.salesforce.rules import BORROWED
from simulator.salesforce.soql.parse import parse
from simulator.salesforce.soql.query import Aggregate, FieldSet, Query
from simulator.salesforce.soql.run import found_rows, selected_fields
from simulator.salesforce.soql.scope import Resolved, Scope
from simulator.salesforce.store import Row, Store

ROWS_A_PIECE = 2000
# Rows whose text tells how long that of all of them is.
SAMPLE = 200
TRUTHS = {True: "true", False: "false", None: ""}
Reader = Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: read off the rows when a page is written, or `values` that were read before."""

    name: str
    is_boolean: bool
    read: Reader
    values: Sequence[Any] | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a query found, as it was then: rows of the store are replaced, never changed."""

    rows: Sequence[Row]
    columns: Sequence[Column]
    dialect: Dialect

    def page(self, start: int, end: int) -> Iterator[bytes]:
        """The CSV of some of the rows, below a header, in pieces."""
        yield self.dialect.text([[each.name for each in self.columns]])
        for at in range(start, end, ROWS_A_PIECE):
            yield self._piece(at, min(at + ROWS_A_PIECE, end))

    def size(self) -> int:
        """About how many bytes the CSV of all rows takes."""
        sample = min(len(self.rows), SAMPLE)
        return len(self._piece(0, sample)) * len(self.rows) // sample if sample else 0

    def _piece(self, start: int, end: int) -> bytes:
        rows = self.rows[start:end]
        columns = []
        for column in self.columns:
            values: Iterable[Any]
            if column.values is None:
                values = map(column.read, rows)
            else:
                values = column.values[start:end]
            columns.append(map(TRUTHS.__getitem__, values) if column.is_boolean else values)
        return self.dialect.text(zip(*columns, strict=True))


def checked(store: Store, text: str) -> str:
    """The object that a query reads, or the refusal of what Bulk API does not read."""
    try:
        query = parse(text)
        scope = Scope(store, text, query.source)
        _refuse_shapes(query)
        fields = selected_fields(store, query, scope)
    except Refusal as refusal:
        raise _refused(refusal.message) from None
    if any(each.field.type == "address" for each in fields):
        raise _refused("Selecting compound data not supported in Bulk Query")
    return scope.kind.name


def take(store: Store, text: str, dialect: Dialect, *, with_deleted: bool) -> Snapshot:
    """What a query finds now."""
    query = parse(text)
    scope = Scope(store, text, query.source)
    fields = selected_fields(store, query, scope)
    rows = found_rows(store, query, with_deleted=with_deleted)
    return Snapshot(rows, [_column(each, scope, rows) for each in fields], dialect)


def _column(item: Resolved, scope: Scope, rows: Sequence[Row]) -> Column:
    field = item.field
    name = ".".join([*(str(step.relationship) for step in item.steps), field.name])
    # Values that other rows lend may change before the page is asked for: they are read now.
    is_lent = (
        not item.is_own or field.is_calculated or field.name in BORROWED.get(scope.kind.name, {})
    )
    values = [item.read(row) for row in rows] if is_lent else None
    return Column(name, field.type == "boolean", item.read, values)


def _refuse_shapes(query: Query) -> None:
    if query.group or any(isinstance(each, Aggregate) for each in query.selected):
        raise _refused("Aggregate functions and GROUP BY are not supported in Bulk V2 Query")
    if query.offset:
        raise _refused("OFFSET is not supported in Bulk V2 Query")
    for each in query.selected:
        if isinstance(each, Query):
            raise _refused(
                "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"
            )
        if isinstance(each, FieldSet):
            raise _refused("The SOQL FIELDS function is not supported in Bulk V2 Query")


def _refused(message: str) -> Refusal:
    return Refusal("API_ERROR", message)
