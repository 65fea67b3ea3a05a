"""People: one row per LINE identity. Whatever one person does runs one after the other."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.store.tables import Person


def find(session: Session, provider_id: str, user_id: str) -> Person | None:
    """The person with this LINE user id, if known."""
    here = sa.select(Person).where(
        Person.provider_id == provider_id, Person.line_user_id == user_id
    )
    return session.scalar(here)


def find_or_make(session: Session, provider_id: str, user_id: str, at: datetime) -> Person:
    """The person with this LINE user id, made when first heard of."""
    return find(session, provider_id, user_id) or make(session, provider_id, user_id, at)


def make(session: Session, provider_id: str, user_id: str, at: datetime) -> Person:
    """A new person, whom nobody else sees before the commit; or who was made meanwhile, locked."""
    new = insert(Person).values(provider_id=provider_id, line_user_id=user_id, created_at=at)
    made = session.scalar(
        new.on_conflict_do_nothing().returning(Person),
        execution_options={"populate_existing": True},
    )
    return made or _committed_meanwhile(session, provider_id, user_id)


def lock(session: Session, person_id: UUID) -> Person:
    """The person's row, locked until the transaction ends.

    Not `FOR UPDATE`: rows that only name the person (a received form) hold a key share, and
    two transactions that each have one would wait for each other.
    """
    return session.scalars(_locked(Person.id == person_id)).one()


def find_locked(session: Session, provider_id: str, user_id: str) -> Person | None:
    """The person with this LINE user id, locked; None also for one erased while it was waited for."""
    known = Person.provider_id == provider_id, Person.line_user_id == user_id
    return session.scalars(_locked(*known)).one_or_none()


def _locked(*where: sa.ColumnElement[bool]) -> sa.Select[Person]:
    here = sa.select(Person).where(*where).with_for_update(key_share=True)
    return here.execution_options(populate_existing=True)


def _committed_meanwhile(session: Session, provider_id: str, user_id: str) -> Person:
    found = find_locked(session, provider_id, user_id)
    if found is None:
        raise LookupError("a person conflicted with on insert is not there")
    return found
