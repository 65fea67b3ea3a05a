"""References that every new row is given: its owner and its record type, by the names admins know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connector.mapping.document import MappingDocument

OWNER, RECORD_TYPE = "OwnerId", "RecordTypeId"


@dataclass(frozen=True)
class Given:
    """One such reference: the field, and the row it names."""

    field: str
    object: str
    by: str
    name: str


def given(document: MappingDocument) -> Iterator[Given]:
    """What a mapping says of its new rows' owner and record type."""
    owner = document.owner
    if owner is not None and owner.queue is not None:
        yield Given(OWNER, "Group", "DeveloperName", owner.queue)
    elif owner is not None and owner.user is not None:
        yield Given(OWNER, "User", "Username", owner.user)
    if document.record_type is not None:
        yield Given(RECORD_TYPE, "RecordType", "DeveloperName", document.record_type)
