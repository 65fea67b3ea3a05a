"""The record that a person names, however they name it."""

from __future__ import annotations

import re
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.records import SCHEMAS, Kind
from connector.errors import ConnectorError, EnvironmentProblem
from connector.mapping.canonical import long_id
from connector.store.tables import Friendship, Pair, Person, Record
from connector.sync.withdrawn import known_kinds

_SALESFORCE_ID = re.compile(r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?")
_USER_ID = re.compile(r"U[0-9a-f]{32}")


def find(session: Session, reference: str) -> Record:
    """The record that a reference names: KIND:ID, `friend:U…`, a Salesforce id, a key."""
    kind, colon, rest = reference.strip().partition(":")
    if colon:
        record = _by_kind(session, kind, rest)
    elif (uuid := _as_uuid(kind)) is not None:
        record = _by_key(session, str(uuid)) or session.get(Record, uuid)
    elif _SALESFORCE_ID.fullmatch(kind):
        record = _by_salesforce_id(session, kind)
    else:
        raise _misread(reference)
    if record is None:
        raise ConnectorError(
            "unknown_record",
            f"there is no LINE record {reference!r}",
            "It may not have reached us yet: see `connector status`, and check the id.",
        )
    return record


def _by_kind(session: Session, kind: str, rest: str) -> Record | None:
    if kind not in SCHEMAS and kind not in (kinds := known_kinds(session)):
        known = ", ".join(kinds)
        raise EnvironmentProblem("unknown_kind", f"no record kind {kind!r}", f"Known: {known}.")
    if kind == Kind.FRIEND and _USER_ID.fullmatch(rest):
        return _friend(session, rest)
    uuid = _as_uuid(rest)
    if uuid is None:
        raise _misread(f"{kind}:{rest}")
    record = session.get(Record, uuid)
    return record if record is not None and record.kind == kind else None


def _friend(session: Session, user_id: str) -> Record | None:
    """The record of the friendship that was heard of last."""
    here = (
        sa.select(Record)
        .join(Friendship, Friendship.id == Record.id)
        .join(Person, Person.id == Friendship.person_id)
        .where(Person.line_user_id == user_id)
        .order_by(Friendship.heard_at.desc())
        .limit(1)
    )
    return session.scalars(here).one_or_none()


def _by_key(session: Session, key: str) -> Record | None:
    here = sa.select(Record).join(Pair, Pair.record_id == Record.id).where(Pair.key == key)
    return session.scalars(here).one_or_none()


def _by_salesforce_id(session: Session, salesforce_id: str) -> Record | None:
    """The record that owns the row, before one that only names it or has let go of it."""
    here = (
        sa.select(Record)
        .join(Pair, Pair.record_id == Record.id)
        .where(Pair.salesforce_id == long_id(salesforce_id))
        .order_by(
            Pair.adopted, Pair.joined, sa.case((Pair.state == "open", 0), else_=1), Pair.id.desc()
        )
        .limit(1)
    )
    return session.scalars(here).one_or_none()


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _misread(reference: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        "bad_reference",
        f"{reference!r} is no reference to a record",
        "Give KIND:ID (for example member:0190…), a Salesforce id, a LINE_Key__c or friend:U….",
    )
