"""What sync left behind since a place: the records that changed, and those whose rows were written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from connector.store.tables import Attempt, History, Pair, Relation

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Place = tuple[int, int]


@dataclass(frozen=True)
class Trail:
    """Some records, up to which places they were gathered, and whether there are more."""

    records: Sequence[UUID]
    end: Place
    full: bool


@dataclass(frozen=True)
class Footprints:
    """What lies behind a place of the history, and of the tries."""

    session: Session
    place: Place

    @property
    def end(self) -> Place:
        """The newest place of both."""
        newest = sa.select(
            sa.select(sa.func.max(History.id)).scalar_subquery(),
            sa.select(sa.func.max(Attempt.id)).scalar_subquery(),
        )
        history, attempts = self.session.execute(newest).one()
        return history or 0, attempts or 0

    def page(self, upto: datetime, most: int, followed: Collection[str]) -> Trail:
        """The next records that changed, or were written, up to a moment.

        With some of those that name them by one of the relations: a product may have any number.
        """
        changes = sa.select(History.id, History.at, History.record_id)
        tries = sa.select(Attempt.id, Attempt.at, Pair.record_id).join(
            Pair, Pair.id == Attempt.pair_id
        )
        pages = [
            self.session.execute(each.where(key > place).order_by(key).limit(most)).all()
            for each, key, place in zip(
                (changes, tries), (History.id, Attempt.id), self.place, strict=True
            )
        ]
        taken = [list(takewhile(lambda row: row.at <= upto, page)) for page in pages]
        ends = [page[-1].id if page else at for page, at in zip(taken, self.place, strict=True)]
        full = any(len(page) == most for page in taken)
        records = dict.fromkeys(row.record_id for page in taken for row in page)
        if records and followed:
            named = Relation.target_id.in_(list(records)) & Relation.name.in_(followed)
            here = sa.select(Relation.record_id).where(named).limit(most)
            records |= dict.fromkeys(self.session.scalars(here))
        return Trail(list(records), (ends[0], ends[1]), full)


def trail(session: Session, place: Place = (0, 0)) -> Footprints:
    """What lies behind a place."""
    return Footprints(session, place)
