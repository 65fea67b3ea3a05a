"""People, and members.* called as intake calls it: act, then apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.domain.values import Value
from connector.members import binding, codes, friendship, people
from connector.members.binding import Begun
from connector.members.refusals import Refused
from connector.store.tables import Person, Record, Relation, Unit
from tests.conftest import Clock
from tests.undocumented import apply

OA = "U" + "0" * 32
SECRET = "a key of the tests"
BOUND = {
    "name": "王小明",
    "phone": "0912-345-678",
    "consents": [{"purpose": "service", "version": "1"}],
}


@dataclass
class Town:
    """Where the tests' people live."""

    session: Session
    clock: Clock

    def person(self, name: str = "ann") -> Person:
        """A person, made at the first call."""
        return people.find_or_make(self.session, "1", name, self.clock())

    def friend(self, name: str = "ann") -> Person:
        """A person who follows the official account."""
        person = self.person(name)
        self.apply(friendship.befriend(self.session, person, OA, self.clock()))
        return person

    def member(self, name: str = "ann", **form: object) -> Person:
        """A person who follows and is bound."""
        person = self.friend(name)
        begun = self.begin(person, **form)
        self.confirm(person, begun)
        return person

    def begin(self, person: Person, address: str = "203.0.113.7", **form: object) -> Begun:
        """Ask for a one-time code."""
        whole = {**BOUND, **form}
        return binding.begin(self.session, person, whole, address, self.clock(), SECRET)

    def confirm(self, person: Person, begun: Begun, code: str | None = None) -> UUID | Refused:
        """Give the code, or another one."""
        given = begun.code if code is None else code
        found, changes = binding.confirm(
            self.session, person, begun.challenge_id, given, self.clock(), SECRET
        )
        self.apply(changes)
        return found

    def unit(self, serial: str | None = None) -> Unit:
        """A unit of a product."""
        product = self.session.scalar(sa.select(Record).where(Record.kind == "product"))
        if product is None:
            values: dict[str, Value] = {"sku": "AC-100", "name": "Air", "warranty_months": 24}
            product = Record(id=uuid7(), kind="product", values=values)
            self.session.add(product)
            self.session.flush()
        one = {"serials": [serial]} if serial else {"count": 1}
        return codes.make_units(self.session, product, **one)[0]  # type: ignore[arg-type]

    def apply(self, changes: list[Any]) -> None:
        """Apply changes, as intake does in the same transaction."""
        apply(self.session, changes, self.clock())

    def values(self, kind: str) -> Mapping[str, Value]:
        """The values of the only record of a kind."""
        return self.record(kind).values

    def record(self, kind: str) -> Record:
        """The only record of a kind."""
        return self.session.scalars(sa.select(Record).where(Record.kind == kind)).one()

    def related(self, record_id: UUID) -> dict[str, UUID]:
        """What a record names."""
        rows = self.session.scalars(sa.select(Relation).where(Relation.record_id == record_id))
        return {row.name: row.target_id for row in rows}


@pytest.fixture
def town(session: Session, clock: Clock) -> Town:
    """A town in a transaction that is rolled back."""
    return Town(session, clock)


@dataclass(frozen=True)
class Face:
    """A profile as LINE tells it."""

    display_name: str
    language: str | None = None
