"""Rehearsals: documents that run in the shadow of the live ones for a while, and where the two differ.

No value of a record is kept here: an example is the id of a record, whose values are worked out again
when somebody looks.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from connector.domain.values import Value
from connector.store.tables.base import Base, choice, now, serial


class Contrast(StrEnum):
    """How what the draft says of a line differs from what the live mapping says."""

    DIFFERS = "differs"
    DRAFT_FAILS = "draft_fails"
    LIVE_FAILS = "live_fails"
    ONLY_DRAFT = "only_draft"  # the live mapping says nothing of it
    ONLY_LIVE = "only_live"  # the draft says nothing of it


class Rehearsal(Base):
    """A set of documents that is followed beside the live one, and how far that came."""

    __tablename__ = "rehearsals"
    __table_args__ = (
        sa.Index("ix_rehearsals_open", "id", postgresql_where=sa.text("ended_at IS NULL")),
    )

    id: Mapped[serial]
    texts: Mapped[dict[str, Value]]  # by path, as in `mappings/`
    author: Mapped[str]
    reason: Mapped[str]
    begun_at: Mapped[now]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    history_place: Mapped[int] = mapped_column(sa.BigInteger)  # of the last change looked at
    attempt_place: Mapped[int] = mapped_column(sa.BigInteger)  # of the last try looked at
    seen: Mapped[int] = mapped_column(default=0, server_default="0")  # records, each time anew
    through: Mapped[datetime | None]  # up to when all that happened was looked at


class Contrasted(Base):
    """One kind of difference on one line of one mapping: how often, and some of the records."""

    __tablename__ = "contrasts"
    __table_args__ = (sa.UniqueConstraint("rehearsal_id", "mapping", "line", "inbound", "kind"),)

    id: Mapped[serial]
    rehearsal_id: Mapped[int] = mapped_column(sa.ForeignKey("rehearsals.id"))
    mapping: Mapped[str]
    line: Mapped[str]  # its id, or `when`
    inbound: Mapped[bool]  # about what would come from Salesforce
    kind: Mapped[Contrast] = mapped_column(choice(Contrast))
    times: Mapped[int]
    examples: Mapped[list[str]]  # ids of records
    last_at: Mapped[datetime]
