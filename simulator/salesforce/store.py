"""The rows of the org: tables, indexes and transactions in memory, kept by a journal.

One transaction runs at a time. A row is a dict without its empty fields and is never changed in
place: a write puts a new dict, so the old one serves the rollback.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from simulator.control.journal import Journal
from simulator.salesforce.ids import mint, serial_of
from simulator.salesforce.schema import Field, ObjectType, Schema
from simulator.salesforce.values import stamp

Row = dict[str, Any]
FIRST_SERIAL = 1000
FIRST_NUMBER = 1000
NUMBER_WIDTH = 8
# Log entries and journal lines that a later write made stale are dropped when they outnumber rows.
STALE_FACTOR, STALE_FLOOR = 3, 10_000
PERSONAL_REFERENCES = frozenset({"OwnerId", "CreatedById", "LastModifiedById"})


class Index:
    """The ids of the rows that hold a value, compared without case."""

    def __init__(self) -> None:
        self._ids: dict[str, str | list[str]] = {}

    def ids(self, value: str) -> Sequence[str]:
        """The ids of the rows with this value."""
        held = self._ids.get(value.lower(), ())
        return (held,) if isinstance(held, str) else held

    def add(self, value: str, row_id: str) -> None:
        """Note that a row holds a value."""
        key = value.lower()
        held = self._ids.setdefault(key, row_id)
        if isinstance(held, list):
            held.append(row_id)
        elif held != row_id:
            self._ids[key] = [held, row_id]

    def remove(self, value: str, row_id: str) -> None:
        """Note that a row no longer holds a value."""
        key = value.lower()
        held = self._ids.get(key)
        if isinstance(held, list):
            held.remove(row_id)
            if len(held) == 1:
                self._ids[key] = held[0]
        else:
            self._ids.pop(key, None)


class Table:
    """The rows of one object, the deleted ones too."""

    def __init__(self, kind: ObjectType) -> None:
        self.kind = kind
        self.rows: dict[str, Row] = {}
        self.indexes = {each.name: Index() for each in kind.fields.values() if _is_indexed(each)}
        self._log: list[tuple[str, str]] = []
        self._serial = FIRST_SERIAL
        self._number = FIRST_NUMBER

    def next_id(self) -> str:
        """A new row id, greater than all before."""
        self._serial += 1
        return mint(self.kind.prefix, self._serial)

    def next_number(self) -> str:
        """The next auto-number, `00001001` being the second."""
        number = str(self._number).zfill(NUMBER_WIDTH)
        self._number += 1
        return number

    def put(self, row_id: str, row: Row | None) -> Row | None:
        """Replace a row (None removes it) and give the one before."""
        old = self.rows.get(row_id)
        for name, index in self.indexes.items():
            before = None if old is None or "IsDeleted" in old else old.get(name)
            after = None if row is None or "IsDeleted" in row else row.get(name)
            if before != after:
                if before is not None:
                    index.remove(before, row_id)
                if after is not None:
                    index.add(after, row_id)
        if row is None:
            del self.rows[row_id]
        else:
            self.rows[row_id] = row
        return old

    def note(self, row_id: str) -> None:
        """Enter a committed row into the log of changes, which `changed_since` reads."""
        self._log.append((self.rows[row_id]["SystemModstamp"], row_id))
        if len(self._log) > STALE_FACTOR * len(self.rows) + STALE_FLOOR:
            self._log = sorted((row["SystemModstamp"], each) for each, row in self.rows.items())

    def changed_since(self, moment: str) -> set[str]:
        """The ids of committed rows whose SystemModstamp is `moment` or later."""
        return {row_id for _, row_id in self._log[bisect_left(self._log, (moment, "")) :]}

    def restore(self, row: Row) -> None:
        """Take in a row from the journal."""
        row_id = row["Id"]
        self.put(row_id, row)
        self.note(row_id)
        self._serial = max(self._serial, serial_of(row_id))
        for each in self.kind.fields.values():
            if each.auto_number:
                self._number = max(self._number, int(row[each.name]) + 1)


class Transaction:
    """What one call does: all of it, or back to a savepoint."""

    def __init__(self, store: "Store", user_id: str, moment: str) -> None:
        self.store = store
        self.user_id = user_id
        self.moment = moment
        self._undo: list[tuple[Table, str, Row | None]] = []

    def row(self, kind: str, row_id: str | None) -> Row | None:
        """A row that is not in the recycle bin."""
        row = self.store.tables[kind].rows.get(row_id) if row_id else None
        return None if row is None or "IsDeleted" in row else row

    def put(self, kind: str, row: Row) -> None:
        """Write a row as it now is."""
        table = self.store.tables[kind]
        self._undo.append((table, row["Id"], table.put(row["Id"], row)))

    def savepoint(self) -> int:
        """A point that `rollback` can return to."""
        return len(self._undo)

    def rollback(self, savepoint: int = 0) -> None:
        """Undo all writes after a savepoint."""
        while len(self._undo) > savepoint:
            table, row_id, old = self._undo.pop()
            table.put(row_id, old)

    def touched(self) -> dict[str, dict[str, Row]]:
        """The rows written so far as they are now, by object and id."""
        rows: dict[str, dict[str, Row]] = {}
        for table, row_id, _ in self._undo:
            rows.setdefault(table.kind.name, {})[row_id] = table.rows[row_id]
        return rows


class Store:
    """The data of the org."""

    def __init__(self, schema: Schema, journal: Journal) -> None:
        self.schema = schema
        self.changes = 0
        self.lock = threading.RLock()
        self.current: Transaction | None = None
        self._journal = journal
        self._listeners: list[Callable[[dict[str, dict[str, Row]]], None]] = []
        self._moment = ""
        self.tables: dict[str, Table] = {}
        self._empty()
        self._replay()

    @property
    def is_empty(self) -> bool:
        """Whether no row was ever written."""
        return not any(table.rows for table in self.tables.values())

    @contextmanager
    def transaction(self, user_id: str) -> Iterator[Transaction]:
        """Run one transaction: committed at the end of the block, undone when it raises."""
        with self.lock:
            self._moment = max(self._moment, stamp(datetime.now(UTC)))
            transaction = Transaction(self, user_id, self._moment)
            self.current = transaction
            try:
                yield transaction
            except BaseException:
                transaction.rollback()
                raise
            finally:
                self.current = None
            self._commit(transaction)

    def on_commit(self, listener: Callable[[dict[str, dict[str, Row]]], None]) -> None:
        """Call a listener with the rows of every committed transaction."""
        self._listeners.append(listener)

    def clear(self) -> None:
        """Forget all rows."""
        with self.lock:
            self._empty()
            self._journal.rewrite([])
            self.changes += 1

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()

    def _empty(self) -> None:
        self.tables = {name: Table(kind) for name, kind in self.schema.objects.items()}

    def _commit(self, transaction: Transaction) -> None:
        touched = transaction.touched()
        if not touched:
            return
        self._journal.append({"rows": {name: [*rows.values()] for name, rows in touched.items()}})
        for name, rows in touched.items():
            table = self.tables[name]
            for row_id in rows:
                table.note(row_id)
        self.changes += 1
        for listener in self._listeners:
            listener(touched)

    def _replay(self) -> None:
        read = 0
        for entry in self._journal.replay():
            for name, rows in entry["rows"].items():
                read += len(rows)
                for row in rows:
                    self.tables[name].restore(row)
                    self._moment = max(self._moment, row["SystemModstamp"])
        if (
            read
            > STALE_FACTOR * sum(len(table.rows) for table in self.tables.values()) + STALE_FLOOR
        ):
            rows = (
                (row["SystemModstamp"], name, row)
                for name, table in self.tables.items()
                for row in table.rows.values()
            )
            self._journal.rewrite(
                {"rows": {name: [row]}} for _, name, row in sorted(rows, key=itemgetter(0))
            )


def _is_indexed(field: Field) -> bool:
    if field.type == "reference":
        return field.name not in PERSONAL_REFERENCES
    return field.type == "phone" or (field.is_key and field.type != "id")
