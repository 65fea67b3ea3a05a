"""The LINE-side things that are synced, how they relate, and every change made to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from connector.domain.lines import Cause
from connector.domain.values import Value
from connector.store.tables.base import Base, choice, identity, now, serial


class Record(Base):
    """One LINE record: its kind, its values, and a version that rises with every change."""

    __tablename__ = "records"
    __table_args__ = (
        sa.Index("ix_records_person", "person_id", "kind"),
        sa.Index("ix_records_kind", "kind", "created_at"),
        sa.Index(
            "uq_records_sku",
            sa.text("(values ->> 'sku')"),
            unique=True,
            postgresql_where=sa.text("kind = 'product'"),
        ),
        sa.Index(
            "ix_records_contact_phone",
            sa.text("(values ->> 'contact_phone')"),
            "created_at",
            postgresql_where=sa.text("kind = 'repair_request'"),
        ),
    )

    id: Mapped[identity]
    kind: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("people.id"))
    values: Mapped[dict[str, Value]]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[now]
    updated_at: Mapped[now]


class Relation(Base):
    """One record names another: a registration its member, a repair request its registration."""

    __tablename__ = "relations"
    __table_args__ = (sa.Index("ix_relations_target", "target_id", "name"),)

    record_id: Mapped[UUID] = mapped_column(sa.ForeignKey("records.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    target_id: Mapped[UUID] = mapped_column(sa.ForeignKey("records.id"))


class History(Base):
    """One value of one record as it changed: from what, to what, on which side, why."""

    __tablename__ = "history"
    __table_args__ = (
        sa.Index("ix_history_record", "record_id", "id"),
        sa.Index("ix_history_at", "at", postgresql_using="brin"),
    )

    id: Mapped[serial]
    record_id: Mapped[UUID] = mapped_column(sa.ForeignKey("records.id"))
    version: Mapped[int]
    name: Mapped[str]
    before: Mapped[dict[str, Value]]  # {"value": …}: a bare JSON null cannot be told from none
    after: Mapped[dict[str, Value]]
    side: Mapped[str]  # line | salesforce | operator
    cause: Mapped[Cause] = mapped_column(choice(Cause))
    # No foreign key: what was received may be forgotten before what became of it.
    received_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    author: Mapped[str | None]  # who on the operator's side
    at: Mapped[datetime]
