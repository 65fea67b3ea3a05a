"""Tombstones: keyed hashes of what was erased, by which a late word of it is told from something new.

Whoever has the database alone cannot say whom they stand for; whoever brings the user id, or the
row, can ask whether it lies here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.members.challenge import keyed
from connector.store.tables import Person, Tombstone


class Remains(StrEnum):
    """What lies under a tombstone."""

    PERSON = "person"  # a LINE user id, within its provider
    ROW = "row"  # a Salesforce id
    KEY = "key"  # the key that the row carried


@dataclass(frozen=True)
class Tombstones:
    """Sets and finds tombstones; `secret_key` is the deployment's."""

    secret_key: str = field(repr=False)

    def of_person(self, session: Session, provider_id: str, user_id: str) -> datetime | None:
        """When this person was erased last, if ever."""
        return session.scalar(
            sa.select(Tombstone.erased_at).where(Tombstone.hash == self.name(provider_id, user_id))
        )

    def buried(self, session: Session, provider_id: str, user_id: str) -> list[Person]:
        """The people that were erased under this user id; each time was another person to us."""
        name = self.name(provider_id, user_id)
        here = sa.select(Person).where(
            Person.provider_id == provider_id,
            Person.erased_at.is_not(None),
            Person.line_user_id.startswith(name, autoescape=True),
        )
        return list(session.scalars(here.order_by(Person.id)))

    def lies_here(self, rows: Iterable[str], keys: Iterable[str]) -> sa.ColumnElement[bool]:
        """Whether one of these rows, or one with these keys, was erased."""
        hashes = [self._hash(Remains.ROW, row) for row in rows]
        hashes += [self._hash(Remains.KEY, key) for key in keys]
        return sa.exists().where(Tombstone.hash.in_(hashes))

    def name(self, provider_id: str, user_id: str) -> str:
        """What stands in the place of a user id."""
        return self._hash(Remains.PERSON, f"{provider_id}:{user_id}")

    def bury_person(self, session: Session, person: Person, at: datetime) -> None:
        """Put the hash in the place of the user id; who writes again later is somebody new."""
        name = self.name(person.provider_id, person.line_user_id)
        self._set(session, {name: Remains.PERSON}, at)
        person.line_user_id, person.language = f"{name}:{person.id}", None
        person.erased_at = at

    def bury_rows(
        self, session: Session, rows: Iterable[str], keys: Iterable[str], at: datetime
    ) -> None:
        """Set stones for rows of the org and for the keys they carry."""
        stones = {self._hash(Remains.ROW, row): Remains.ROW for row in rows}
        stones |= {self._hash(Remains.KEY, key): Remains.KEY for key in keys}
        self._set(session, stones, at)

    def _hash(self, kind: Remains, text: str) -> str:
        return keyed(self.secret_key, f"tombstone:{kind}:{text}")

    def _set(self, session: Session, stones: dict[str, Remains], at: datetime) -> None:
        if not stones:
            return
        rows = [{"hash": each, "kind": stones[each], "erased_at": at} for each in sorted(stones)]
        new = insert(Tombstone).values(rows)
        session.execute(
            new.on_conflict_do_update(
                index_elements=[Tombstone.hash], set_={"erased_at": new.excluded.erased_at}
            )
        )
