"""Drift: what changed in the org under the live mappings, told before rows fail.

Two things are compared with a fresh describe: what the org said when the mappings were published or drift
was last looked for, and the live documents, compiled anew. What was found stays until the org is as it was,
the mapping copes, or it was published anew: publishing checks it against the org.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from connector.errors import ConnectorError
from connector.mapping.loader import load
from connector.mapping.schema import ObjectSchema, from_json, to_json
from connector.planning.drift.changes import Finding
from connector.planning.drift.uses import Live, open_document
from connector.planning.drift.whole import Schemas, findings
from connector.salesforce.describing import describe_all
from connector.salesforce.faults import CallFailed
from connector.store import alerts
from connector.store.alerts import AlertKind
from connector.store.tables import CachedSchema, Drift, Drifted, Published
from connector.sync.live.publishing import keep_schemas

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from connector.domain.values import Value
    from connector.salesforce.gateway import Gateway
    from connector.store.session import Store
    from connector.sync.live.guarding import OrgGuard

log = structlog.get_logger()

_STEP = "See what it does to rows, and the edit that mends it, with: connector mappings drift"
_OPEN = Drift.closed_at.is_(None)
_QUIET = {"synchronize_session": False}


class UnknownDrift(ConnectorError):
    """Nothing that is open goes by that number."""

    def __init__(self, number: int) -> None:
        super().__init__(
            "unknown_drift",
            f"there is no open drift {number}",
            "See what is open with: connector mappings drift",
        )


@dataclass(frozen=True)
class _Known:
    """What was known before the org is asked: the live documents, how their objects were, what was found."""

    texts: Mapping[str, str]
    versions: Mapping[str, int]
    schemas: Schemas
    found: Sequence[Drift]


def look(store: Store, gateway: Gateway) -> list[Drift]:
    """Compare the org with the live mappings; gives what is open now."""
    with store.reading() as session:
        known = _known(session)
    offline = load(known.texts)
    fresh = describe_all(gateway, offline.objects, offline.record_types)
    seen = {name: schema for name, schema in fresh.items() if schema is not None}
    hidden = [name for name, schema in fresh.items() if schema is None]
    compiled = load(known.texts, {**known.schemas, **seen})
    problems = set(compiled.problems) - set(offline.problems)
    rows: list[dict[str, object]] = []
    for name, mapping in offline.mappings.items():
        path = f"{name}.yaml"
        own = tuple(sorted(problem for problem in problems if problem.file == path))
        live = open_document(path, known.texts[path], mapping, own) if mapping.enabled else None
        if live is not None:
            version = known.versions[path]
            found = findings(live, _before(known, live, version), seen, hidden)
            rows += [_row(live, version, each) for each in found]
    with store.transaction() as session:
        keep_schemas(session, seen, agreed=seen)
        _keep(session, rows)
        return open_drifts(session)


def hourly(store: Store, gateway: Gateway, guard: OrgGuard) -> None:
    """Look, and leave it to the next hour where the org cannot be asked now."""
    if not guard.holds():
        return
    try:
        found = look(store, gateway)
    except CallFailed as failed:
        log.warning("drift not looked for", code=failed.fault.code)
        return
    if found:
        log.warning("the org changed under live mappings", places=len(found))


def open_drifts(session: Session) -> list[Drift]:
    """What is open, by mapping and line; what a person has acknowledged last."""
    order = (Drift.acknowledged_at.is_not(None), Drift.mapping, Drift.line, Drift.id)
    return list(session.scalars(sa.select(Drift).where(_OPEN).order_by(*order)))


def acknowledge(store: Store, numbers: Collection[int], author: str) -> None:
    """Note that a person knows: no alert for it any more, and it no longer counts as open work."""
    with store.transaction() as session:
        here = sa.select(Drift.id).where(_OPEN, Drift.id.in_(numbers))
        missing = set(numbers) - set(session.scalars(here))
        if missing:
            raise UnknownDrift(min(missing))
        known = sa.update(Drift).where(Drift.id.in_(numbers), Drift.acknowledged_at.is_(None))
        told = known.values(acknowledged_at=sa.func.clock_timestamp(), acknowledged_by=author)
        session.execute(told.execution_options(**_QUIET))
        _alert(session)


def _known(session: Session) -> _Known:
    rows = session.scalars(sa.select(Published).where(Published.live)).all()
    cached = session.scalars(sa.select(CachedSchema)).all()
    return _Known(
        {row.path: row.text for row in rows},
        {row.path: row.id for row in rows},
        {row.object: from_json(row.agreed or row.body) for row in cached},
        open_drifts(session),
    )


def _before(known: _Known, live: Live, version: int) -> Schemas:
    """How the objects were when this version was published, as far as something changed since."""
    schemas = dict(known.schemas)
    for drift in known.found:
        mine = (drift.mapping, drift.version) == (live.mapping.name, version)
        if mine and drift.was and drift.object in schemas:
            schema, was = schemas[drift.object], from_json(drift.was)
            types = dict.fromkeys((*schema.record_types, *was.record_types))
            fields = {**schema.fields, **was.fields}
            lists = {
                name: {each: values for each, values in told.items() if each not in was.fields}
                for name, told in schema.offered.items()
            }
            schemas[drift.object] = ObjectSchema(schema.name, fields, tuple(types), lists)
    return schemas


def _row(live: Live, version: int, finding: Finding) -> dict[str, object]:
    was: dict[str, Value] | None = None
    if finding.was is not None:
        was = to_json(ObjectSchema(finding.object, {finding.was.name: finding.was}))
    elif finding.record_type is not None:
        was = to_json(ObjectSchema(finding.object, {}, (finding.record_type,)))
    return {
        "mapping": live.mapping.name,
        "version": version,
        "object": finding.object,
        "kind": finding.kind,
        "subject": finding.subject,
        "line": finding.line,
        "message": finding.message,
        "effect": finding.effect,
        "proposal": finding.proposal,
        "was": sa.null() if was is None else was,
    }


def _keep(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Bring what was open before up to date, add what is new, close what is over.

    By what name a field lives on is only seen the first time, so what was said of it then stands.
    """
    kept = []
    first = {(row["mapping"], row["kind"], row["subject"]): row for row in reversed(rows)}
    for row in reversed(first.values()):
        fresh = insert(Drift).values(**row)
        stands = (Drift.kind == Drifted.FIELD_GONE) & (Drift.version == fresh.excluded.version)
        told = {
            name: sa.case((stands, getattr(Drift, name)), else_=fresh.excluded[name])
            for name in row
        }
        standing = fresh.on_conflict_do_update(
            index_elements=[Drift.mapping, Drift.kind, Drift.subject], index_where=_OPEN, set_=told
        )
        kept.append(session.scalar(standing.returning(Drift.id)))
    over = sa.update(Drift).where(_OPEN, Drift.id.not_in(kept))
    session.execute(over.values(closed_at=sa.func.clock_timestamp()).execution_options(**_QUIET))
    _alert(session)


def _alert(session: Session) -> None:
    """One alert a mapping, as long as there is something nobody has acknowledged."""
    by_mapping: dict[str, list[Drift]] = {}
    for drift in open_drifts(session):
        if drift.acknowledged_at is None:
            by_mapping.setdefault(drift.mapping, []).append(drift)
    for name, drifts in by_mapping.items():
        more = f" (and {len(drifts) - 1} more)" if len(drifts) > 1 else ""
        told = f"the org changed under {name}: {drifts[0].message}{more}"
        alerts.raise_alert(session, AlertKind.DRIFT, name, told, _STEP)
    alerts.close(session, AlertKind.DRIFT, keep=list(by_mapping))
