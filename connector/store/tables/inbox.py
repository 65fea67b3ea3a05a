"""Everything that reached us, once each, and what it caused."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from connector.domain.lines import Cause, Lane
from connector.domain.states import EffectState, InboxState, Ledger
from connector.domain.values import Value
from connector.store.tables.base import Base, choice, now, serial


class Source(StrEnum):
    """Where a received row came from."""

    LINE = "line"
    FORM = "form"
    SALESFORCE = "salesforce"
    OPERATOR = "operator"


class Received(Base):
    """One webhook event, form, stream event, polled row or operator act. The inbox is those not finished."""

    __tablename__ = "received"
    __table_args__ = (
        sa.UniqueConstraint("source", "dedupe_key"),
        sa.Index(
            "ix_received_ready", "lane", "turn", "id", postgresql_where=sa.text("state = 'ready'")
        ),
        sa.Index("ix_received_later", "due", postgresql_where=sa.text("state = 'waiting'")),
        sa.Index(
            "ix_received_claimed", "claimed_until", postgresql_where=sa.text("state = 'claimed'")
        ),
        sa.Index("ix_received_open", "id", postgresql_where=sa.text("ledger = 'in_flight'")),
        sa.Index("ix_received_person", "person_id"),
        sa.Index("ix_received_subject", "subject"),
        sa.Index("ix_received_ledger", "source", "ledger"),
        sa.Index("ix_received_at", "received_at", postgresql_using="brin"),
        sa.Index(
            "ix_received_forms",
            "person_id",
            "received_at",
            postgresql_where=sa.text("source = 'form'"),
        ),
        sa.Index(
            "ix_received_address",
            "address_hash",
            "received_at",
            postgresql_where=sa.text("address_hash IS NOT NULL"),
        ),
    )

    id: Mapped[serial]
    source: Mapped[Source] = mapped_column(choice(Source))
    kind: Mapped[str]  # `follow`, `bindings.confirm`, `Case` …
    dedupe_key: Mapped[str]
    oa: Mapped[str | None]
    person_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("people.id"))
    subject: Mapped[str | None]  # a Salesforce id, a LINE message id: what it speaks of
    body: Mapped[dict[str, Value]]
    at: Mapped[datetime]  # when it happened, by the sender's clock
    noted: Mapped[int | None] = mapped_column(sa.BigInteger)  # the epoch noted before the read
    lane: Mapped[Lane] = mapped_column(choice(Lane), default=Lane.URGENT)
    # Why it came; only what is live is told to LINE users.
    cause: Mapped[Cause] = mapped_column(choice(Cause), default=Cause.LIVE, server_default="live")
    state: Mapped[InboxState] = mapped_column(choice(InboxState), default=InboxState.READY)
    ledger: Mapped[Ledger] = mapped_column(choice(Ledger), default=Ledger.IN_FLIGHT)
    verdict: Mapped[Ledger | None] = mapped_column(
        choice(Ledger, "verdict")
    )  # when it had no effect
    due: Mapped[now]
    turn: Mapped[now]  # what is ready is taken in this order: who sends much goes behind the others
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    claim_token: Mapped[UUID | None]
    claimed_until: Mapped[datetime | None]
    reason: Mapped[str | None]
    received_at: Mapped[now]
    # The body as it came, where somebody edited it.
    original: Mapped[dict[str, Value] | None] = mapped_column(JSONB(none_as_null=True))
    edited_by: Mapped[str | None]
    address_hash: Mapped[str | None]  # of forms: where it was sent from, keyed


class Tally(Base):
    """How many received rows of an hour that are no longer kept came to which class."""

    __tablename__ = "tallies"

    hour: Mapped[datetime] = mapped_column(primary_key=True)
    source: Mapped[Source] = mapped_column(choice(Source, "tally_source"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    ledger: Mapped[Ledger] = mapped_column(choice(Ledger, "tally_ledger"), primary_key=True)
    number: Mapped[int] = mapped_column(sa.BigInteger)


class Effect(Base):
    """What a received row caused: a pair to be brought to a version, or a notice."""

    __tablename__ = "effects"
    __table_args__ = (
        sa.Index("ix_effects_received", "received_id"),
        sa.Index(
            "ix_effects_pair",
            "pair_id",
            "version",
            postgresql_where=sa.text("state IN ('open', 'parked', 'dead')"),
        ),
        sa.Index("ix_effects_notice", "notice_id"),
        sa.CheckConstraint("(pair_id IS NULL) <> (notice_id IS NULL)", name="one_target"),
    )

    id: Mapped[serial]
    received_id: Mapped[int] = mapped_column(sa.ForeignKey("received.id"))
    pair_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("pairs.id"))
    version: Mapped[int | None]
    notice_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("notices.id"))
    state: Mapped[EffectState] = mapped_column(choice(EffectState), default=EffectState.OPEN)
