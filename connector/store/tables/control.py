"""What steers the service: the org it is bound to, streams, published documents, cached schemas."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from connector.domain.values import Value
from connector.store.tables.base import Base, now, serial


class Org(Base):
    """The one Salesforce org this database is bound to, and whether it takes calls now."""

    __tablename__ = "orgs"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    paused_until: Mapped[datetime | None]
    reason: Mapped[str | None]
    api_used: Mapped[int | None]
    api_limit: Mapped[int | None]
    events_used: Mapped[int | None]  # deliveries of change events in 24 hours, as last told
    events_limit: Mapped[int | None]
    events_told_at: Mapped[datetime | None]
    recovered_at: Mapped[datetime | None]  # what happened in the org before is told to nobody
    adopted_at: Mapped[now]


class LineAccount(Base):
    """What is known of an official account's month: quota, use, and whether sending rests."""

    __tablename__ = "line_accounts"

    oa: Mapped[str] = mapped_column(primary_key=True)
    quota: Mapped[int | None]
    used: Mapped[int | None]
    paused_until: Mapped[datetime | None]
    reason: Mapped[str | None]
    checked_at: Mapped[datetime | None]


class Stream(Base):
    """One inbound feed of the org and how far it is stored: a polled object, or a Pub/Sub topic.

    An object that a topic carries names it in `carried_by` and is still polled seldom, as a check.
    """

    __tablename__ = "streams"

    name: Mapped[str] = mapped_column(primary_key=True)
    via: Mapped[str]
    watermark: Mapped[datetime]
    read_through: Mapped[datetime]
    read_at: Mapped[datetime]
    lease_token: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]
    resume: Mapped[dict[str, Value] | None]  # the place a long read was cut short at
    overlapped_at: Mapped[datetime | None]  # when the whole overlap was last read again
    carried_by: Mapped[str | None]
    # Of topics only. The place to go on from lies before the newest id, for events that share an id
    # may have been cut apart by a crash. Both are opaque.
    position: Mapped[bytes | None]
    newest: Mapped[bytes | None]
    heard_at: Mapped[datetime | None]  # the last event or keep-alive
    live_since: Mapped[datetime | None]  # None while its objects must be polled instead
    delivered: Mapped[int] = mapped_column(default=0, server_default="0")  # since `events_told_at`
    reason: Mapped[str | None]  # why it is not live


class Hole(Base):
    """A stretch of time that a topic may have skipped; closed when its objects were read again."""

    __tablename__ = "holes"
    __table_args__ = (
        sa.Index("ix_holes_open", "stream", postgresql_where=sa.text("closed_at IS NULL")),
    )

    id: Mapped[serial]
    stream: Mapped[str]
    objects: Mapped[list[str]]
    since: Mapped[datetime]
    until: Mapped[datetime]
    reason: Mapped[str]
    found_at: Mapped[now]
    closed_at: Mapped[datetime | None]


class BulkJob(Base):
    """One Bulk API 2.0 ingest job; stored before its rows are uploaded, so that none is lost sight of."""

    __tablename__ = "bulk_jobs"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "job_id"),
        sa.Index("ix_bulk_jobs_open", "id", postgresql_where=sa.text("closed_at IS NULL")),
    )

    id: Mapped[serial]
    org_id: Mapped[str]
    job_id: Mapped[str]
    object: Mapped[str]
    operation: Mapped[str]  # upsert | update
    rows: Mapped[int]
    state: Mapped[str]  # as the org last told it: Open, UploadComplete, InProgress, JobComplete …
    reason: Mapped[str | None]
    opened_at: Mapped[now]
    closed_at: Mapped[datetime | None]


class Run(Base):
    """One long piece of work that an operator asked for, and how far it came: it can be resumed."""

    __tablename__ = "runs"
    __table_args__ = (
        sa.Index(
            "uq_runs_open",
            "kind",
            "subject",
            unique=True,
            postgresql_where=sa.text("finished_at IS NULL"),
        ),
    )

    id: Mapped[serial]
    kind: Mapped[str]  # backfill | reconcile | recover
    subject: Mapped[str]  # the object it is about, or `*`
    wanted: Mapped[dict[str, Value]]  # what was asked for, as the command took it
    place: Mapped[dict[str, Value] | None]  # where to go on
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    total: Mapped[int | None]
    counts: Mapped[dict[str, Value]] = mapped_column(default=dict)
    author: Mapped[str]
    started_at: Mapped[now]
    updated_at: Mapped[now]
    finished_at: Mapped[datetime | None]


class Alert(Base):
    """Something that should not be, told once for as long as it lasts, with what to do."""

    __tablename__ = "alerts"
    __table_args__ = (
        sa.Index(
            "uq_alerts_open",
            "kind",
            "subject",
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
    )

    id: Mapped[serial]
    kind: Mapped[str]  # ledger | guessing | flooding …
    subject: Mapped[str]  # what it is about: an id or a hash, never personal data
    message: Mapped[str]
    next_step: Mapped[str]
    times: Mapped[int] = mapped_column(default=1, server_default="1")
    opened_at: Mapped[now]
    last_at: Mapped[now]
    closed_at: Mapped[datetime | None]


class Pruning(Base):
    """How far one class of data has been looked through for what is too old."""

    __tablename__ = "prunings"

    name: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str | None]  # the key of the last row looked at; none: from the start
    due: Mapped[datetime]  # when to go on


class Published(Base):
    """One published version of a document an admin owns: a mapping, the notices, a message."""

    __tablename__ = "published"
    __table_args__ = (
        sa.Index("uq_published_live", "path", unique=True, postgresql_where=sa.text("live")),
        sa.Index("ix_published_path", "path", "id"),
    )

    id: Mapped[serial]
    path: Mapped[str]  # as in `mappings/`: `member-contact.yaml`, `messages/greeting.zh-TW.yaml`
    text: Mapped[str]  # empty where the document was taken out of the set
    live: Mapped[bool]
    author: Mapped[str]
    reason: Mapped[str]
    at: Mapped[now]  # the same for all that were published together


class CachedSchema(Base):
    """What `describe` said of an object, and when."""

    __tablename__ = "cached_schemas"

    object: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Value]]
    fetched_at: Mapped[datetime]
    # What it said when documents were last published, or drift was last looked for; None: the same.
    agreed: Mapped[dict[str, Value] | None]
