"""Apply a change to its record, and want everything brought up to date that depends on it.

Locks are taken in one order everywhere: person, record, pairs by id, outbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.identifiers import uuid7
from connector.domain.lines import Cause, Lane
from connector.domain.states import PairState
from connector.domain.values import Values
from connector.mapping.parts.compiled import CompiledMapping, LineProblem
from connector.members.tombstones import Tombstones
from connector.store import sets
from connector.store.session import book
from connector.store.tables import Conflict, History, Pair, Person, Record, Relation
from connector.sync import effects, outbox, owing, views
from connector.sync.catalog import Catalog

_RANK = 5

_named = insert(cast("sa.Table", Relation.__table__))
# What is returned nobody reads; with it many rows are one statement.
_RELATE = _named.on_conflict_do_update(
    index_elements=[Relation.record_id, Relation.name],
    set_={"target_id": _named.excluded.target_id},
).returning(_named.table.c.name)
_STANDING = (PairState.OPEN, PairState.GONE)


@dataclass
class Scene:
    """What applying needs to know: the transaction, the live documents, and who asked."""

    session: Session
    catalog: Catalog
    org_id: str
    now: datetime
    received: tuple[int, ...] = ()
    side: str = "line"
    author: str | None = None  # who, on the operator's side
    conflicts: dict[UUID, dict[str, Conflict]] | None = None  # loaded for a whole batch
    tombstones: Tombstones | None = None  # where what is read may be of somebody erased
    settling: UUID | None = field(default=None)  # the pair whose settling this change comes from


@dataclass(frozen=True)
class Applied:
    """What a change came to."""

    record: Record
    changed: frozenset[str]
    created: bool


@dataclass
class _Past:
    rows: list[dict[str, object]] = field(default_factory=list)


def _write_history(session: Session, past: _Past) -> None:
    sets.insert_all(session, History, past.rows)


def apply_all(scene: Scene, changes: Iterable[Change]) -> list[Applied]:
    """Apply changes in order, each to its locked record."""
    return [apply(scene, change) for change in changes]


def apply(scene: Scene, change: Change) -> Applied:
    """Bring one record to its new values, making it where it is not there yet."""
    record, created = _locked(scene, change)
    return alter(scene, record, change, created=created)


def alter(scene: Scene, record: Record, change: Change, *, created: bool = False) -> Applied:
    """Change a locked record; want its pairs, and owe its notices."""
    before = {} if created else dict(record.values)
    changed = _take_values(scene, record, change, before, created=created)
    related = _relate(scene, record, change.relations, created=created)
    if created or changed or related or change.releases:
        if not created:
            record.version += 1
            record.updated_at = scene.now
        if change.releases:
            _release(scene, record)
        elif created:
            _begin_pairs(scene, record, change)
        else:
            names = changed | related
            want_pairs(scene, record, names, change.cause, whole=bool(related))
        if not created:  # nobody can name it yet
            _touch_followers(scene, record, changed, change.cause)
        if change.notify and change.cause is Cause.LIVE:
            owing.owe_for(scene, record, before)
    return Applied(record, frozenset(changed), created)


def _locked(scene: Scene, change: Change) -> tuple[Record, bool]:
    here = sa.select(Record).where(Record.id == change.record_id).with_for_update()
    locked = here.execution_options(populate_existing=True)
    known = None if change.is_new else scene.session.scalars(locked).one_or_none()
    if known is not None:
        return known, False
    new = insert(Record).values(
        id=change.record_id,
        kind=change.kind,
        person_id=change.person_id,
        values={**views.blank_values(change.kind), **change.values},
        version=1,
        updated_at=scene.now,
    )
    made = scene.session.scalar(
        new.on_conflict_do_nothing(index_elements=[Record.id]).returning(Record)
    )
    return made or scene.session.scalars(locked).one(), made is not None


def _take_values(
    scene: Scene, record: Record, change: Change, before: Values, *, created: bool
) -> set[str]:
    schema = scene.catalog.kinds.get(record.kind)
    known = record.values if schema is None else schema.values  # a form may be withdrawn
    fresh = {name: value for name, value in change.values.items() if name in known}
    changed = {name for name, value in fresh.items() if created or before.get(name) != value}
    if not changed:
        return set()
    if not created:
        record.values = {**record.values, **fresh}
    version = record.version if created else record.version + 1
    rows: list[dict[str, object]] = [
        {
            "record_id": record.id,
            "version": version,
            "name": name,
            "before": {"value": before.get(name)},
            "after": {"value": fresh[name]},
            "side": scene.side,
            "cause": change.cause,
            "received_id": scene.received[0] if scene.received else None,
            "author": scene.author,
            "at": scene.now,
        }
        for name in sorted(changed)
        if before.get(name) is not None or fresh[name] is not None
    ]
    book(scene.session, _Past, _RANK, _write_history).rows += rows
    return changed


def _relate(
    scene: Scene, record: Record, relations: Mapping[str, UUID | None], *, created: bool
) -> set[str]:
    if not relations:
        return set()
    found = {} if created else views.relations_of(scene.session, [record.id])
    now_related = found.get(record.id, {})
    changed = {name for name, target in relations.items() if now_related.get(name) != target}
    gone = [name for name in changed if relations[name] is None]
    if gone:
        here = Relation.record_id == record.id, Relation.name.in_(gone)
        scene.session.execute(sa.delete(Relation).where(*here))
    told = [
        {"record_id": record.id, "name": name, "target_id": relations[name]}
        for name in sorted(changed.difference(gone))
    ]
    if told:
        scene.session.execute(_RELATE, told)
    return changed


def want_pairs(
    scene: Scene, record: Record, changed: Iterable[str], cause: Cause, *, whole: bool = False
) -> None:
    """Want the record's pairs brought up to date; `whole` says that more than named values moved."""
    names = frozenset(changed)
    mappings = [
        mapping
        for mapping in scene.catalog.by_kind.get(record.kind, ())
        if whole or concerns(mapping, names)
    ]
    if mappings:
        scene.session.flush()
        seen = views.view_of(scene.session, record)
        _want(scene, record, mappings, seen, pairs_of(scene.session, record.id), names, cause)


def _begin_pairs(scene: Scene, record: Record, change: Change) -> None:
    """Want the pairs of a record that was made just now: all that there is of it is known."""
    mappings = scene.catalog.by_kind.get(record.kind, ())
    if mappings:
        related = {name: target for name, target in change.relations.items() if target}
        seen = views.view_beside(scene.session, record, related)
        _want(scene, record, mappings, seen, {}, frozenset(), change.cause)


def _want(
    scene: Scene,
    record: Record,
    mappings: Sequence[CompiledMapping],
    seen: Values,
    pairs: Mapping[str, Pair],
    names: frozenset[str],
    cause: Cause,
) -> None:
    for mapping in mappings:
        pair, is_new = pairs.get(mapping.name), False
        if not _is_active(mapping, seen) or (pair is None and mapping.create == "salesforce"):
            continue
        if pair is None:
            if _is_erased(scene.session, record):
                continue
            pair, is_new = _new_pair(scene, record, mapping), True
        elif _joins_anew(pair, mapping, names) and not _is_erased(scene.session, record):
            pair, is_new = _new_pair(scene, record, mapping), True
        elif pair.id == scene.settling or pair.state is not PairState.OPEN:
            continue  # what the person let go of is not taken up again by some later change
        effects.link_pair(scene.session, scene.received, pair.id, record.version)
        outbox.want(scene.session, pair.id, mapping.lane, cause, is_new=is_new)


def _joins_anew(pair: Pair, mapping: CompiledMapping, changed: frozenset[str]) -> bool:
    """Whether the record let go of the row that it joined, and is led to another one now."""
    left = pair.state in (PairState.RELEASING, PairState.CLOSED)
    return left and mapping.row_of is not None and mapping.row_of.via in changed


def _is_erased(session: Session, record: Record) -> bool:
    """Whether nothing of the record is to reach the org any more."""
    person = session.get(Person, record.person_id) if record.person_id is not None else None
    return person is not None and person.erased_at is not None


def _is_active(mapping: CompiledMapping, seen: Values) -> bool:
    """Whether `when` holds; where it cannot be worked out, delivery parks the pair and says why."""
    try:
        return mapping.active(seen)
    except LineProblem:
        return True


def concerns(mapping: CompiledMapping, changed: frozenset[str]) -> bool:
    """Whether a mapping writes, or decides by, any of these values."""
    return bool(mapping.inputs & changed)


def pairs_of(session: Session, record: UUID) -> dict[str, Pair]:
    """The pair of a record under each mapping: the open one, else the newest that was."""
    here = sa.select(Pair).where(Pair.record_id == record)
    ordered = here.order_by(Pair.state == PairState.OPEN, Pair.created_at)
    return {pair.mapping: pair for pair in session.scalars(ordered)}


def make_pair(scene: Scene, record: Record, mapping: CompiledMapping) -> Pair:
    """Open a pair: its key is minted here, before any call (design rule 1)."""
    pair = _new_pair(scene, record, mapping)
    scene.session.flush()
    return pair


def _new_pair(scene: Scene, record: Record, mapping: CompiledMapping) -> Pair:
    pair = Pair(
        id=uuid7(),
        record_id=record.id,
        mapping=mapping.name,
        org_id=scene.org_id,
        object=mapping.object,
        key=str(uuid7()),
        joined=mapping.row_of is not None,
    )
    scene.session.add(pair)
    return pair


def _touch_followers(scene: Scene, record: Record, changed: set[str], cause: Cause) -> None:
    """Want the records whose mappings read a changed value of this one by dotted path."""
    for kind, relation in scene.catalog.followers.get(record.kind, ()):
        names = {f"{relation}.{name}" for name in changed}
        mappings = scene.catalog.by_kind.get(kind, ())
        if not any(mapping.inputs & names for mapping in mappings):
            continue
        here = (
            sa.select(Record)
            .join(Relation, Relation.record_id == Record.id)
            .where(Relation.target_id == record.id, Relation.name == relation, Record.kind == kind)
            .order_by(Record.id)
            .with_for_update(of=Record)
        )
        for follower in scene.session.scalars(here):
            follower.version += 1
            scene.session.flush()
            want_pairs(scene, follower, names, cause)


def _release(scene: Scene, record: Record) -> None:
    """The person let go: rows that carry our marks are cleared of them, then their pairs end."""
    for mapping in scene.catalog.by_kind.get(record.kind, ()):
        pair = pairs_of(scene.session, record.id).get(mapping.name)
        leaves = bool(mapping.marks) or mapping.row_of is not None
        if pair is None or not leaves or pair.state not in _STANDING:
            continue
        pair.state = PairState.RELEASING
        scene.session.flush()
        effects.link_pair(scene.session, scene.received, pair.id, record.version)
        outbox.want(scene.session, pair.id, Lane.URGENT, Cause.LIVE)
