"""Product registration: a person claims a unit by its code, and the first claim wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from connector.domain.changes import Change
from connector.domain.identifiers import uuid7
from connector.domain.records import Kind
from connector.domain.values import Value, moment
from connector.members import alarms, bound, codes, files
from connector.members.answers import Answers
from connector.members.limits import DAY, HOUR, LIMITS, Cap, Limits, require_room
from connector.members.refusals import FieldProblem, Refused
from connector.store.alerts import AlertKind
from connector.store.tables import CodeTry, Person, Record, Relation, Unit

TAIPEI = ZoneInfo("Asia/Taipei")
_FIRST_DAY = date(1990, 1, 1)
_LONGEST_SHOP = 80
_LONGEST_CODE = 200


@dataclass(frozen=True)
class Claimed:
    """A registration, and whether this request made it."""

    registration_id: UUID
    created: bool


def claim(
    session: Session,
    person: Person,
    form: Mapping[str, object],
    now: datetime,
    *,
    zone: tzinfo = TAIPEI,
    limits: Limits = LIMITS,
    address_hash: str | None = None,
) -> tuple[Claimed | Refused, list[Change]]:
    """Register the unit that bears the form's code; again by the same person changes nothing."""
    answers = Answers(form)
    typed = answers.text("code", _LONGEST_CODE)
    bought = answers.day("purchased_on", _FIRST_DAY, now.astimezone(zone).date())
    shop = answers.text("shop", _LONGEST_SHOP, required=False)
    answers.flag("from_chat")
    proof = files.chosen(session, person, answers, Kind.REGISTRATION, "proof")
    answers.check()
    require_room(session, _caps(person, address_hash, limits), now)
    code = codes.normalise(str(typed))
    unit = _take(session, person, code, now) if code else None
    if unit is None:
        taken = codes.unit_of(session, code) if code else None
        if taken is None:
            return _guessed(session, person, address_hash, now), []
        return _taken_before(session, person, taken), []
    registration_id = uuid7()
    files.attach(proof, registration_id, "proof")
    values = _values(unit, bought, shop)
    return Claimed(registration_id, created=True), [
        _registered(session, person, unit, registration_id, values)
    ]


def list_of(session: Session, person: Person) -> list[dict[str, Value]]:
    """The registrations of the person and of the member they are bound to, newest first."""
    product, at_product, at_member = aliased(Record), aliased(Relation), aliased(Relation)
    member_id = bound.member_of(session, person.id)
    query = (
        sa.select(Record, product)
        .outerjoin(at_product, (at_product.record_id == Record.id) & (at_product.name == "product"))
        .outerjoin(product, product.id == at_product.target_id)
        .outerjoin(at_member, (at_member.record_id == Record.id) & (at_member.name == "member"))
        .where(Record.kind == Kind.REGISTRATION)
        .where(_owned(person, at_member.target_id, member_id))
        .order_by(Record.id.desc())
    )
    return [_shown(record, of) for record, of in session.execute(query)]


def find(session: Session, person: Person, member_id: UUID, registration_id: UUID) -> Record | None:
    """A registration, if it is the person's or their member's."""
    at_member = aliased(Relation)
    query = (
        sa.select(Record)
        .outerjoin(at_member, (at_member.record_id == Record.id) & (at_member.name == "member"))
        .where(Record.id == registration_id, Record.kind == Kind.REGISTRATION)
        .where(_owned(person, at_member.target_id, member_id))
    )
    return session.scalar(query)


def _owned(person: Person, target: Any, member_id: UUID | None) -> sa.ColumnElement[bool]:
    mine = Record.person_id == person.id
    return mine if member_id is None else sa.or_(mine, target == member_id)


def _caps(person: Person, address_hash: str | None, limits: Limits) -> list[Cap]:
    """How many codes that do not exist may be typed, and how many units claimed."""
    guess, mine = CodeTry.at, [CodeTry.person_id == person.id]
    guessed = alarms.of_person(
        AlertKind.GUESSING, person.id, "typed many product codes that do not exist"
    )
    claimed = alarms.of_person(AlertKind.FLOODING, person.id, "registered very many products")
    everybody = alarms.of_all(AlertKind.GUESSING, "typed very many product codes that do not exist")
    caps = [
        Cap(guess, mine, limits.unknown_units_per_person_and_hour, HOUR, guessed),
        Cap(guess, mine, limits.unknown_units_per_person_and_day, DAY, guessed),
        Cap(guess, [], limits.unknown_units_per_day, DAY, everybody),
        Cap(
            Unit.claimed_at,
            [Unit.claimed_by == person.id],
            limits.registrations_per_person_and_day,
            DAY,
            claimed,
        ),
    ]
    if address_hash is not None:
        what = "many product codes that do not exist were typed"
        told = alarms.of_address(AlertKind.GUESSING, address_hash, what)
        there = [CodeTry.address_hash == address_hash]
        caps.append(Cap(guess, there, limits.unknown_units_per_address_and_day, DAY, told))
    return caps


def _guessed(session: Session, person: Person, address_hash: str | None, now: datetime) -> Refused:
    session.add(CodeTry(person_id=person.id, address_hash=address_hash, at=now))
    return Refused("unknown_code", [FieldProblem("code", "unknown_code")])


def _take(session: Session, person: Person, code: str, now: datetime) -> Unit | None:
    """Compare and set: of two people who claim at the same moment one finds the unit taken."""
    free = sa.update(Unit).where(Unit.code == code, Unit.claimed_by.is_(None))
    taken = free.values(claimed_by=person.id, claimed_at=now).returning(Unit)
    quiet = {"synchronize_session": False, "populate_existing": True}
    return session.scalar(taken, execution_options=quiet)


def _taken_before(session: Session, person: Person, unit: Unit) -> Claimed:
    mine = sa.select(Record.id).where(
        Record.person_id == person.id,
        Record.kind == Kind.REGISTRATION,
        Record.values["code"].astext == codes.shown(unit.code),
    )
    registration_id = session.scalar(mine) if unit.claimed_by == person.id else None
    if registration_id is None:
        raise Refused("code_claimed", [FieldProblem("code", "code_claimed")])
    return Claimed(registration_id, created=False)


def _values(unit: Unit, bought: date | None, shop: str | None) -> dict[str, Value]:
    return {
        "code": codes.shown(unit.code),
        "serial": unit.serial,
        "purchased_on": bought.isoformat() if bought else None,
        "shop": shop,
        "warranty_until": None,
    }


def _registered(
    session: Session, person: Person, unit: Unit, registration_id: UUID, values: dict[str, Value]
) -> Change:
    member_id = bound.member_of(session, person.id)
    relations: dict[str, UUID | None] = {"product": unit.product_id}
    if member_id is not None:
        relations["member"] = member_id
    return Change(registration_id, Kind.REGISTRATION, values, person.id, relations, is_new=True)


def _shown(record: Record, product: Record | None) -> dict[str, Value]:
    values, of = record.values, product.values if product else {}
    return {
        "registration_id": str(record.id),
        "code": values.get("code"),
        "product": {"sku": of.get("sku"), "name": of.get("name")},
        "serial": values.get("serial"),
        "purchased_on": values.get("purchased_on"),
        "shop": values.get("shop"),
        "warranty_until": values.get("warranty_until"),
        "created_at": moment(record.created_at),
    }
