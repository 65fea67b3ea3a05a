"""Child rows: what they hold is read together with the row they name, and a change of one has that row read.

An event may say only what changed of a child, so which row it names is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from connector.domain.lines import Cause, Lane
from connector.domain.states import PairState
from connector.domain.values import Value
from connector.mapping.canonical import long_id
from connector.mapping.parts.children import Child
from connector.salesforce import soql
from connector.salesforce.steps import Query, Rows
from connector.store.tables import ChildRow, Pair, Received, Record
from connector.sync import effects, outbox, windows
from connector.sync.changes import Scene
from connector.sync.pairs.jobs import Job
from connector.sync.pairs.sightings import Sighting

Question = tuple[Query, Callable[[Rows], None], Sequence[Job]]

_IDS = 500


def questions(jobs: Sequence[Job]) -> Iterator[Question]:
    """What to ask for the children of these jobs' rows: one query for each child of up to 500 rows."""
    groups: dict[tuple[str, Child], list[Job]] = {}
    for job in jobs:
        for child in job.mapping.children:
            groups.setdefault((job.mapping.name, child), []).append(job)
    for number, ((_, child), group) in enumerate(groups.items()):
        for at in range(0, len(group), _IDS):
            some = group[at : at + _IDS]
            ids = [str(job.salesforce_id) for job in some]
            yield Query(f"c{number}x{at}", query(child, ids)), partial(_take, child, some), some


def query(child: Child, ids: Sequence[str]) -> str:
    """What to ask for the child rows of these rows, the one that counts first."""
    named = soql.in_list(child.by, ids)
    wanted = (soql.any_of(field, values) for field, values in child.where)
    text = soql.select(
        ("Id", child.by, *child.fields), child.object, " AND ".join((named, *wanted))
    )
    order = f"{soql.name(child.order)} {'DESC' if child.descending else 'ASC'} NULLS LAST"
    return f"{text} ORDER BY {order}, Id"


def _take(child: Child, jobs: Sequence[Job], rows: Rows) -> None:
    """Put the fields of the first child beside those of its row; blank ones where there is none."""
    first: dict[str, dict[str, Value]] = {}
    for row in rows.found:
        first.setdefault(long_id(str(row[child.by])), row)
    for job in jobs:
        found = first.get(long_id(str(job.salesforce_id)), {})
        held = {child.seen_as(name): found.get(name) for name in child.fields}
        job.row = {**(job.row or {}), **held}


def touch(scene: Scene, row: Received, seen: Sighting) -> bool:
    """Have the rows read anew that a child row names, or named until now; says whether there are any."""
    followed = scene.catalog.children.get(row.kind, ())
    wanted = [(mapping, child) for mapping, child in followed if _says_something(child, seen)]
    if not wanted:
        return False
    known = scene.session.get(ChildRow, seen.row_id, populate_existing=True)
    told = [seen.fields.get(child.by) for _, child in wanted]
    named = {long_id(str(each)) for each in told if each}
    if not named and known is None:
        if not seen.whole:  # whose it is, is not told: the poll says it
            windows.reread(scene.session, [row.kind], seen.at)
        return False
    pairs = _pairs(scene, [mapping for mapping, _ in wanted], named, known)
    for pair in pairs:
        _want(scene, row, pair)
    _remember(scene, seen, known, {str(pair.salesforce_id) for pair in pairs} & named)
    return bool(pairs)


def _says_something(child: Child, seen: Sighting) -> bool:
    """Whether a field of it that matters was told, or that it came, went, or changed in unknown ways."""
    if seen.whole or seen.unsaid or seen.deleted:
        return True
    return any(name in seen.fields for name in child.told_fields)


def _pairs(
    scene: Scene, mappings: Sequence[str], named: set[str], known: ChildRow | None
) -> list[Pair]:
    rows = named | ({known.parent_id} if known is not None else set())
    here = sa.select(Pair).where(
        Pair.salesforce_id.in_(rows),
        Pair.mapping.in_(mappings),
        Pair.state == PairState.OPEN,
        ~Pair.adopted,
    )
    return list(scene.session.scalars(here.order_by(Pair.id)))


def _want(scene: Scene, row: Received, pair: Pair) -> None:
    """Locks: record, pair."""
    session = scene.session
    locked = sa.select(Record).where(Record.id == pair.record_id).with_for_update()
    record = session.scalars(locked.execution_options(populate_existing=True)).one()
    session.refresh(pair, with_for_update=True)
    mapping = scene.catalog.mappings.get(pair.mapping)
    if mapping is None or pair.erasing or pair.state is not PairState.OPEN:
        return
    row.person_id = record.person_id
    lane = mapping.lane if row.cause is Cause.LIVE else Lane.BULK
    effects.link_pair(session, scene.received, pair.id, record.version)
    outbox.want(session, pair.id, lane, row.cause, recheck=True)


def _remember(scene: Scene, seen: Sighting, known: ChildRow | None, named: set[str]) -> None:
    """Keep which row of ours the child names; of one that is gone, or names none of ours, nothing."""
    parent = next(iter(named), None)
    gone = seen.deleted or seen.fields.get("IsDeleted") is True
    if known is not None and (gone or (parent is None and seen.whole)):
        scene.session.delete(known)
    elif parent is not None and not gone:
        row = insert(ChildRow).values(salesforce_id=seen.row_id, parent_id=parent)
        moved = {"parent_id": row.excluded.parent_id}
        scene.session.execute(
            row.on_conflict_do_update(index_elements=["salesforce_id"], set_=moved)
        )
