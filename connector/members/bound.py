"""To which member a person is bound now."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.store.tables import Binding


def open_binding(session: Session, person_id: UUID) -> Binding | None:
    """The person's one open binding."""
    here = sa.select(Binding).where(Binding.person_id == person_id, Binding.unbound_at.is_(None))
    return session.scalar(here)


def member_of(session: Session, person_id: UUID) -> UUID | None:
    """The member that the person is bound to."""
    binding = open_binding(session, person_id)
    return binding.member_id if binding else None
