"""Forget what has served its time, a page at a time and without getting in anybody's way.

Each step is a short transaction that takes only rows nobody else has locked, and notes how far it
came; a turn ends after some seconds and the next goes on there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.members import expiry
from connector.store.alerts import AlertKind, close_quiet
from connector.store.session import Store
from connector.store.tables import Pruning
from connector.sync.privacy.ageing import Ages, Shelf, shelves

PAGE = 1000
_TURN = timedelta(seconds=15)
_SOON = timedelta(minutes=1)
_QUIET_FOR = timedelta(days=1)  # then an alarm of the limits is over


@dataclass(frozen=True)
class Retention:
    """Prunes one database."""

    store: Store
    ages: Ages = field(default_factory=Ages)
    page: int = PAGE
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def turn(self) -> Mapping[str, int]:
        """Work through every class until all is done or the turn is over; says what went of each."""
        until = time.monotonic() + _TURN.total_seconds()
        gone: Counter[str] = Counter()
        left = self._begin()
        while left and time.monotonic() < until:
            left = [shelf for shelf in left if self._step(shelf, gone)]
        with self.store.transaction() as session:
            gone["kept for a day"] = expiry.clear(session, self.clock())
            for kind in (AlertKind.GUESSING, AlertKind.FLOODING, AlertKind.UNFORESEEN):
                close_quiet(session, kind, self.clock() - _QUIET_FOR)
        return +gone

    def _begin(self) -> Sequence[Shelf]:
        known = shelves(self.ages, self.clock())
        names = [{"name": shelf.name, "due": self.clock()} for shelf in known]
        with self.store.transaction() as session:
            session.execute(insert(Pruning).values(names).on_conflict_do_nothing())
        return known

    def _step(self, shelf: Shelf, gone: Counter[str]) -> bool:
        """Take one page of a class; says whether there may be more."""
        with self.store.transaction() as session:
            mine = sa.select(Pruning).where(Pruning.name == shelf.name, Pruning.due <= self.clock())
            # One at a time goes through a class; another worker takes the next one.
            place = session.scalars(mine.with_for_update(skip_locked=True)).one_or_none()
            if place is None:
                return False
            page = self._page(session, shelf, place.place)
            ripe = [row.key for row in page if row.is_old and row.is_ripe]
            gone[shelf.name] += _end(session, shelf, ripe)
            return self._move_on(shelf, place, page)

    def _move_on(self, shelf: Shelf, place: Pruning, page: Sequence[Any]) -> bool:
        """Note where to go on, and when; says whether that is at once."""
        past = list(takewhile(lambda row: row.is_old, page))
        if len(page) == self.page and (len(past) == len(page) or (shelf.again and _any_old(page))):
            place.place = str(page[-1].key)
            return True
        place.due = self.clock() + (shelf.again or _SOON)
        if shelf.again:
            place.place = None
        elif past:
            place.place = str(past[-1].key)
        return False

    def _page(self, session: Session, shelf: Shelf, place: str | None) -> Sequence[Any]:
        here = sa.select(
            shelf.key.label("key"),
            (shelf.moment < shelf.before).label("is_old"),
            shelf.ripe.label("is_ripe"),
        )
        if place is not None:
            here = here.where(shelf.key > shelf.key.type.python_type(place))
        return session.execute(here.order_by(shelf.key).limit(self.page)).all()


def _any_old(page: Sequence[Any]) -> bool:
    """Moments rise with keys, but not strictly: a walk ends at a page that is young throughout."""
    return any(row.is_old for row in page)


def _end(session: Session, shelf: Shelf, ids: Sequence[Any]) -> int:
    """End those of the rows that are still ripe and that nobody has locked."""
    if not ids:
        return 0
    here = sa.select(shelf.key).where(shelf.key.in_(ids), shelf.ripe).order_by(shelf.key)
    free = session.scalars(here.with_for_update(skip_locked=True, of=shelf.key.class_)).all()
    if free:
        shelf.end(session, free)
    return len(free)
