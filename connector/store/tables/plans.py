"""Plans: what publishing documents would do to the records there are, kept until it is done or forgotten."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from connector.domain.values import Value
from connector.store.tables.base import Base, choice, now, serial


class PlanState(StrEnum):
    """Where a plan stands."""

    GROWING = "growing"  # records are still being looked at
    READY = "ready"
    PUBLISHED = "published"  # its documents are live; its rows are written in the bulk lane
    UNDONE = "undone"


class Verdict(StrEnum):
    """What would become of one record under one mapping."""

    CREATE = "create"
    MATCH = "match"  # an existing row is taken
    UPDATE = "update"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"  # a person decides
    REJECT = "reject"  # Salesforce, or the mapping, would not take it
    WAIT = "wait"  # for another row or an answer
    LEFT_OUT = "left_out"  # `when` is false, or Salesforce makes the new ones


class Plan(Base):
    """One plan: documents beside the live ones, and what they would come to."""

    __tablename__ = "plans"

    id: Mapped[serial]
    documents: Mapped[dict[str, Value]]  # path: text, null for one that is to go
    live: Mapped[dict[str, Value]]  # path: version, of the set it was planned against
    mappings: Mapped[list[str]]
    state: Mapped[PlanState] = mapped_column(choice(PlanState), default=PlanState.GROWING)
    counts: Mapped[dict[str, Value]] = mapped_column(default=dict)  # as in `planning.tallies`
    calls: Mapped[int] = mapped_column(default=0)  # of the org's API, to carry it out
    author: Mapped[str]
    at: Mapped[now]
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None]


class PlanRow(Base):
    """What a plan would do to one record. Those it leaves as they are, are only counted."""

    __tablename__ = "plan_rows"
    __table_args__ = (
        sa.Index("ix_plan_rows_plan", "plan_id", "id"),
        sa.Index("ix_plan_rows_record", "record_id"),
    )

    id: Mapped[serial]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plans.id"))
    mapping: Mapped[str]
    record_id: Mapped[UUID] = mapped_column(sa.ForeignKey("records.id"))
    version: Mapped[int]  # of the record, as planned
    salesforce_id: Mapped[str | None]
    verdict: Mapped[Verdict] = mapped_column(choice(Verdict))
    fields: Mapped[dict[str, Value]] = mapped_column(default=dict)  # name: [before, after]
    values: Mapped[dict[str, Value]] = mapped_column(default=dict)  # of the record, the same
    reason: Mapped[str | None]
    next_step: Mapped[str | None]
    at: Mapped[now]
