"""What is owed to LINE users and what is sent to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from connector.domain.lines import Lane
from connector.domain.states import EnvelopeState, NoticeState
from connector.domain.values import Value
from connector.store.tables.base import Base, choice, identity, now, serial


class Notice(Base):
    """A message owed to a LINE user because something changed."""

    __tablename__ = "notices"
    __table_args__ = (
        sa.Index("ix_notices_envelope", "envelope_id"),
        sa.Index("ix_notices_record", "record_id"),
    )

    id: Mapped[identity]
    envelope_id: Mapped[UUID] = mapped_column(sa.ForeignKey("envelopes.id"))
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("people.id"))
    record_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("records.id"))
    rule: Mapped[str]
    purpose: Mapped[str]
    template: Mapped[str]
    before: Mapped[dict[str, Value]]
    after: Mapped[dict[str, Value]]
    created_at: Mapped[now]
    expires_at: Mapped[datetime]
    state: Mapped[NoticeState] = mapped_column(choice(NoticeState), default=NoticeState.OWED)


class Envelope(Base):
    """What is sent: a body, frozen when first sent, under one retry key."""

    __tablename__ = "envelopes"
    __table_args__ = (
        sa.Index(
            "ix_envelopes_ready", "lane", "due", "id", postgresql_where=sa.text("state = 'ready'")
        ),
        sa.Index(
            "ix_envelopes_later", "due", postgresql_where=sa.text("state IN ('waiting', 'held')")
        ),
        sa.Index(
            "ix_envelopes_claimed", "claimed_until", postgresql_where=sa.text("state = 'claimed'")
        ),
        sa.Index("ix_envelopes_person", "person_id", "oa", "state"),
        sa.Index("ix_envelopes_state", "state"),
        sa.Index(
            "ix_envelopes_token", "token_id", postgresql_where=sa.text("token_id IS NOT NULL")
        ),
        sa.Index("ix_envelopes_at", "created_at", postgresql_using="brin"),
    )

    id: Mapped[identity]
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("people.id"))
    oa: Mapped[str]
    lane: Mapped[Lane] = mapped_column(choice(Lane), default=Lane.URGENT)
    state: Mapped[EnvelopeState] = mapped_column(choice(EnvelopeState), default=EnvelopeState.READY)
    retry_key: Mapped[UUID]
    body: Mapped[dict[str, Value] | None]  # null until frozen
    token_id: Mapped[int | None] = mapped_column(sa.ForeignKey("reply_tokens.id"))
    tries_on_token: Mapped[int] = mapped_column(default=0)
    token_hoped_until: Mapped[datetime | None]  # a reply token may come: wait for it until then
    first_sent_at: Mapped[datetime | None]  # a retry key lives 24 hours from here
    via: Mapped[str | None]  # reply | push
    due: Mapped[now]
    attempts: Mapped[int] = mapped_column(default=0)
    claim_token: Mapped[UUID | None]
    claimed_until: Mapped[datetime | None]
    reason: Mapped[str | None]
    next_step: Mapped[str | None]
    request_id: Mapped[str | None]
    created_at: Mapped[now]


class ReplyToken(Base):
    """A token that lets one message be sent free; it lives under a minute and is used once."""

    __tablename__ = "reply_tokens"
    __table_args__ = (
        sa.UniqueConstraint("token"),
        sa.Index(
            "ix_reply_tokens_fresh",
            "person_id",
            "oa",
            "good_until",
            postgresql_where=sa.text("used_at IS NULL"),
        ),
    )

    id: Mapped[serial]
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("people.id"))
    oa: Mapped[str]
    token: Mapped[str]
    good_until: Mapped[datetime]
    used_at: Mapped[datetime | None]
