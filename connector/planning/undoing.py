"""Take a published plan back: its documents as they were, as new versions, and the values it wrote.

Only what nobody changed since is put back, row by row and field by field; rows that it made stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.lines import Cause
from connector.domain.states import PairState
from connector.domain.values import Value
from connector.errors import ConnectorError
from connector.mapping.loader import load, load_strictly
from connector.planning import applying, drafts
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import KEY_FIELD
from connector.store.session import Store
from connector.store.tables import Plan, PlanRow, PlanState, Published, Record, Verdict
from connector.sync import acts, changes, effects, outbox, publishing, runs
from connector.sync.catalog import Catalogs
from connector.sync.intake import scene_for
from connector.sync.runs import Begin, Course

KIND = "undo"
_PORTION = 1000
_WROTE = (Verdict.MATCH, Verdict.UPDATE)
WANTED, LEFT = "wanted", "left"

Heard = Callable[[Course], None]


@dataclass(frozen=True)
class Undoing:
    """Takes one plan back."""

    store: Store
    catalogs: Catalogs
    gateway: Gateway
    plan: int

    def begin(self, author: str, reason: str) -> Course:
        """Make the documents live that were before, unless that was done; the run over the rows."""
        with self.store.reading() as session:
            plan = applying.found(session, self.plan)
            if plan.state is PlanState.PUBLISHED:
                texts = self._before(session, plan)
        if plan.state is PlanState.PUBLISHED:
            schemas = publishing.fetch_schemas(self.gateway, load(texts))
            documents = load_strictly(texts, schemas)
            with self.store.transaction() as session:
                publishing.make_live(session, texts, documents, schemas, author, reason)
                session.get_one(Plan, self.plan).state = PlanState.UNDONE
        elif plan.state is not PlanState.UNDONE or self._is_done():
            raise ConnectorError(
                "nothing_to_undo",
                f"plan {self.plan} {'was undone already' if plan.published_at else 'was never published'}",
                "List the plans: connector mappings plans.",
            )
        wanted: dict[str, Value] = {"plan": self.plan}
        course = runs.begin(self.store, KIND, str(self.plan), wanted, author, Begin.FITTING)
        with self.store.transaction() as session:
            here = sa.select(sa.func.count()).where(*self._mine())
            course.total = session.scalar(here) or 0
            course.note(session)
        return course

    def run(self, course: Course, author: str, heard: Heard = lambda _: None) -> None:
        """Want what the plan wrote put back, in portions."""
        last = course.place.get("last")
        after = last if isinstance(last, int) else 0
        while True:
            with self.store.transaction() as session:
                here = sa.select(PlanRow).where(*self._mine(), PlanRow.id > after)
                rows = session.scalars(here.order_by(PlanRow.id).limit(_PORTION)).all()
                if not rows:
                    course.note(session, finished=True)
                    return
                done = self._put_back(session, rows, author)
                after = rows[-1].id
                course.done += len(rows)
                course.counts[WANTED] += done
                course.counts[LEFT] += len(rows) - done
                course.place = {"last": after}
                course.note(session)
            heard(course)

    def _before(self, session: Session, plan: Plan) -> dict[str, str]:
        """The live set with this plan's documents as they were; what others published since stays."""
        live = drafts.live_set(session)
        moved = [
            path
            for path, text in plan.documents.items()
            if (live[path].text if path in live else None) != text
        ]
        if moved:
            raise ConnectorError(
                "published_since",
                f"{', '.join(sorted(moved))} was published again since plan {plan.id}",
                "Take the later version back first, or bring the documents back by rollback and plan that.",
            )
        versions = [plan.live[path] for path in plan.documents if path in plan.live]
        here = sa.select(Published).where(Published.id.in_(versions))
        texts = {row.path: row.text for row in session.scalars(here)}
        before = {path: texts.get(path) for path in plan.documents}
        return drafts.applied_to({path: each.text for path, each in live.items()}, before)

    def _put_back(self, session: Session, rows: Sequence[PlanRow], author: str) -> int:
        act = acts.act(session, KIND, author, {"plan": self.plan}, cause=Cause.RESTORE)
        scene = scene_for(session, self.catalogs, datetime.now(UTC), (act.id,), "operator")
        scene.author = author
        records, pairs = applying.locked(session, rows)
        done = 0
        for row in rows:
            record, mapping = records.get(row.record_id), scene.catalog.mappings.get(row.mapping)
            pair = pairs.get((row.record_id, row.mapping))
            if record is None or pair is None or pair.state is not PairState.OPEN:
                continue
            restored = _restored(record, row.values)
            if restored:
                change = Change(record.id, record.kind, restored, cause=Cause.RESTORE, notify=False)
                changes.alter(scene, record, change)
            if mapping is None:
                continue  # nothing of it is written any more
            effects.link_pair(session, scene.received, pair.id, record.version)
            fields = {name: each for name, each in row.fields.items() if name != KEY_FIELD}
            lane = applying.lane(mapping)
            outbox.want(session, pair.id, lane, Cause.RESTORE, recheck=True, restores=fields)
            done += 1
        effects.reckon(session, [act.id])
        return done

    def _mine(self) -> tuple[sa.ColumnElement[bool], ...]:
        return (PlanRow.plan_id == self.plan, PlanRow.verdict.in_(_WROTE))

    def _is_done(self) -> bool:
        with self.store.reading() as session:
            unfinished = runs.unfinished(session, KIND, str(self.plan))
            return unfinished is None and bool(runs.last_place(session, KIND, str(self.plan)))


def _restored(record: Record, taken: Mapping[str, Value]) -> dict[str, Value]:
    """The record's values as they were, of those that still hold what the plan brought."""
    pairs = {name: each for name, each in taken.items() if isinstance(each, list)}
    return {name: was for name, (was, then) in pairs.items() if record.values.get(name) == then}
