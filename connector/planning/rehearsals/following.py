"""Rehearsals: documents run in the shadow of the live ones on all that happens, and nothing is written.

What happened is read from what sync leaves behind anyway (the history of records, the tries of pairs), so
the way of the data is not touched. Both mappings are asked about each record, and where they differ is
counted, with the ids of some records to look at; their values are worked out again when somebody looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import sqlalchemy as sa

from connector.domain.states import PairState
from connector.errors import ConnectorError
from connector.mapping.loader import load, load_strictly
from connector.planning.rehearsals.contrasts import Difference, contrast
from connector.planning.rehearsals.trail import Trail, trail
from connector.store.tables import Contrast, Contrasted, Pair, Record, Rehearsal
from connector.sync import views
from connector.sync.catalog import cached_schemas
from connector.sync.live.publishing import fetch_schemas, keep_schemas, live_texts

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from connector.domain.values import Value
    from connector.mapping.parts.compiled import CompiledMapping
    from connector.salesforce.gateway import Gateway
    from connector.store.session import Store
    from connector.sync.catalog import Catalogs

PAGE = 500
EXAMPLES = 5
TIME_WAS_UP = "the time was up"
_TURN = 20.0
# A transaction that began before may still commit a row with a lower number.
_LAG = timedelta(seconds=30)

Both: TypeAlias = "tuple[CompiledMapping | None, CompiledMapping | None]"
_Place: TypeAlias = "tuple[str, str, bool, Contrast]"


class NothingToRehearse(ConnectorError):
    """The documents are what is live."""

    def __init__(self) -> None:
        super().__init__(
            "nothing_to_rehearse",
            "no mapping of these documents differs from what is live",
            "Edit a mapping first; connector mappings diff shows what differs.",
        )


class NoRehearsal(ConnectorError):
    """None is known by that number, or none is open."""

    def __init__(self, number: int | None) -> None:
        which = "no rehearsal is open" if number is None else f"there is no rehearsal {number}"
        super().__init__(
            "no_rehearsal", which, "See them all with: connector mappings rehearse list"
        )


def begin(
    store: Store,
    gateway: Gateway,
    texts: Mapping[str, str],
    lasting: timedelta,
    author: str,
    reason: str,
) -> Rehearsal:
    """Rehearse documents for a while, from now on, after checking them against the org."""
    schemas = fetch_schemas(gateway, load(texts))
    load_strictly(texts, schemas)
    with store.transaction() as session:
        if not _edited(live_texts(session), texts):
            raise NothingToRehearse
        keep_schemas(session, schemas)
        now = datetime.now(UTC)
        row = Rehearsal(
            texts=dict(texts), author=author, reason=reason, begun_at=now, until=now + lasting
        )
        row.history_place, row.attempt_place = trail(session).end
        session.add(row)
    return row


def end(store: Store, author: str, number: int | None = None) -> Rehearsal:
    """End a rehearsal before its time, the newest open one by default."""
    with store.transaction() as session:
        row = find(session, number, still_open=True)
        row.ended_at, row.ended_by = datetime.now(UTC), author
    return row


def find(session: Session, number: int | None = None, *, still_open: bool = False) -> Rehearsal:
    """A rehearsal by its number, the newest one by default."""
    here = sa.select(Rehearsal).order_by(Rehearsal.id.desc()).limit(1)
    if number is not None:
        here = here.where(Rehearsal.id == number)
    if still_open:
        here = here.where(Rehearsal.ended_at.is_(None))
    row = session.scalars(here.with_for_update() if still_open else here).one_or_none()
    if row is None:
        raise NoRehearsal(number)
    return row


def listed(session: Session) -> Sequence[Rehearsal]:
    """All that are kept, newest first."""
    return session.scalars(sa.select(Rehearsal).order_by(Rehearsal.id.desc())).all()


def turn(
    store: Store,
    catalogs: Catalogs,
    lag: timedelta = _LAG,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Follow every open rehearsal up to some seconds ago; says how many records were looked at."""
    with store.reading() as session:
        open_ = session.scalars(sa.select(Rehearsal.id).where(Rehearsal.ended_at.is_(None))).all()
    until, seen = time.monotonic() + _TURN, 0
    for number in open_:
        follower = _Follower(store, catalogs, number, clock() - lag)
        while time.monotonic() < until and follower.step():
            pass
        seen += follower.seen
    return seen


@dataclass
class _Follower:
    """Brings one rehearsal up to a moment, a page at a time."""

    store: Store
    catalogs: Catalogs
    number: int
    horizon: datetime
    seen: int = 0
    _draft: Mapping[str, CompiledMapping] | None = field(default=None, init=False)

    def step(self) -> bool:
        """Look at one page; says whether there may be more."""
        with self.store.reading() as session:
            row = session.get_one(Rehearsal, self.number)
            upto = min(self.horizon, row.until)
            mappings = self._mappings(session, row)
            behind = trail(session, (row.history_place, row.attempt_place))
            page = behind.page(upto, PAGE, _followed(mappings))
            found = differences(session, mappings, page.records)
        self.seen += len(page.records)
        return self._note((row.history_place, row.attempt_place), page, upto, found)

    def _mappings(self, session: Session, row: Rehearsal) -> Mapping[str, Both]:
        texts = {str(path): str(text) for path, text in row.texts.items()}
        if self._draft is None:
            self._draft = load(texts, cached_schemas(session)).mappings
        return edited(self.catalogs.live(session).mappings, self._draft, live_texts(session), texts)

    def _note(
        self,
        place: tuple[int, int],
        page: Trail,
        upto: datetime,
        found: Sequence[tuple[str, UUID, Difference]],
    ) -> bool:
        """Count what was found, unless another worker has been here meanwhile."""
        with self.store.transaction() as session:
            row = session.get_one(Rehearsal, self.number, with_for_update=True)
            if row.ended_at is not None or (row.history_place, row.attempt_place) != place:
                return False
            _count(session, row, found, self.horizon)
            row.history_place, row.attempt_place = page.end
            row.seen += len(page.records)
            if not page.full:
                row.through = upto
                if self.horizon >= row.until:
                    row.ended_at, row.ended_by = row.until, TIME_WAS_UP
        return page.full


def edited(
    live: Mapping[str, CompiledMapping],
    draft: Mapping[str, CompiledMapping],
    live_documents: Mapping[str, str],
    draft_documents: Mapping[str, str],
) -> Mapping[str, Both]:
    """The mappings whose documents differ, live beside draft."""
    names = _edited(live_documents, draft_documents)
    return {name: (live.get(name), draft.get(name)) for name in names if name in {*live, *draft}}


def differences(
    session: Session, mappings: Mapping[str, Both], records: Sequence[UUID]
) -> list[tuple[str, UUID, Difference]]:
    """Where the mappings differ about these records."""
    kinds = {each.kind for both in mappings.values() for each in both if each is not None}
    here = sa.select(Record).where(Record.id.in_(records), Record.kind.in_(kinds))
    rows = session.scalars(here).all() if records else ()
    seen, bases = views.views_of(session, rows), _bases(session, [row.id for row in rows])
    return [
        (name, row.id, found)
        for row in rows
        for name, (live, draft) in mappings.items()
        if row.kind in {each.kind for each in (live, draft) if each is not None}
        for found in contrast(live, draft, seen[row.id], bases.get((row.id, name), {}))
    ]


def _bases(
    session: Session, records: Sequence[UUID]
) -> Mapping[tuple[UUID, str], dict[str, Value]]:
    here = sa.select(Pair.record_id, Pair.mapping, Pair.base)
    open_ = here.where(Pair.record_id.in_(records), Pair.state == PairState.OPEN)
    return {(row.record_id, row.mapping): row.base for row in session.execute(open_)}


def _count(
    session: Session,
    row: Rehearsal,
    found: Sequence[tuple[str, UUID, Difference]],
    at: datetime,
) -> None:
    here = sa.select(Contrasted).where(Contrasted.rehearsal_id == row.id)
    known: dict[_Place, Contrasted] = {
        (each.mapping, each.line, each.inbound, each.kind): each for each in session.scalars(here)
    }
    for name, record, each in found:
        place = (name, each.line, each.inbound, each.kind)
        if place not in known:
            told = dict(zip(("mapping", "line", "inbound", "kind"), place, strict=True))
            known[place] = Contrasted(rehearsal_id=row.id, times=0, examples=[], last_at=at, **told)
            session.add(known[place])
        counted = known[place]
        counted.times, counted.last_at = counted.times + 1, at
        others = [other for other in counted.examples if other != str(record)]
        counted.examples = [*others, str(record)][-EXAMPLES:]  # the newest ones


def _followed(mappings: Mapping[str, Both]) -> set[str]:
    """The relations through which a record's mapping reads the values of another one."""
    known = (each for both in mappings.values() for each in both if each is not None)
    return {name for mapping in known for name in mapping.dotted_relations}


def _edited(live: Mapping[str, str], draft: Mapping[str, str]) -> list[str]:
    """The names of documents that differ; of those that are no mapping nothing is rehearsed."""
    paths = {*live, *draft}
    return sorted(
        path.removesuffix(".yaml")
        for path in paths
        if live.get(path) != draft.get(path) and "/" not in path
    )
