"""Binding: a code sent to a phone, and confirmed, ties a person to a new member.

Two rules are easily broken here: the answer never tells whether a phone is known, and a
wrong code is counted although it is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.identifiers import uuid7
from connector.domain.phones import masked
from connector.domain.records import Kind
from connector.domain.states import ChallengeState
from connector.domain.values import Value, moment
from connector.members import alarms, bound, challenge, consents, friendship
from connector.members.answers import Answers
from connector.members.limits import DAY, LIMITS, Cap, Limits, require_room
from connector.members.refusals import FieldProblem, Refused
from connector.store.alerts import AlertKind
from connector.store.tables import Binding, Challenge, Member, Person, Record, Relation

_LONGEST_NAME = 80
_SMS: Mapping[str, str] = {
    "zh-TW": "驗證碼 {code}，5 分鐘內有效。請勿告訴他人，我們不會主動索取。",
    "en": "Verification code {code}. Valid for five minutes. Never share it.",
    "ja": "認証コード {code}（5分間有効）。他の人には教えないでください。",
}


@dataclass(frozen=True)
class Begun:
    """A code that is to be sent to `phone` once the transaction has committed."""

    challenge_id: UUID
    code: str = field(repr=False)
    phone: str = field(repr=False)
    expires_in: int
    resend_in: int
    sent_to: str


def begin(
    session: Session,
    person: Person,
    form: Mapping[str, object],
    address: str,
    now: datetime,
    secret_key: str,
    *,
    regions: Sequence[str] = ("TW",),
    limits: Limits = LIMITS,
) -> Begun:
    """Check the form and make a one-time code for its phone."""
    if bound.open_binding(session, person.id) is not None:
        raise Refused("already_bound")
    phone, answers = _read(form, regions)
    challenge.require_sends_left(session, person, phone, address, now, secret_key, limits)
    sent = challenge.make(session, person, phone, address, answers, now, secret_key)
    return Begun(
        challenge_id=sent.row.id,
        code=sent.code,
        phone=phone,
        expires_in=int(challenge.GOOD_FOR.total_seconds()),
        resend_in=int(challenge.RESEND_AFTER.total_seconds()),
        sent_to=masked(phone),
    )


def not_sent(session: Session, challenge_id: UUID) -> None:
    """The code could not be sent: it is no good and does not count against its phone."""
    here = sa.update(Challenge).where(
        Challenge.id == challenge_id, Challenge.state == ChallengeState.OPEN
    )
    session.execute(here.values(state=ChallengeState.EXPIRED))


def sms_text(locale: str, code: str) -> str:
    """The text message that carries a code: the code is its only run of six digits."""
    return _SMS.get(locale, _SMS["zh-TW"]).format(code=code)


def confirm(
    session: Session,
    person: Person,
    challenge_id: UUID,
    code: object,
    now: datetime,
    secret_key: str,
    *,
    limits: Limits = LIMITS,
) -> tuple[UUID | Refused, list[Change]]:
    """Bind the person if the code is right; again with the same code gives the same member."""
    row = session.get(Challenge, challenge_id, populate_existing=True)
    if row is None or row.person_id != person.id:
        raise Refused("unknown_challenge")
    digits = _digits(code)
    if row.state is ChallengeState.USED and row.member_id is not None:
        return _again(row, digits, secret_key), []
    if row.state is not ChallengeState.OPEN or now >= row.expires_at:
        raise Refused("challenge_expired")
    challenge.require_tries_left(session, row, now, secret_key, limits)
    if not challenge.fits(row, digits, secret_key):
        return _wrong(row), []
    _require_bindings_left(session, person, now, limits)
    if bound.open_binding(session, person.id) is not None:
        raise Refused("already_bound")
    row.state, row.member_id = ChallengeState.USED, uuid7()
    return row.member_id, _bind(session, person, row, row.member_id, now)


def _require_bindings_left(session: Session, person: Person, now: datetime, limits: Limits) -> None:
    """Each binding opens a new member in the org: nobody needs many of them."""
    told = alarms.of_person(AlertKind.FLOODING, person.id, "bound their account again and again")
    mine, most = [Binding.person_id == person.id], limits.bindings_per_person_and_day
    require_room(session, [Cap(Binding.bound_at, mine, most, DAY, told)], now)


def unbind(session: Session, person: Person, now: datetime) -> list[Change]:
    """Let go of the member: our fields are cleared in Salesforce, requests stay with the member."""
    binding = bound.open_binding(session, person.id)
    if binding is None:
        return []
    binding.unbound_at = now
    session.flush()
    member = Change(binding.member_id, Kind.MEMBER, {}, person.id, releases=True)
    # The Lead of the days before the binding is let go of with the Contact.
    apart: dict[str, UUID | None] = {"member": None}
    friends = [
        Change(friend.id, Kind.FRIEND, {"bound": False}, person.id, apart, releases=True)
        for friend in friendship.of(session, person.id)
    ]
    return [member, *friends]


def _read(form: Mapping[str, object], regions: Sequence[str]) -> tuple[str, dict[str, Value]]:
    answers = Answers(form)
    name = answers.text("name", _LONGEST_NAME)
    phone = answers.mobile("phone", regions)
    email = answers.email("email")
    given = consents.read(answers)
    lacks = given is not None and not any(one["purpose"] == consents.REQUIRED for one in given)
    if lacks and not answers.problems:
        raise Refused("consent_required", [FieldProblem("consents", "consent_required")])
    if lacks:
        answers.wrong("consents", "consent_required")
    answers.check()
    return str(phone), {
        "name": name,
        "email": email,
        "consents": [dict(one) for one in given or ()],
    }


def _digits(code: object) -> str:
    plain = unicodedata.normalize("NFKC", code).strip() if isinstance(code, str) else ""
    if not plain:
        raise Refused("invalid", [FieldProblem("code", "required")])
    if len(plain) != challenge.DIGITS or not (plain.isascii() and plain.isdigit()):
        raise Refused("invalid", [FieldProblem("code", "one_time_code")])
    return plain


def _again(row: Challenge, digits: str, secret_key: str) -> UUID | Refused:
    if row.member_id is None or not challenge.fits(row, digits, secret_key):
        return _refusal(0)
    return row.member_id


def _wrong(row: Challenge) -> Refused:
    row.tries += 1
    if row.tries >= challenge.TRIES:
        row.state = ChallengeState.LOCKED
    return _refusal(challenge.TRIES - row.tries)


def _refusal(left: int) -> Refused:
    return Refused("wrong_code", [FieldProblem("code", "wrong_code", {"left": left})])


def _bind(
    session: Session, person: Person, row: Challenge, member_id: UUID, now: datetime
) -> list[Change]:
    session.add(Member(id=member_id))
    session.flush()
    session.add(Binding(person_id=person.id, member_id=member_id, phone=row.phone, bound_at=now))
    _keep_consents(session, person, row, now)
    said = consents.values_of(session, person.id)
    friends = friendship.of(session, person.id)
    member = Change(
        member_id,
        Kind.MEMBER,
        {
            "name": row.answers["name"],
            "phone": row.phone,
            "email": row.answers["email"],
            "bound_at": moment(now),
            **said,
        },
        person.id,
        {"person": friends[-1].id} if friends else {},
        is_new=True,
    )
    at_member = {"member": member_id}
    tied = [
        Change(friend.id, Kind.FRIEND, {"bound": True, **said}, person.id, at_member)
        for friend in friends
    ]
    waiting = [
        Change(record_id, kind, {}, person.id, at_member)
        for record_id, kind in _unowned(session, person)
    ]
    return [member, *tied, *waiting]


def _keep_consents(session: Session, person: Person, row: Challenge, now: datetime) -> None:
    given = row.answers["consents"]
    for one in given if isinstance(given, list) else ():
        if isinstance(one, dict):
            consents.append(
                session,
                person.id,
                str(one["purpose"]),
                str(one["version"]),
                True,
                now,
                {"via": "binding", "challenge_id": str(row.id)},
            )


def _unowned(session: Session, person: Person) -> list[tuple[UUID, str]]:
    """Registrations, and answers to forms, from before any binding; each with its kind."""
    owner = sa.select(Relation.record_id).where(Relation.name == "member")
    here = (
        sa.select(Record.id, Record.kind)
        .where(Record.person_id == person.id, Record.kind.not_in(set(Kind) - {Kind.REGISTRATION}))
        .where(Record.id.not_in(owner.where(Relation.record_id == Record.id)))
        .order_by(Record.id)
    )
    return [(row.id, row.kind) for row in session.execute(here)]
