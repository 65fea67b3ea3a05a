"""Plans as they are kept: which there are, what one comes to, its rows searched and paged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import EffectState
from connector.domain.values import Value, moment
from connector.mapping.parts.compiled import CompiledMapping
from connector.planning import tallies
from connector.planning.applying import ACT
from connector.store.tables import (
    Effect,
    Plan,
    PlanRow,
    PlanState,
    Received,
    Record,
    Source,
    Verdict,
)
from connector.sync.veil import Veil


@dataclass(frozen=True)
class Search:
    """Which rows of a plan: all that is given must fit."""

    mapping: str | None = None
    verdict: Verdict | None = None
    field: str | None = None  # of Salesforce, or a record value, that would change
    text: str | None = None  # anywhere in ids, values or reasons
    after: int = 0
    limit: int = 20


def newest(session: Session, limit: int = 50) -> Sequence[Plan]:
    """The plans, newest first."""
    return session.scalars(sa.select(Plan).order_by(Plan.id.desc()).limit(limit)).all()


def summary(plan: Plan) -> dict[str, Value]:
    """A plan in numbers, as JSON."""
    found = tallies.tallies(plan.counts)
    reach = tallies.reach(found)
    return {
        "plan": plan.id,
        "state": plan.state.value,
        "author": plan.author,
        "at": moment(plan.at),
        "published_at": moment(plan.published_at) if plan.published_at else None,
        "documents": list[Value](sorted(plan.documents)),
        "mappings": {name: tally.told() for name, tally in sorted(found.items())},
        "share": round(reach.share, 4),
        "calls": plan.calls,
        "minutes": tallies.minutes(found.values()),
    }


def count(session: Session, plan: int, search: Search) -> int:
    """How many rows fit, on all pages."""
    return session.scalar(sa.select(sa.func.count()).where(*_fitting(plan, search))) or 0


def rows(
    session: Session,
    plan: int,
    search: Search,
    mappings: Mapping[str, CompiledMapping],
    veil: Veil,
) -> Iterator[dict[str, Value]]:
    """A page of rows as JSON; personal values are masked as the veil says."""
    here = sa.select(PlanRow, Record.kind).join(Record, Record.id == PlanRow.record_id)
    page = here.where(*_fitting(plan, search), PlanRow.id > search.after)
    for row, kind in session.execute(page.order_by(PlanRow.id).limit(search.limit)):
        yield _told(row, kind, mappings.get(row.mapping), veil)


def outcome(session: Session, plan: int) -> dict[str, int]:
    """What became of a published plan's rows so far, by state of their effects."""
    act = (Received.source == Source.OPERATOR, Received.kind == ACT)
    mine = sa.select(Received.id).where(*act, Received.body["plan"].as_integer() == plan)
    here = sa.select(Effect.state, sa.func.count()).where(Effect.received_id.in_(mine))
    counted = {row[0]: row[1] for row in session.execute(here.group_by(Effect.state))}
    return {state.value: counted[state] for state in EffectState if state in counted}


def is_under_way(plan: Plan) -> bool:
    """Whether there is more to come."""
    return plan.state in (PlanState.GROWING, PlanState.PUBLISHED)


def _fitting(plan: int, search: Search) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [PlanRow.plan_id == plan]
    if search.mapping:
        found.append(PlanRow.mapping == search.mapping)
    if search.verdict:
        found.append(PlanRow.verdict == search.verdict)
    if search.field:
        found.append(
            sa.or_(
                PlanRow.fields.bool_op("?")(search.field),
                PlanRow.values.bool_op("?")(search.field),
            )
        )
    if search.text:
        places = (
            sa.cast(PlanRow.record_id, sa.Text),
            sa.func.coalesce(PlanRow.salesforce_id, ""),
            sa.cast(PlanRow.fields, sa.Text),
            sa.cast(PlanRow.values, sa.Text),
            sa.func.coalesce(PlanRow.reason, ""),
        )
        found.append(sa.or_(*(each.icontains(search.text, autoescape=True) for each in places)))
    return found


def _told(row: PlanRow, kind: str, mapping: CompiledMapping | None, veil: Veil) -> dict[str, Value]:
    hidden = [
        each for pair in (*row.fields.values(), *row.values.values()) for each in _sides(pair)
    ]
    return {
        "id": row.id,
        "mapping": row.mapping,
        "record": f"{kind}:{row.record_id}",
        "salesforce_id": row.salesforce_id,
        "verdict": row.verdict.value,
        "fields": {
            name: [_field(mapping, name, side, veil) for side in _sides(pair)]
            for name, pair in row.fields.items()
        },
        "values": {
            name: [veil.value(kind, name, side) for side in _sides(pair)]
            for name, pair in row.values.items()
        },
        "reason": veil.text(row.reason, hidden),
        "next_step": row.next_step,
    }


def _field(mapping: CompiledMapping | None, name: str, value: Value, veil: Veil) -> Value:
    shown = veil.fields(mapping, {name: value})
    return shown[name] if isinstance(shown, dict) else None


def _sides(pair: Value) -> Sequence[Value]:
    return pair if isinstance(pair, list) else [None, None]
