"""A record as mappings see it: its own values, and those of the records it names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.records import SCHEMAS
from connector.domain.values import Value, Values
from connector.store.tables import Record, Relation


def blank_values(kind: str) -> dict[str, Value]:
    """Every declared value of a kind, blank."""
    return dict.fromkeys(SCHEMAS[kind].values)


def relations_of(session: Session, records: Collection[UUID]) -> dict[UUID, dict[str, UUID]]:
    """For each record, the records it names, by relation."""
    found: dict[UUID, dict[str, UUID]] = defaultdict(dict)
    if records:
        here = sa.select(Relation).where(Relation.record_id.in_(list(records)))
        for relation in session.scalars(here):
            found[relation.record_id][relation.name] = relation.target_id
    return found


def views_of(session: Session, records: Collection[Record]) -> dict[UUID, Values]:
    """The views of many records, in two queries."""
    related = relations_of(session, [record.id for record in records])
    wanted = {target for named in related.values() for target in named.values()}
    targets = _values_by_id(session, wanted)
    return {record.id: view(record, related.get(record.id, {}), targets) for record in records}


def view_of(session: Session, record: Record) -> Values:
    """The view of one record."""
    return views_of(session, [record])[record.id]


def view(
    record: Record, related: Mapping[str, UUID], targets: Mapping[UUID, Mapping[str, Value]]
) -> Values:
    """Put a view together: every declared value present, one dict per declared relation."""
    schema = SCHEMAS[record.kind]
    seen: dict[str, Value] = {**blank_values(record.kind), **record.values}
    for name, kind in schema.relations.items():
        target = targets.get(related[name], {}) if name in related else {}
        seen[name] = {**blank_values(kind), **target}
    return seen


def _values_by_id(session: Session, ids: Collection[UUID]) -> dict[UUID, dict[str, Value]]:
    if not ids:
        return {}
    rows = session.execute(sa.select(Record.id, Record.values).where(Record.id.in_(list(ids))))
    return {row.id: row.values for row in rows}
