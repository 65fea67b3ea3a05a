"""Custom platform events: rows of objects named `X__e`, which are published when they commit."""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from simulator.salesforce.events.encoding import converted
from simulator.salesforce.events.kept import Commit, PlatformEvent
from simulator.salesforce.events.schemas import EventSchema, SchemaBook
from simulator.salesforce.store import Row, Transaction
from simulator.salesforce.visibility import Visibility

TOPIC, SUFFIX = "/event/", "__e"


def is_event(name: str) -> bool:
    """Whether an object is a platform event."""
    return name.endswith(SUFFIX)


class Raised(NamedTuple):
    """An event that the org itself publishes and gives an id."""

    topic: str
    schema_id: str
    payload: bytes

    def event(self, commit: Commit, sequence: int) -> PlatformEvent:
        """The event as the bus keeps it."""
        return PlatformEvent(commit, sequence, str(uuid.uuid4()), self.schema_id, self.payload)


def raised(
    transaction: Transaction, touched: Iterable[str], visibility: Visibility, book: SchemaBook
) -> Iterator[Raised]:
    """What a transaction publishes by writing rows, of the objects that it touched."""
    names = {each for each in touched if is_event(each)}
    for name, _, row in transaction.written(names) if names else ():
        shape = visibility.shape(name)
        schema = book.of(shape)
        yield Raised(TOPIC + name, schema.id, _payload(schema, row))


def _payload(schema: EventSchema, row: Row) -> bytes:
    datum: dict[str, Any] = {
        name: converted(field, row[name]) for name, field in schema.told.items() if name in row
    }
    return schema.write(datum)
