"""A catalog without documents: records change, but nothing is mapped and nobody is notified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.records import SCHEMAS, RecordSchema
from connector.sync.changes import Scene, apply_all


class NoNotices:
    """No rule asks for a message."""

    def of_kind(self, _kind: str) -> Sequence[object]:
        """The rules of a kind: none."""
        return ()

    def get(self, _rule: str) -> None:
        """The rule of this name: none."""


@dataclass(frozen=True)
class NoDocuments:
    """What `Catalogs` hands out when nothing is published."""

    by_kind: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    by_object: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    followers: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    mappings: Mapping[str, object] = field(default_factory=dict)
    kinds: Mapping[str, RecordSchema] = field(default_factory=lambda: SCHEMAS)
    forms: Mapping[str, object] = field(default_factory=dict)
    notices: NoNotices = field(default_factory=NoNotices)
    org_id: str = "00D"

    def live(self, _session: Session) -> NoDocuments:
        """The catalog as any transaction sees it."""
        return self


def apply(session: Session, changes: list[Change], at: datetime) -> None:
    """Bring the records to what the changes say, as intake does."""
    apply_all(Scene(session, NoDocuments(), "00D", at), changes)  # type: ignore[arg-type]
