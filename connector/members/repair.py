"""Repair requests: what a member asks for, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from connector.domain.changes import Change
from connector.domain.identifiers import uuid7
from connector.domain.records import Kind
from connector.domain.values import Value, moment
from connector.members import alarms, bound, challenge, files, registration
from connector.members.answers import Answers, read_day
from connector.members.limits import DAY, LIMITS, Cap, Limits, require_room
from connector.members.refusals import FieldProblem, Refused
from connector.members.registration import TAIPEI
from connector.store.alerts import AlertKind
from connector.store.tables import Person, Record, Relation

URGENCIES = ("low", "normal", "high")
_SLOT = re.compile(r"(\d{4}-\d{2}-\d{2}) (AM|PM|EVENING)")
_MOST_SLOTS = 3


def ask(
    session: Session,
    person: Person,
    form: Mapping[str, object],
    now: datetime,
    *,
    zone: tzinfo = TAIPEI,
    regions: Sequence[str] = ("TW",),
    limits: Limits = LIMITS,
    secret_key: str | None = None,
) -> tuple[UUID, list[Change]]:
    """Ask for the repair of a registered unit, or of a product described in words."""
    member_id = bound.member_of(session, person.id)
    if member_id is None:
        raise Refused("binding_required")
    answers = Answers(form)
    values, unit = _read(answers, now.astimezone(zone).date(), regions)
    photos = files.chosen(session, person, answers, Kind.REPAIR_REQUEST, "photos")
    answers.check()
    if unit is not None and registration.find(session, person, member_id, unit) is None:
        problem = FieldProblem("registration_id", "unknown_registration")
        raise Refused("unknown_registration", [problem])
    require_room(session, [*_caps(person, values["contact_phone"], limits, secret_key)], now)
    repair_request_id = uuid7()
    files.attach(photos, repair_request_id, "photos")
    relations: dict[str, UUID | None] = {"member": member_id}
    if unit is not None:
        relations["registration"] = unit
    values |= {"status": "received", "created_at": moment(now)}
    change = Change(
        repair_request_id, Kind.REPAIR_REQUEST, values, person.id, relations, is_new=True
    )
    return repair_request_id, [change]


def _caps(person: Person, phone: object, limits: Limits, secret_key: str | None) -> Iterator[Cap]:
    """How many repairs one person may ask for, and when it is told that one number is named very often."""
    kind, at = Record.kind == Kind.REPAIR_REQUEST, Record.created_at
    told = alarms.of_person(AlertKind.FLOODING, person.id, "asked for very many repairs in a day")
    mine = [Record.person_id == person.id, kind]
    yield Cap(at, mine, limits.repairs_per_person_and_day, DAY, told)
    if secret_key is not None:
        named = [Record.values["contact_phone"].as_string() == str(phone), kind]
        hashed = challenge.keyed(secret_key, f"phone:{phone}")
        what = "very many repairs were asked for in a day"
        alarm = alarms.of_phone(AlertKind.FLOODING, hashed, what)
        # nobody is refused for what others say of a number
        yield Cap(at, named, limits.repairs_per_phone_and_day, DAY, alarm, refuses=False)


def list_of(session: Session, person: Person) -> list[dict[str, Value]]:
    """The repair requests of the member that the person is bound to, newest first."""
    member_id = bound.member_of(session, person.id)
    if member_id is None:
        return []
    at_unit, at_member = aliased(Relation), aliased(Relation)
    query = (
        sa.select(Record, at_unit.target_id)
        .join(at_member, (at_member.record_id == Record.id) & (at_member.name == "member"))
        .outerjoin(at_unit, (at_unit.record_id == Record.id) & (at_unit.name == "registration"))
        .where(Record.kind == Kind.REPAIR_REQUEST, at_member.target_id == member_id)
        .order_by(Record.id.desc())
    )
    return [_shown(record, unit) for record, unit in session.execute(query)]


def _read(
    answers: Answers, today: date, regions: Sequence[str]
) -> tuple[dict[str, Value], UUID | None]:
    unit, product = _what(answers)
    values: dict[str, Value] = {
        "product_text": product,
        "symptom": answers.text("symptom", 255),
        "description": answers.text("description", 2000, required=False),
        "address": answers.text("address", 255),
        "slots": _slots(answers, today),
        "contact_phone": answers.phone("contact_phone", regions),
        "urgency": answers.choice("urgency", URGENCIES, "normal"),
    }
    answers.flag("from_chat")
    return values, unit


def _what(answers: Answers) -> tuple[UUID | None, str | None]:
    given = answers.given("registration_id")
    if given is None or given == "":
        return None, answers.text("product", 255)
    try:
        return UUID(str(given)), None
    except ValueError:
        problem = FieldProblem("registration_id", "unknown_registration")
        raise Refused("unknown_registration", [problem]) from None


def _slots(answers: Answers, today: date) -> list[Value]:
    given = answers.given("slots")
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST_SLOTS:
        answers.wrong("slots", "slots")
        return []
    days = [day_of(slot) for slot in given]
    if None in days or len(set(map(str, given))) < len(given):
        answers.wrong("slots", "slots")
    elif any(day < today for day in days if day is not None):
        answers.wrong("slots", "slots_past")
    return sorted(map(str, given))  # type: ignore[return-value]


def day_of(slot: object) -> date | None:
    """The day of a time slot, `YYYY-MM-DD AM|PM|EVENING`; None where it is none."""
    parts = _SLOT.fullmatch(slot) if isinstance(slot, str) else None
    return read_day(parts[1]) if parts else None


def _shown(record: Record, unit: UUID | None) -> dict[str, Value]:
    values = record.values
    return {
        "repair_request_id": str(record.id),
        "registration_id": str(unit) if unit else None,
        "symptom": values.get("symptom"),
        "status": values.get("status") or "received",
        "case_number": values.get("case_number"),
        "visit_at": values.get("visit_at"),
        "created_at": values.get("created_at") or moment(record.created_at),
        "updated_at": moment(record.updated_at),
    }
