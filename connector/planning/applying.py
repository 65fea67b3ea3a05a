"""Publish a plan: its documents go live, and exactly its rows are brought up to date beside the live sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.lines import Cause, Lane
from connector.domain.states import PairState
from connector.errors import ConnectorError
from connector.mapping.loader import load, load_strictly
from connector.mapping.parts.compiled import CompiledMapping
from connector.planning import drafts, tallies
from connector.planning.portions import Heard, Portions
from connector.planning.tallies import Reach
from connector.salesforce.gateway import Gateway
from connector.store.session import Store
from connector.store.tables import (
    Pair,
    Person,
    Plan,
    PlanRow,
    PlanState,
    Record,
    Verdict,
)
from connector.sync import acts, changes, effects, outbox
from connector.sync.catalog import Catalogs
from connector.sync.changes import Scene
from connector.sync.incoming.intake import scene_for
from connector.sync.live import publishing
from connector.sync.runs import Course

KIND = "publish"
ACT = "publish"
_FEW = 20  # rows that anybody may look through
_WANTED = (Verdict.CREATE, Verdict.MATCH, Verdict.UPDATE, Verdict.WAIT)


@dataclass(frozen=True)
class Applying:
    """Publishes one plan."""

    store: Store
    catalogs: Catalogs
    gateway: Gateway
    plan: int
    most: float  # the share of records, or of a field's values, that may change without `force`

    def begin(self, author: str, reason: str, *, force: bool = False) -> Course:
        """Make the documents live, unless that was done before; the run that goes over the rows."""
        with self.store.reading() as session:
            plan = found(session, self.plan)
            texts = drafts.applied_to(publishing.live_texts(session), plan.documents)
        if plan.state is PlanState.READY:
            self._refuse_too_much(plan, force=force)
            schemas = publishing.fetch_schemas(self.gateway, load(texts))
            documents = load_strictly(texts, schemas)
            with self.store.transaction() as session:
                plan = self._check(session)
                beside = {path: int(str(version)) for path, version in plan.live.items()}
                publishing.make_live(session, texts, documents, schemas, author, reason, beside)
                plan.state, plan.published_at = PlanState.PUBLISHED, datetime.now(UTC)
                plan.published_by = author
        elif plan.state is not PlanState.PUBLISHED:
            raise _not_ready(plan)
        elif self._rows.was_carried_out():
            raise ConnectorError(
                "plan_published",
                f"plan {self.plan} was published already",
                "See what became of it: connector mappings planned, or plan anew.",
            )
        return self._rows.begin(author)

    def run(self, course: Course, author: str, heard: Heard = lambda _: None) -> None:
        """Want every row of the plan brought up to date, in portions."""

        def carry(session: Session, rows: Sequence[PlanRow]) -> int:
            return want(session, self.catalogs, self.plan, rows, author)

        self._rows.carry_out(course, carry, heard)

    @property
    def _rows(self) -> Portions:
        return Portions(self.store, KIND, self.plan, _WANTED)

    def _refuse_too_much(self, plan: Plan, *, force: bool) -> None:
        reach = tallies.reach(tallies.tallies(plan.counts))
        if force or reach.rows <= _FEW or reach.share <= self.most:
            return
        raise ConnectorError("much_at_once", _much(reach), _MUCH_STEP.format(plan=plan.id))

    def _check(self, session: Session) -> Plan:
        """The plan, locked, if it is still to be published."""
        here = sa.select(Plan).where(Plan.id == self.plan).with_for_update()
        plan = session.scalars(here).one()
        if plan.state is not PlanState.READY:
            raise _not_ready(plan)
        return plan


def found(session: Session, number: int) -> Plan:
    """The plan of that number."""
    plan = session.get(Plan, number)
    if plan is None:
        raise ConnectorError(
            "unknown_plan", f"there is no plan {number}", "List them: connector mappings plans."
        )
    return plan


def want(
    session: Session, catalogs: Catalogs, plan: int, rows: Sequence[PlanRow], author: str
) -> int:
    """Want these rows' pairs brought up to date, as one act; what cannot be any more is passed over."""
    act = acts.act(session, ACT, author, {"plan": plan}, cause=Cause.PUBLISH)
    scene = scene_for(session, catalogs, datetime.now(UTC), (act.id,))
    records, pairs = locked(session, rows)
    done = 0
    for row in rows:
        record = records.get(row.record_id)
        mapping = scene.catalog.mappings.get(row.mapping)
        if record is None or mapping is None or not mapping.enabled:
            continue
        pair = pairs.get((record.id, mapping.name)) or _new(scene, record, mapping, row)
        if pair is None or pair.state is not PairState.OPEN:
            continue
        effects.link_pair(session, scene.received, pair.id, record.version)
        outbox.want(session, pair.id, lane(mapping), Cause.PUBLISH, recheck=True)
        done += 1
    effects.reckon(session, [act.id])
    return done


def lane(mapping: CompiledMapping) -> Lane:
    """Behind everything live; rows that stand or fall together cannot go in bulk."""
    return mapping.lane if mapping.mates else Lane.BULK


def locked(
    session: Session, rows: Sequence[PlanRow]
) -> tuple[Mapping[UUID, Record], Mapping[tuple[UUID, str], Pair]]:
    """The records of these rows that still stand, locked, with the newest pair under each mapping."""
    ids = {row.record_id for row in rows}
    erased = sa.exists().where(Person.id == Record.person_id, Person.erased_at.is_not(None))
    here = sa.select(Record).where(Record.id.in_(ids), ~erased)
    records = session.scalars(here.order_by(Record.id).with_for_update(of=Record)).all()
    mine = sa.select(Pair).where(Pair.record_id.in_(ids))
    ordered = mine.order_by(Pair.state == PairState.OPEN, Pair.created_at)
    pairs = {(pair.record_id, pair.mapping): pair for pair in session.scalars(ordered)}
    return {record.id: record for record in records}, pairs


def _new(scene: Scene, record: Record, mapping: CompiledMapping, row: PlanRow) -> Pair | None:
    if row.verdict is Verdict.UPDATE:
        return None  # it had a pair, which is not there any more
    return changes.make_pair(scene, record, mapping)


_MUCH_STEP = "Look at what it does (connector mappings planned {plan}); if that is meant, publish it with --force."


def _much(reach: Reach) -> str:
    share = f"{reach.rows:,} of {reach.of_rows:,} records would be written"
    if not reach.field:
        return share
    return f"{share}, and {reach.share_of_field:.0%} of {reach.field} would change"


def _not_ready(plan: Plan) -> ConnectorError:
    said = {
        PlanState.GROWING: ("was not finished", "Call the same plan command again; it goes on."),
        PlanState.PUBLISHED: ("was published already", "Plan anew."),
        PlanState.UNDONE: ("was published and undone", "Plan anew."),
    }
    what, step = said[plan.state]
    return ConnectorError("plan_not_ready", f"plan {plan.id} {what}", step)
