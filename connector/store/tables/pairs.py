"""Pairs of a record and its Salesforce row, the intents to bring them up to date, and what was tried."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from connector.domain.lines import Cause, Lane
from connector.domain.states import ConflictState, MatchState, OutboxState, PairState
from connector.domain.values import Value
from connector.store.tables.base import Base, choice, epochs, identity, now, serial

_OPEN = "state = 'open'"


class Pair(Base):
    """This record, under this mapping, and this row of this org."""

    __tablename__ = "pairs"
    __table_args__ = (
        sa.UniqueConstraint("key"),
        sa.Index(
            "uq_pairs_row",
            "org_id",
            "object",
            "salesforce_id",
            unique=True,
            postgresql_where=sa.text("state = 'open' AND NOT adopted AND NOT joined"),
        ),
        sa.Index(
            "uq_pairs_joined_row",
            "org_id",
            "object",
            "salesforce_id",
            "mapping",
            unique=True,
            postgresql_where=sa.text("state = 'open' AND joined"),
        ),
        sa.Index(
            "uq_pairs_record",
            "record_id",
            "mapping",
            unique=True,
            postgresql_where=sa.text(_OPEN),
        ),
        sa.Index("ix_pairs_salesforce_id", "salesforce_id"),
        sa.Index("ix_pairs_erasing", "record_id", postgresql_where=sa.text("erasing")),
        sa.Index("ix_pairs_releasing", "key", postgresql_where=sa.text("state = 'releasing'")),
        sa.Index(
            "ix_pairs_bulk_job",
            "bulk_job_id",
            postgresql_where=sa.text("bulk_job_id IS NOT NULL"),
        ),
    )

    id: Mapped[identity]
    record_id: Mapped[UUID] = mapped_column(sa.ForeignKey("records.id"))
    mapping: Mapped[str]
    org_id: Mapped[str]
    object: Mapped[str]
    key: Mapped[str]
    salesforce_id: Mapped[str | None]
    adopted: Mapped[bool] = mapped_column(default=False)  # the row is only named, never written
    # The row is another pair's, whose key it bears; this one writes further fields of it.
    joined: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    match: Mapped[MatchState] = mapped_column(choice(MatchState), default=MatchState.PENDING)
    base: Mapped[dict[str, Value]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=0)  # of the record, as last settled
    epoch: Mapped[int] = mapped_column(sa.BigInteger, epochs, server_default=epochs.next_value())
    written_at: Mapped[datetime | None]  # the org's `Date` of the last answer to a write
    unseen_write: Mapped[bool] = mapped_column(default=False)  # a write whose outcome is unknown
    attempt: Mapped[dict[str, Value] | None]  # the values that write carried
    # Org time up to which the base knows the row: what was seen of it earlier is no news.
    seen_at: Mapped[datetime | None]
    looks: Mapped[dict[str, Value] | None]  # by line: what its last write found, and when it looked
    doubts: Mapped[list[Value] | None]  # what was seen meanwhile, until the row is read again
    flips: Mapped[dict[str, Value] | None]  # by line: whose value was turned back, and when
    erasing: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    bulk_job_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bulk_jobs.id"))
    state: Mapped[PairState] = mapped_column(choice(PairState), default=PairState.OPEN)
    reason: Mapped[str | None]
    created_at: Mapped[now]


class Outbox(Base):
    """This pair must be brought up to date: one live row per pair, no payload."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.UniqueConstraint("pair_id"),
        sa.Index(
            "ix_outbox_ready", "lane", "due", "id", postgresql_where=sa.text("state = 'ready'")
        ),
        sa.Index("ix_outbox_later", "due", postgresql_where=sa.text("state = 'waiting'")),
        sa.Index(
            "ix_outbox_claimed", "claimed_until", postgresql_where=sa.text("state = 'claimed'")
        ),
        sa.Index("ix_outbox_held", "held_for", postgresql_where=sa.text("state = 'held'")),
        sa.Index("ix_outbox_state", "state"),
    )

    id: Mapped[serial]
    pair_id: Mapped[UUID] = mapped_column(sa.ForeignKey("pairs.id"))
    lane: Mapped[Lane] = mapped_column(choice(Lane))
    cause: Mapped[Cause] = mapped_column(choice(Cause))
    recheck: Mapped[bool] = mapped_column(default=False)  # read both sides before anything else
    again: Mapped[bool] = mapped_column(default=False)  # changed while under way
    state: Mapped[OutboxState] = mapped_column(choice(OutboxState), default=OutboxState.READY)
    held_for: Mapped[UUID | None]  # the pair or record whose coming releases this one
    due: Mapped[now]
    attempts: Mapped[int] = mapped_column(default=0)
    claim_token: Mapped[UUID | None]
    claimed_until: Mapped[datetime | None]
    reason: Mapped[str | None]
    next_step: Mapped[str | None]
    fault: Mapped[dict[str, Value] | None]
    since: Mapped[now]
    # Fields to put back where nobody changed them since: name: [what it held before, what we wrote].
    restores: Mapped[dict[str, Value] | None]


class ChildRow(Base):
    """Which of our rows a row of the org names that is read as its child: an event may not say it."""

    __tablename__ = "child_rows"

    salesforce_id: Mapped[str] = mapped_column(primary_key=True)
    parent_id: Mapped[str]  # Salesforce id


class MatchClaim(Base):
    """One pair at a time may look for, or make, the row with this value."""

    __tablename__ = "match_claims"
    __table_args__ = (sa.UniqueConstraint("org_id", "object", "value"),)

    id: Mapped[serial]
    org_id: Mapped[str]
    object: Mapped[str]
    value: Mapped[str]
    pair_id: Mapped[UUID] = mapped_column(sa.ForeignKey("pairs.id"), index=True)
    at: Mapped[now]


class Conflict(Base):
    """Something only a person can decide: base, ours and theirs of one line of one pair."""

    __tablename__ = "conflicts"
    __table_args__ = (
        sa.Index(
            "uq_conflicts_open_line",
            "pair_id",
            "line",
            unique=True,
            postgresql_where=sa.text(_OPEN),
        ),
    )

    id: Mapped[identity]
    pair_id: Mapped[UUID] = mapped_column(sa.ForeignKey("pairs.id"))
    kind: Mapped[str]  # as in `ConflictKind`
    line: Mapped[str]
    base: Mapped[dict[str, Value] | None]
    ours: Mapped[dict[str, Value] | None]
    theirs: Mapped[dict[str, Value] | None]
    reason: Mapped[str]
    next_step: Mapped[str]
    state: Mapped[ConflictState] = mapped_column(choice(ConflictState), default=ConflictState.OPEN)
    opened_at: Mapped[now]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    told: Mapped[dict[str, Value] | None]  # by whom and when either value was entered
    decision: Mapped[dict[str, Value] | None]  # what was decided, as `conflicts resolve` took it


class Attempt(Base):
    """One try for one pair or envelope: what was said, what came back. Personal data is masked."""

    __tablename__ = "attempts"
    __table_args__ = (
        sa.Index("ix_attempts_pair", "pair_id", "id"),
        sa.Index("ix_attempts_envelope", "envelope_id", "id"),
        sa.Index("ix_attempts_at", "at", postgresql_using="brin"),
    )

    id: Mapped[serial]
    pair_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("pairs.id"))
    envelope_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("envelopes.id"))
    at: Mapped[datetime]
    operation: Mapped[str]  # create | update | read | file | reply | push
    sent: Mapped[dict[str, Value]]
    outcome: Mapped[str]
    answer: Mapped[dict[str, Value] | None]
    mapping_version: Mapped[int | None]
