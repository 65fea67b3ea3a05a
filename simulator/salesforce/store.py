"""The rows of the org: tables, indexes and transactions in memory, kept by a journal.

One transaction runs at a time. A row is a dict without its empty fields and is never changed in
place: a write puts a new dict, so the old one serves the rollback.
"""

import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from operator import itemgetter
from sys import intern
from typing import Any, Protocol

from simulator.control.journal import Entry, Journal
from simulator.salesforce.events.channels import ChannelChange, Channels
from simulator.salesforce.ids import mint, serial_of
from simulator.salesforce.indexes import Index
from simulator.salesforce.metadata.customizations import Change, Customizations
from simulator.salesforce.schema import Field, ObjectType, Schema
from simulator.salesforce.switches import Switches
from simulator.salesforce.values import stamp

Row = dict[str, Any]
FIRST_SERIAL = 1000
FIRST_NUMBER = 1000
ZEROS = re.compile(r"\{(0+)\}")
# Log entries and journal lines that a later write made stale are dropped when they outnumber rows.
STALE_FACTOR, STALE_FLOOR = 3, 10_000
# Values that many rows share; those of the journal are made one again when it is read.
REPEATED = (
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "OwnerId",
    "SystemModstamp",
)
PERSONAL_REFERENCES = frozenset({"OwnerId", "CreatedById", "LastModifiedById"})


class Table:
    """The rows of one object, the deleted ones too."""

    def __init__(self, kind: ObjectType) -> None:
        self.kind = kind
        self.rows: dict[str, Row] = {}
        self.indexes = {each.name: Index() for each in kind.fields.values() if _is_indexed(each)}
        self._log: list[tuple[str, str]] = []
        self._serial = FIRST_SERIAL
        self._numbers: dict[str, int] = {}

    def next_id(self) -> str:
        """A new row id, greater than all before."""
        self._serial += 1
        return mint(self.kind.prefix, self._serial)

    def next_number(self, field: Field) -> str:
        """The next auto-number of a field, `00001001` being the second."""
        number = self._numbers.get(field.name, FIRST_NUMBER)
        self._numbers[field.name] = number + 1
        return ZEROS.sub(lambda found: str(number).zfill(len(found[1])), field.number_format)

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

    def newest(self) -> Iterator[str]:
        """The ids of committed rows, the last changed first; earlier changes follow again."""
        return (row_id for _, row_id in reversed(self._log))

    def refit(self, kind: ObjectType) -> None:
        """Follow a change of the object's fields."""
        self.kind = kind
        wanted = {each.name for each in kind.fields.values() if _is_indexed(each)}
        self.indexes = {name: self.indexes.get(name) or self._indexed(name) for name in wanted}

    def _indexed(self, name: str) -> Index:
        index = Index()
        for row_id, row in self.rows.items():
            if name in row and "IsDeleted" not in row:
                index.add(row[name], row_id)
        return index

    def restore(self, row: Row) -> None:
        """Take in a row from the journal."""
        row_id = row["Id"]
        for name in REPEATED:
            if name in row:
                row[name] = intern(row[name])
        self.put(row_id, row)
        self.note(row_id)
        self._serial = max(self._serial, serial_of(row_id))
        for each in self.kind.auto_numbers:
            if each.name in row:
                self._count(each, row[each.name])

    def _count(self, field: Field, value: str) -> None:
        shape = ZEROS.split(field.number_format)
        digits = value.removeprefix(shape[0]).removesuffix(shape[-1])
        if digits.isdecimal():
            known = self._numbers.get(field.name, FIRST_NUMBER)
            self._numbers[field.name] = max(known, int(digits) + 1)


class Transaction:
    """What one call does: all of it, or back to a savepoint."""

    def __init__(self, store: "Store", user_id: str, moment: str, origin: str = "") -> None:
        self.store = store
        self.user_id = user_id
        self.moment = moment
        # What change events will say of where the changes came from.
        self.origin = origin
        # What befalls its events, by object: `gap` or `overflow`, set by the call it is of.
        self.event_fault: Callable[[str], str | None] = lambda _: None
        self._undo: list[tuple[Table, str, Row | None]] = []

    def row(self, kind: str, row_id: str | None) -> Row | None:
        """A row that is not in the recycle bin."""
        row = self.store.tables[kind].rows.get(row_id) if row_id else None
        return None if row is None or "IsDeleted" in row else row

    def put(self, kind: str, row: Row) -> None:
        """Write a row as it now is."""
        table = self.store.tables[kind]
        old = table.put(row["Id"], row)
        self._undo.append((table, row["Id"], old))
        for follow in self.store.followers.get(kind, ()):
            follow(self, old, row)

    def plant(self, kind: str, values: Row, row_id: str | None = None) -> Row:
        """Write a new row that the platform makes by itself."""
        table = self.store.tables[kind]
        row = {
            **table.kind.defaults,
            **values,
            "Id": row_id or table.next_id(),
            "CreatedDate": self.moment,
            "CreatedById": self.user_id,
            "LastModifiedDate": self.moment,
            "LastModifiedById": self.user_id,
            "SystemModstamp": self.moment,
        }
        for field in table.kind.auto_numbers:
            row[field.name] = table.next_number(field)
        if "OwnerId" in table.kind.fields:
            row.setdefault("OwnerId", self.user_id)
        self.put(kind, row)
        return row

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

    def written(self, kinds: Container[str]) -> list[tuple[str, Row | None, Row]]:
        """The rows of some objects in the order of their first writes: object, before, after."""
        seen: set[str] = set()
        rows = []
        for table, row_id, old in self._undo:
            kind = table.kind.name
            if kind in kinds and row_id not in seen:
                seen.add(row_id)
                rows.append((kind, old, table.rows[row_id]))
        return rows


# What the journal keeps of a transaction's events, and the act that publishes them.
Recorded = tuple[Entry, Callable[[], None]]
Follower = Callable[[Transaction, Row | None, Row], None]


class Past(Protocol):
    """What takes up the events that a journal tells of."""

    def note(self, entry: Entry, rows: Mapping[str, list[Row]]) -> None:
        """Take up one entry and the rows that were written with it."""


class Store:
    """The data of the org."""

    def __init__(self, schema: Schema, journal: Journal, past: Past | None = None) -> None:
        self.full_schema = schema
        # How much of the schema a user sees; field permissions replace this.
        self.seen_by: Callable[[str], Schema] = lambda _: schema
        self.switches = Switches()
        # What else changes, inside the transaction, when a row of an object does.
        self.followers: Mapping[str, Sequence[Follower]] = {}
        self._customizations = Customizations(schema)
        self.channels = Channels()
        # What takes down the change events of a transaction.
        self.recorder: Callable[[Transaction], Recorded | None] = lambda _: None
        self.changes = 0
        self.lock = threading.RLock()
        self.current: Transaction | None = None
        self._journal = journal
        self._listeners: list[Callable[[dict[str, dict[str, Row]]], None]] = []
        self._moment = ""
        self.tables: dict[str, Table] = {}
        self._empty()
        self._replay(past)

    @property
    def schema(self) -> Schema:
        """The objects and fields as the user of the current transaction sees them."""
        return self.full_schema if self.current is None else self.seen_by(self.current.user_id)

    @property
    def is_empty(self) -> bool:
        """Whether no row was ever written."""
        return not any(table.rows for table in self.tables.values())

    @contextmanager
    def transaction(self, user_id: str, origin: str = "") -> Iterator[Transaction]:
        """Run one transaction: committed at the end of the block, undone when it raises."""
        with self.lock:
            self._moment = max(self._moment, stamp(datetime.now(UTC)))
            transaction = Transaction(self, user_id, self._moment, origin)
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
            self._customizations.clear()
            self.channels.clear()
            self._empty()
            self._journal.rewrite([])
            self.changes += 1

    def customize(self, changes: Sequence[Change]) -> None:
        """Change objects and fields, as an administrator does."""
        with self.lock:
            self._journal.append({"schema": [*changes]})
            self._customize(changes)
            self.changes += 1

    def change_channels(self, changes: Sequence[ChannelChange]) -> None:
        """Change the channels of change events."""
        with self.lock:
            self._journal.append({"channels": [*changes]})
            self._change_channels(changes)
            self.changes += 1

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()

    def _empty(self) -> None:
        self.tables = {name: Table(kind) for name, kind in self.full_schema.objects.items()}

    def _customize(self, changes: Sequence[Change]) -> None:
        for name in self._customizations.apply(changes):
            kind = self.full_schema.find(name)
            if kind is None:
                self.tables.pop(name, None)
            elif name in self.tables:
                self.tables[name].refit(kind)
            else:
                self.tables[name] = Table(kind)

    def _change_channels(self, changes: Sequence[ChannelChange]) -> None:
        for change in changes:
            self.channels.apply(change)

    def _commit(self, transaction: Transaction) -> None:
        touched = transaction.touched()
        if not touched:
            return
        entry: Entry = {"rows": {name: [*rows.values()] for name, rows in touched.items()}}
        recorded = self.recorder(transaction)
        if recorded is not None:
            entry["bus"] = recorded[0]
        self._journal.append(entry)
        for name, rows in touched.items():
            table = self.tables[name]
            for row_id in rows:
                table.note(row_id)
        self.changes += 1
        for listener in self._listeners:
            listener(touched)
        if recorded is not None:
            recorded[1]()

    def _replay(self, past: Past | None) -> None:
        read = 0
        for entry in self._journal.replay():
            if "schema" in entry:
                self._customize(entry["schema"])
            self._change_channels(entry.get("channels", ()))
            if past is not None and "bus" in entry:
                past.note(entry["bus"], entry.get("rows", {}))
            for name, rows in entry.get("rows", {}).items():
                read += len(rows)
                # Rows of an object that was removed since have no table any more.
                for row in rows if name in self.tables else ():
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
            written = ({"rows": {name: [row]}} for _, name, row in sorted(rows, key=itemgetter(0)))
            self._journal.rewrite(chain(self._schema_entries(), written))

    def _schema_entries(self) -> Iterator[dict[str, Any]]:
        if not self._customizations.is_empty:
            yield {"schema": [*self._customizations.changes()]}
        if not self.channels.is_empty:
            yield {"channels": [*self.channels.changes()]}


def _is_indexed(field: Field) -> bool:
    if field.type == "reference":
        return field.name not in PERSONAL_REFERENCES
    return field.type == "phone" or field.unique or (field.is_key and field.type != "id")
