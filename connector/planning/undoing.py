"""Take a published plan back: its documents as they were, as new versions, and the values it wrote.

Only what nobody changed since is put back, row by row and field by field; rows that it made stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.lines import Cause
from connector.domain.states import PairState
from connector.domain.values import Value
from connector.errors import ConnectorError
from connector.mapping.loader import load, load_strictly
from connector.planning import applying, drafts
from connector.planning.portions import Heard, Portions
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import KEY_FIELD
from connector.store.session import Store
from connector.store.tables import Plan, PlanRow, PlanState, Published, Record, Verdict
from connector.sync import acts, changes, effects, outbox
from connector.sync.catalog import Catalogs
from connector.sync.incoming.intake import scene_for
from connector.sync.live import publishing
from connector.sync.runs import Course

KIND = "undo"
_WROTE = (Verdict.MATCH, Verdict.UPDATE)


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
                live = publishing.live_set(session)
                texts = self._before(session, plan, live)
        if plan.state is PlanState.PUBLISHED:
            schemas = publishing.fetch_schemas(self.gateway, load(texts))
            documents = load_strictly(texts, schemas)
            with self.store.transaction() as session:
                beside = publishing.versions_of(live)
                publishing.make_live(session, texts, documents, schemas, author, reason, beside)
                session.get_one(Plan, self.plan).state = PlanState.UNDONE
        elif plan.state is not PlanState.UNDONE or self._rows.was_carried_out():
            raise ConnectorError(
                "nothing_to_undo",
                f"plan {self.plan} {'was undone already' if plan.published_at else 'was never published'}",
                "List the plans: connector mappings plans.",
            )
        return self._rows.begin(author)

    def run(self, course: Course, author: str, heard: Heard = lambda _: None) -> None:
        """Want what the plan wrote put back, in portions."""
        self._rows.carry_out(course, partial(self._put_back, author), heard)

    @property
    def _rows(self) -> Portions:
        return Portions(self.store, KIND, self.plan, _WROTE)

    def _before(
        self, session: Session, plan: Plan, live: Mapping[str, Published]
    ) -> dict[str, str]:
        """The live set with this plan's documents as they were; what others published since stays."""
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

    def _put_back(self, author: str, session: Session, rows: Sequence[PlanRow]) -> int:
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


def _restored(record: Record, taken: Mapping[str, Value]) -> dict[str, Value]:
    """The record's values as they were, of those that still hold what the plan brought."""
    pairs = {name: each for name, each in taken.items() if isinstance(each, list)}
    return {name: was for name, (was, then) in pairs.items() if record.values.get(name) == then}
