"""A change: new values for one record, seen on one side. The only input of sync."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from connector.domain.lines import Cause
from connector.domain.values import Values


@dataclass(frozen=True)
class Change:
    """What became of one record. A record that is not there yet is made; of one that `is_new`, whose id
    was minted for it just now, that is certain.

    `values` names only what is new; a name that is missing keeps its value. `relations` maps a
    relation to the record it now points at, or to None to cut it. `releases`
    says that the person let go of the record (unbinding).
    """

    record_id: UUID
    kind: str
    values: Values = field(default_factory=dict)
    person_id: UUID | None = None
    relations: Mapping[str, UUID | None] = field(default_factory=dict)
    cause: Cause = Cause.LIVE
    notify: bool = True
    is_new: bool = False
    releases: bool = False  # the person let go of it: our fields are cleared, then the pairs end
