"""Answers to the forms that admins write: read as the form asks, and kept as a record of its kind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.identifiers import uuid7
from connector.domain.values import Value, moment
from connector.mapping.documents.formdocument import Answer, FieldSpec, Requires
from connector.mapping.documents.forms import CREATED, CompiledForm
from connector.members import alarms, bound, consents, friendship
from connector.members.answers import Answers, read_day
from connector.members.limits import DAY, LIMITS, Cap, Limits, require_room
from connector.members.refusals import FieldProblem, Refused
from connector.store.alerts import AlertKind
from connector.store.tables import Person, Record

_BIGGEST = 10**15  # a number up to here is held exactly


def send(
    session: Session,
    person: Person,
    oa: str,
    form: CompiledForm,
    sent: Mapping[str, object],
    now: datetime,
    *,
    evidence: Mapping[str, Value],
    regions: Sequence[str] = ("TW",),
    limits: Limits = LIMITS,
) -> tuple[UUID, list[Change]]:
    """Keep what a person answered, and the consent they gave with it."""
    member_id = bound.member_of(session, person.id)
    if member_id is None and form.document.requires is Requires.MEMBER:
        raise Refused("binding_required")
    values, agreed = _read(session, person, form, sent, regions)
    _require_room(session, person, form.kind, now, limits)
    given = [
        change
        for one in agreed
        for change in consents.give(
            session, person, str(one["purpose"]), str(one["version"]), True, now, evidence
        )
    ]
    friends = {friend.oa: friend.id for friend in friendship.of(session, person.id)}
    relations = {"person": friends.get(oa), "member": member_id}
    answered = {**values, CREATED: moment(now)}
    record_id = uuid7()
    return record_id, [
        *given,
        Change(record_id, form.kind, answered, person.id, relations, is_new=True),
    ]


def kept(form: CompiledForm, sent: Mapping[str, object]) -> dict[str, object]:
    """What of a request is kept: the answers that the form asks for, and where it came from."""
    answers = sent.get("answers")
    asked = {field.name for field in form.document.fields}
    found = answers.items() if isinstance(answers, dict) else ()
    known: dict[str, object] = {"answers": {name: each for name, each in found if name in asked}}
    return known | {name: sent[name] for name in ("consents", "from_chat") if name in sent}


def _read(
    session: Session,
    person: Person,
    form: CompiledForm,
    sent: Mapping[str, object],
    regions: Sequence[str],
) -> tuple[dict[str, Value], list[dict[str, Value]]]:
    """The answers and consents, or a refusal with all that is wrong."""
    around, given = Answers(sent), sent.get("answers")
    answers = Answers(given if isinstance(given, dict) else {})
    values = {field.name: _answer(answers, field, regions) for field in form.document.fields}
    agreed = consents.read(around) or []
    around.flag("from_chat")
    # What an admin asks may be called like a question of ours, whose sentences would not fit.
    wrong = [*(replace(each, plain=True) for each in answers.problems), *around.problems]
    if form.document.requires is Requires.FRIEND and not _agrees(session, person, agreed):
        lack = FieldProblem("consents", "consent_required")
        raise Refused("invalid" if wrong else "consent_required", [*wrong, lack])
    if wrong:
        raise Refused("invalid", wrong)
    return values, agreed


def _agrees(session: Session, person: Person, agreed: Sequence[Mapping[str, Value]]) -> bool:
    if any(one["purpose"] == consents.REQUIRED for one in agreed):
        return True
    return consents.values_of(session, person.id)[f"consents.{consents.REQUIRED}"] is True


def _require_room(
    session: Session, person: Person, kind: str, now: datetime, limits: Limits
) -> None:
    mine = [Record.person_id == person.id, Record.kind == kind]
    told = alarms.of_person(AlertKind.FLOODING, person.id, "sent one form very often in a day")
    cap = Cap(Record.created_at, mine, limits.answers_per_form_person_and_day, DAY, told)
    require_room(session, [cap], now)


def _answer(answers: Answers, field: FieldSpec, regions: Sequence[str]) -> Value:
    """One answer as records hold it."""
    given = answers.given(field.name)
    if field.type is Answer.BOOLEAN:
        ticked = answers.flag(field.name)
        if field.required and given in (None, False):
            answers.wrong(field.name, "required")
        return ticked
    if given in (None, []) or (isinstance(given, str) and not given.strip()):
        if field.required:
            answers.wrong(field.name, "required")
        return [] if field.type is Answer.CHOICES else None
    return _given(answers, field, given, regions)


def _given(answers: Answers, field: FieldSpec, given: object, regions: Sequence[str]) -> Value:
    match field.type:
        case Answer.PHONE:
            return answers.phone(field.name, regions)
        case Answer.EMAIL:
            return answers.email(field.name)
        case Answer.DATE:
            return _day(answers, field.name)
        case Answer.NUMBER:
            return _number(answers, field.name, given)
        case Answer.CHOICE:
            return answers.choice(field.name, field.chosen_from, "")
        case Answer.CHOICES:
            return _choices(answers, field, given)
        case _:
            return answers.text(field.name, field.longest)


def _day(answers: Answers, name: str) -> str | None:
    text = answers.text(name, 10)
    if text is not None and read_day(text) is None:
        answers.wrong(name, "date")
    return text


def _number(answers: Answers, name: str, given: object) -> Value:
    number = given if isinstance(given, int | float) and not isinstance(given, bool) else math.nan
    if not abs(number) <= _BIGGEST:
        answers.wrong(name, "number")
        return None
    return int(number) if number == int(number) else number


def _choices(answers: Answers, field: FieldSpec, given: object) -> list[Value]:
    chosen = given if isinstance(given, list) else []
    names = sorted({name for name in field.chosen_from if name in chosen})
    if not chosen or len(names) < len(chosen):
        answers.wrong(field.name, "choice")
    return [*names]
