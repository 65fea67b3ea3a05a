"""A record as mappings see it: its own values, and those of the records it names.

The record of a form holds what was answered, whatever the form asks by now, and stays so when the
form is withdrawn; what it does not hold is blank.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.records import FORM_RELATIONS, SCHEMAS
from connector.domain.values import Value, Values
from connector.store.session import among
from connector.store.tables import Record, Relation


def blank_values(kind: str) -> dict[str, Value]:
    """Every declared value of a kind of the starter set, blank."""
    return dict.fromkeys(SCHEMAS[kind].values) if kind in SCHEMAS else {}


def relations_of(session: Session, records: Collection[UUID]) -> dict[UUID, dict[str, UUID]]:
    """For each record, the records it names, by relation."""
    found: dict[UUID, dict[str, UUID]] = defaultdict(dict)
    if records:
        named = sa.select(Relation.record_id, Relation.name, Relation.target_id)
        for record, name, target in session.execute(
            named.where(among(Relation.record_id, records))
        ):
            found[record][name] = target
    return found


def views_of(session: Session, records: Collection[Record]) -> dict[UUID, Values]:
    """The views of many records, in two queries."""
    return views_beside(session, records, relations_of(session, [each.id for each in records]))


def views_beside(
    session: Session, records: Collection[Record], related: Mapping[UUID, Mapping[str, UUID]]
) -> dict[UUID, Values]:
    """The views of many records whose relations are known, in one query."""
    wanted = {target for named in related.values() for target in named.values()}
    targets = _values_by_id(session, wanted)
    return {record.id: view(record, related.get(record.id, {}), targets) for record in records}


def view_of(session: Session, record: Record) -> Values:
    """The view of one record, in one query."""
    named = (
        sa.select(Relation.name, Record.id, Record.values)
        .join(Record, Record.id == Relation.target_id)
        .where(Relation.record_id == record.id)
    )
    rows = session.execute(named).all()
    targets = {row.id: row.values for row in rows}
    return view(record, {row.name: row.id for row in rows}, targets)


def view_beside(session: Session, record: Record, related: Mapping[str, UUID]) -> Values:
    """The view of one record whose relations are known."""
    return view(record, related, _values_by_id(session, set(related.values())))


def view(
    record: Record, related: Mapping[str, UUID], targets: Mapping[UUID, Mapping[str, Value]]
) -> Values:
    """Put a view together: every declared value present, one dict per declared relation."""
    relations = SCHEMAS[record.kind].relations if record.kind in SCHEMAS else FORM_RELATIONS
    seen: dict[str, Value] = {**blank_values(record.kind), **record.values}
    for name, kind in relations.items():
        target = targets.get(related[name], {}) if name in related else {}
        seen[name] = {**blank_values(kind), **target}
    return seen


def _values_by_id(session: Session, ids: Collection[UUID]) -> dict[UUID, dict[str, Value]]:
    if not ids:
        return {}
    rows = session.execute(sa.select(Record.id, Record.values).where(among(Record.id, ids)))
    return {row.id: row.values for row in rows}
