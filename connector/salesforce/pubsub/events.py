"""One change event: what happened to which rows, decoded from Avro and named as the REST API names fields."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, cast

import fastavro
import structlog

from connector.domain.values import Value
from connector.mapping.canonical import long_id
from connector.mapping.schema import ObjectSchema
from connector.salesforce.pubsub import bitmaps

log = structlog.get_logger()

HEADER = "ChangeEventHeader"
GAP = "GAP_"
OVERFLOW = "GAP_OVERFLOW"
WHOLE = frozenset({"CREATE", "UNDELETE"})  # events that carry every field of the row
_NOBODY = "000000000000000AAA"
_ADDRESS = "Address"
_CLIENT = ";client="


@dataclass(frozen=True)
class ChangeEvent:
    """One event of one entity.

    `values` holds every field of the event's schema under its API name, dates as epoch milliseconds;
    what an UPDATE did not change is None there and not named in `changed`. `gap` events carry none.
    """

    replay_id: bytes
    entity: str
    change: str
    record_ids: tuple[str, ...]
    transaction: str
    sequence: int
    committed_at: datetime
    commit_number: int
    origin: str = ""
    user: str = ""
    changed: frozenset[str] = frozenset()
    diffed: frozenset[str] = frozenset()
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_gap(self) -> bool:
        """Whether it says only that something changed."""
        return self.change.startswith(GAP)

    @property
    def is_overflow(self) -> bool:
        """Whether it speaks of the whole entity: too many changes, or rows it cannot name."""
        named = [each for each in self.record_ids if "*" not in each and each != _NOBODY]
        return self.change == OVERFLOW or (self.is_gap and len(named) < len(self.record_ids))

    @cached_property
    def client(self) -> str:
        """The client tag of the call that made the change; empty where it had none."""
        return self.origin.partition(_CLIENT)[2]

    @cached_property
    def told(self) -> frozenset[str]:
        """The fields whose values the event tells; of a delete or a gap none."""
        if self.change in WHOLE:
            return frozenset(self.values)
        return self.changed - self.diffed if self.change == "UPDATE" else frozenset()

    @property
    def as_overflow(self) -> ChangeEvent:
        """The same moment, with nothing told but that rows of the entity changed."""
        return replace(self, change=OVERFLOW, record_ids=("*",), changed=frozenset(), values={})


class Decoder:
    """Decodes the payloads of one schema."""

    def __init__(self, schema_json: str) -> None:
        schema = json.loads(schema_json)
        self._parsed = fastavro.parse_schema(json.loads(schema_json))
        self._shape = bitmaps.shape_of(schema)
        self._entity = _entity(str(schema.get("name", "")))

    def event(self, payload: bytes, replay_id: bytes) -> ChangeEvent:
        """The event behind a payload (Avro binary without a container).

        One that cannot be read must not stop those behind it: it becomes an overflow of its entity.
        """
        try:
            return self._read(payload, replay_id)
        except Exception as error:  # noqa: BLE001 - whatever one event holds, the next is read
            log.warning("event not decoded", entity=self._entity, error=type(error).__name__)
            return self._unread(payload, replay_id)

    def _unread(self, payload: bytes, replay_id: bytes) -> ChangeEvent:
        return ChangeEvent(
            replay_id=replay_id,
            entity=self._entity,
            change=OVERFLOW,
            record_ids=("*",),
            transaction=f"unread:{sha256(payload).hexdigest()}",
            sequence=0,
            committed_at=datetime.now(UTC),
            commit_number=0,
        )

    def _read(self, payload: bytes, replay_id: bytes) -> ChangeEvent:
        read = fastavro.schemaless_reader(io.BytesIO(payload), self._parsed, None)
        body = cast("dict[str, Any]", read)
        header = body.pop(HEADER)
        changed = self._flat_names(header.get("changedFields"))
        nulled = self._flat_names(header.get("nulledFields"))
        return ChangeEvent(
            replay_id=replay_id,
            entity=header["entityName"],
            change=header["changeType"],
            record_ids=tuple(_id(each) for each in header["recordIds"]),
            transaction=header["transactionKey"],
            sequence=header["sequenceNumber"],
            committed_at=datetime.fromtimestamp(header["commitTimestamp"] / 1000, UTC),
            commit_number=header["commitNumber"],
            origin=header.get("changeOrigin") or "",
            user=header.get("commitUser") or "",
            changed=changed | nulled,
            diffed=self._flat_names(header.get("diffFields")),
            values=dict(_flat(body)),
        )

    def _flat_names(self, marks: list[str] | None) -> frozenset[str]:
        """API names; a compound that is named as a whole stands for all of its parts."""
        nested = self._shape.nested
        found: set[str] = set()
        for name in bitmaps.names(marks or (), self._shape):
            outer, _, inner = name.partition(".")
            parts = (inner,) if inner else nested.get(outer, ("",))
            found |= {_flat_name(outer, part) for part in parts}
        return frozenset(found)


def row_of(event: ChangeEvent, row_id: str, schema: ObjectSchema | None) -> dict[str, Value]:
    """What an event tells of one of its rows, in the shapes that a query would answer."""
    found: dict[str, Value] = {"Id": row_id}
    for name in event.told:
        known = schema.field(name) if schema is not None else None
        kind = known.type if known is not None else ""
        found[known.name if known is not None else name] = _shaped(kind, event.values.get(name))
    return found


def _entity(schema_name: str) -> str:
    """`CaseChangeEvent` speaks of Case, `Visit__ChangeEvent` of Visit__c."""
    name = schema_name.removesuffix("ChangeEvent")
    return f"{name}c" if name.endswith("__") else name


def _id(text: str) -> str:
    return text if "*" in text else long_id(text)


def _flat(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        if isinstance(value, dict):
            yield from ((_flat_name(name, inner), held) for inner, held in value.items())
        else:
            yield name, value


def _flat_name(name: str, inner: str = "") -> str:
    """`MailingAddress.City` is MailingCity, `Name.LastName` is LastName."""
    if not inner:
        return name
    return name.removesuffix(_ADDRESS) + inner if name.endswith(_ADDRESS) else inner


def _shaped(kind: str, value: Any) -> Value:
    if isinstance(value, int) and not isinstance(value, bool) and kind in {"date", "datetime"}:
        at = datetime.fromtimestamp(value / 1000, UTC)
        return at.date().isoformat() if kind == "date" else at.isoformat(timespec="milliseconds")
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    known: Value = value
    return known
