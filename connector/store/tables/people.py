"""LINE users, their friendships, bindings and consents, and the members they are bound to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from connector.domain.states import ChallengeState
from connector.domain.values import Value
from connector.store.tables.base import Base, choice, identity, now, serial


class Person(Base):
    """One LINE identity: a user id is only good within its provider."""

    __tablename__ = "people"
    __table_args__ = (sa.UniqueConstraint("provider_id", "line_user_id"),)

    id: Mapped[identity]
    provider_id: Mapped[str]
    line_user_id: Mapped[str]
    language: Mapped[str | None]
    created_at: Mapped[now]
    erased_at: Mapped[datetime | None]


class Friendship(Base):
    """A person and an official account: following or blocked. Its id is its friend record's."""

    __tablename__ = "friendships"
    __table_args__ = (sa.UniqueConstraint("person_id", "oa"),)

    id: Mapped[identity]
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("people.id"))
    oa: Mapped[str]
    following: Mapped[bool]
    heard_at: Mapped[datetime]  # the newest event that changed `following`; older ones do not


class Member(Base):
    """One customer in the org. Its id is its member record's."""

    __tablename__ = "members"

    id: Mapped[identity]
    created_at: Mapped[now]


class Binding(Base):
    """Proof that ties a person to a member; a person has one open binding."""

    __tablename__ = "bindings"
    __table_args__ = (
        sa.Index(
            "uq_bindings_open_person",
            "person_id",
            unique=True,
            postgresql_where=sa.text("unbound_at IS NULL"),
        ),
        sa.Index("ix_bindings_member", "member_id"),
        sa.Index("ix_bindings_person", "person_id", "bound_at"),
    )

    id: Mapped[identity]
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("people.id"))
    member_id: Mapped[UUID] = mapped_column(sa.ForeignKey("members.id"))
    phone: Mapped[str]
    bound_at: Mapped[datetime]
    unbound_at: Mapped[datetime | None]


class Consent(Base):
    """What a person said yes or no to, appended, never changed."""

    __tablename__ = "consents"
    __table_args__ = (sa.Index("ix_consents_person", "person_id", "purpose", "at"),)

    id: Mapped[identity]
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("people.id"))
    purpose: Mapped[str]
    version: Mapped[str]
    given: Mapped[bool]
    at: Mapped[datetime]
    evidence: Mapped[dict[str, Value]]


class Challenge(Base):
    """A one-time code on its way to a phone. The code itself is kept only as a keyed hash."""

    __tablename__ = "challenges"
    __table_args__ = (
        sa.Index("ix_challenges_person", "person_id", "created_at"),
        sa.Index("ix_challenges_phone", "phone", "created_at"),
        sa.Index("ix_challenges_address", "address_hash", "created_at"),
    )

    id: Mapped[identity]
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("people.id"))
    phone: Mapped[str]
    address_hash: Mapped[str]
    answers: Mapped[dict[str, Value]]  # name, email, consents: what the form said
    code_hash: Mapped[str]
    state: Mapped[ChallengeState] = mapped_column(choice(ChallengeState))
    tries: Mapped[int] = mapped_column(default=0)
    member_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Unit(Base):
    """One physical item with its own code; claimed by at most one person, whose registration names it."""

    __tablename__ = "units"
    __table_args__ = (
        sa.UniqueConstraint("code"),
        sa.Index("ix_units_claimed_by", "claimed_by"),
    )

    id: Mapped[identity]
    code: Mapped[str]
    serial: Mapped[str | None]
    product_id: Mapped[UUID] = mapped_column(sa.ForeignKey("records.id"))
    claimed_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("people.id"))
    claimed_at: Mapped[datetime | None]
    created_at: Mapped[now]


class CodeTry(Base):
    """A product code that a person typed and that does not exist: guessing is rate limited."""

    __tablename__ = "code_tries"
    __table_args__ = (
        sa.Index("ix_code_tries_person", "person_id", "at"),
        sa.Index("ix_code_tries_address", "address_hash", "at"),
        sa.Index("ix_code_tries_at", "at"),
    )

    id: Mapped[serial]
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("people.id"))
    address_hash: Mapped[str | None]
    at: Mapped[datetime]


class Tombstone(Base):
    """The keyed hash of something erased, so that a late word of it is not taken for something new."""

    __tablename__ = "tombstones"

    hash: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # person | row | key
    erased_at: Mapped[datetime]


class Idempotency(Base):
    """The answer given to a POST, so that the same one again gets the same answer."""

    __tablename__ = "idempotency"
    __table_args__ = (sa.Index("ix_idempotency_at", "at"),)

    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("people.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[int | None]
    answer: Mapped[dict[str, Value] | None]
    at: Mapped[datetime]
