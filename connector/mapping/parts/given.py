"""References that every new row is given: its owner and its record type, by the names admins know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.domain.values import Value, Values
from connector.mapping.canonical import plain_text
from connector.mapping.documents.document import MappingDocument, QueueSpec

OWNER, RECORD_TYPE = "OwnerId", "RecordTypeId"


@dataclass(frozen=True)
class Choice:
    """Names that stand beside the values of a record."""

    line: str
    names: tuple[tuple[Value, str], ...]
    otherwise: str | None = None

    def name(self, value: Value) -> str | None:
        """The name beside a value; None where there is none."""
        if value not in (None, "", []):
            for ours, name in self.names:
                if plain_text(ours) == plain_text(value):
                    return name
        return self.otherwise


@dataclass(frozen=True)
class Given:
    """One such reference: the field, and the row it names, by one name or by the record's choice."""

    field: str
    object: str
    by: str
    name: str = ""
    choice: Choice | None = None

    def named(self, view: Values) -> str | None:
        """The name for a record; None where it chooses none."""
        return self.name if self.choice is None else self.choice.name(view.get(self.choice.line))


def given(document: MappingDocument) -> Iterator[Given]:
    """What a mapping says of its new rows' owner and record type."""
    owner = document.owner
    if owner is not None and owner.queue is not None:
        yield Given(OWNER, "Group", "DeveloperName", owner.queue.name or "", _choice(owner.queue))
    elif owner is not None and owner.user is not None:
        yield Given(OWNER, "User", "Username", owner.user)
    if document.record_type is not None:
        yield Given(RECORD_TYPE, "RecordType", "DeveloperName", document.record_type)


def record_type_of(document: MappingDocument, others: Mapping[str, MappingDocument]) -> str | None:
    """The record type of a mapping's new rows; of one that joins a row, that of the mapping that makes it."""
    if document.row_of is not None and document.row_of.mapping in others:
        return others[document.row_of.mapping].record_type
    return document.record_type


def _choice(queue: QueueSpec) -> Choice | None:
    if queue.line is None:
        return None
    names = tuple((pair.line, str(pair.salesforce[0])) for pair in queue.values)
    return Choice(queue.line, names, queue.otherwise)
