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
    """One inbound feed of the org and how far it is stored."""

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


class Published(Base):
    """One published version of a document an admin owns: a mapping, the notices, a message."""

    __tablename__ = "published"
    __table_args__ = (
        sa.Index("uq_published_live", "path", unique=True, postgresql_where=sa.text("live")),
        sa.Index("ix_published_path", "path", "id"),
    )

    id: Mapped[serial]
    path: Mapped[str]  # as in `mappings/`: `member-contact.yaml`, `messages/greeting.zh-TW.yaml`
    text: Mapped[str]
    live: Mapped[bool]
    author: Mapped[str]
    reason: Mapped[str]
    at: Mapped[now]


class CachedSchema(Base):
    """What `describe` said of an object, and when."""

    __tablename__ = "cached_schemas"

    object: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Value]]
    fetched_at: Mapped[datetime]
