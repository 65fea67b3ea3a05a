"""What changed in the org under a live mapping, until it is gone or the mapping was published anew."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from connector.domain.values import Value
from connector.store.tables.base import Base, choice, now, serial


class Drifted(StrEnum):
    """What can change."""

    OBJECT_HIDDEN = "object_hidden"
    FIELD_GONE = "field_gone"
    TYPE = "type"
    SHORTER = "shorter"
    VALUE_GONE = "value_gone"
    VALUE_NEW = "value_new"
    RESTRICTED = "restricted"
    REQUIRED = "required"
    NOT_WRITABLE = "not_writable"
    RECORD_TYPE = "record_type"
    UNFIT = "unfit"  # only the check of the whole mapping shows it


class Drift(Base):
    """One change of one object that touches one place of one live mapping."""

    __tablename__ = "drifts"
    __table_args__ = (
        sa.Index(
            "uq_drifts_open",
            "mapping",
            "kind",
            "subject",
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
    )

    id: Mapped[serial]
    mapping: Mapped[str]
    version: Mapped[int] = mapped_column(sa.BigInteger)  # of the mapping it was found under
    object: Mapped[str]
    kind: Mapped[Drifted] = mapped_column(choice(Drifted))
    subject: Mapped[str]  # the field, with the value where it is about one
    line: Mapped[int]  # in the document
    message: Mapped[str]  # what changed
    effect: Mapped[str]  # what becomes of rows
    proposal: Mapped[str]  # the edit that mends it
    was: Mapped[dict[str, Value] | None]  # what `describe` said of the field before
    found_at: Mapped[now]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]
