"""What people said yes or no to: appended with its evidence, never changed; the newest counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.records import Kind
from connector.domain.values import Value
from connector.members import alarms, bound
from connector.members.answers import Answers
from connector.members.limits import DAY, LIMITS, Cap, Limits
from connector.members.limits import require_room as require_caps
from connector.members.refusals import FieldProblem, Refused
from connector.store.alerts import AlertKind
from connector.store.tables import Consent, Friendship, Person

REQUIRED = "service"
# Purpose -> the versions of its text that were ever shown.
PURPOSES: Mapping[str, frozenset[str]] = {
    "service": frozenset({"1"}),
    "marketing": frozenset({"1"}),
}


def give(
    session: Session,
    person: Person,
    purpose: str,
    version: str,
    given: bool,
    at: datetime,
    evidence: Mapping[str, Value],
) -> list[Change]:
    """The person gave or withdrew a consent at `at`."""
    check(purpose, version)
    if not append(session, person.id, purpose, version, given, at, evidence):
        return []
    said: dict[str, Value] = {f"consents.{purpose}": given}
    friends = sa.select(Friendship.id).where(Friendship.person_id == person.id)
    changes = [
        Change(friend_id, Kind.FRIEND, said, person.id) for friend_id in session.scalars(friends)
    ]
    member_id = bound.member_of(session, person.id)
    if member_id is not None:
        changes.append(Change(member_id, Kind.MEMBER, said, person.id))
    return changes


def require_room(session: Session, person: Person, now: datetime, limits: Limits = LIMITS) -> None:
    """Refuse who keeps changing their mind by a form; a tap in the chat is LINE's to limit."""
    told = alarms.of_person(AlertKind.FLOODING, person.id, "gave and withdrew consents very often")
    mine, most = [Consent.person_id == person.id], limits.consents_per_person_and_day
    require_caps(session, [Cap(Consent.at, mine, most, DAY, told)], now)


def append(
    session: Session,
    person_id: UUID,
    purpose: str,
    version: str,
    given: bool,
    at: datetime,
    evidence: Mapping[str, Value],
) -> bool:
    """Keep what was said; tells whether it is what counts from now on."""
    newest = next((c for c in current(session, person_id) if c.purpose == purpose), None)
    if newest is not None and (newest.version, newest.given) == (version, given):
        return False
    session.add(
        Consent(
            person_id=person_id,
            purpose=purpose,
            version=version,
            given=given,
            at=at,
            evidence=dict(evidence),
        )
    )
    session.flush()
    return newest is None or at >= newest.at


def check(purpose: object, version: object) -> None:
    """Refuse a purpose nobody asks for, or a text that was never shown."""
    if not isinstance(purpose, str) or purpose not in PURPOSES:
        raise Refused("invalid", [FieldProblem("purpose", "purpose")])
    if not isinstance(version, str) or version not in PURPOSES[purpose]:
        raise Refused("invalid", [FieldProblem("version", "version")])


def read(answers: Answers) -> list[dict[str, Value]] | None:
    """The consents that a form carries; None where they are wrong."""
    given = answers.given("consents")
    if given is None:
        return []
    if not isinstance(given, list) or not all(_is_known(one) for one in given):
        answers.wrong("consents", "consents")
        return None
    return [{"purpose": one["purpose"], "version": one["version"]} for one in given]


def _is_known(given: object) -> bool:
    if not isinstance(given, dict):
        return False
    try:
        check(given.get("purpose"), given.get("version"))
    except Refused:
        return False
    return True


def current(session: Session, person_id: UUID) -> list[Consent]:
    """The newest word of the person on each purpose."""
    here = (
        sa.select(Consent)
        .where(Consent.person_id == person_id)
        .ext(distinct_on(Consent.purpose))
        .order_by(Consent.purpose, Consent.at.desc(), Consent.id.desc())
    )
    return list(session.scalars(here))


def values_of(session: Session, person_id: UUID) -> dict[str, Value]:
    """The consents as friend and member records hold them."""
    said: dict[str, Value] = {f"consents.{purpose}": False for purpose in PURPOSES}
    for consent in current(session, person_id):
        said[f"consents.{consent.purpose}"] = consent.given
    return said
