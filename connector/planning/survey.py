"""Make a plan: go over the records there are, in pages, and keep what would become of each.

A page is read in one transaction, looked up without any, and kept in another together with the place;
so a plan that is broken off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.values import Value
from connector.errors import ConnectorError
from connector.planning import pages, tallies
from connector.planning.drafts import Draft
from connector.planning.foreseeing import Foreseen, Foresight
from connector.planning.pages import Page
from connector.planning.trying import Trial
from connector.salesforce.gateway import Gateway
from connector.store.session import Store
from connector.store.tables import Plan, PlanRow, PlanState, Verdict
from connector.sync import runs
from connector.sync.catalog import Catalogs
from connector.sync.runs import Begin, Course

KIND = "plan"
_COUNTED = (Verdict.UNCHANGED, Verdict.LEFT_OUT)

Heard = Callable[[Course], None]


@dataclass(frozen=True)
class Survey:
    """One plan being made."""

    store: Store
    catalogs: Catalogs
    gateway: Gateway
    draft: Draft
    tries: int = 0  # rows of each mapping that the org itself is asked about

    def begin(self, author: str, how: Begin = Begin.FITTING) -> Course:
        """Begin it, or go on with the one that was left unfinished over the same documents."""
        if not self.draft.mappings:
            raise ConnectorError(
                "nothing_to_plan",
                "no mapping that runs would be different: publishing changes no record",
                "Publish at once, or name mappings to be looked at with --mapping.",
            )
        wanted: dict[str, Value] = {
            "documents": _fingerprint(self.draft),
            "mappings": list(self.draft.mappings),
            "tries": self.tries,
        }
        course = runs.begin(self.store, KIND, "*", wanted, author, how)
        with self.store.transaction() as session:
            if "plan" not in course.place:
                course.place = {"plan": self._new_plan(session, author), "kind": "", "after": ""}
            course.total = pages.count(session, [kind for kind, _ in self._kinds()])
            course.note(session)
        return course

    def run(self, course: Course, heard: Heard = lambda _: None) -> int:
        """Carry it to its end; the plan's number."""
        plan = _number(course)
        with self.store.reading() as session:
            live = self.catalogs.live(session).mappings
        trial = Trial(self.gateway, self.tries) if self.tries else None
        foresight = Foresight(self.gateway, live, trial=trial)
        reached = str(course.place.get("kind") or "")
        passed = bool(reached)
        for kind, names in self._kinds():
            if passed and kind != reached:
                continue
            after = UUID(str(course.place["after"])) if passed else pages.FIRST
            passed = False
            self._look_at(kind, names, after, foresight, course, heard)
        with self.store.transaction() as session:
            found = tallies.tallies(course.counts)
            session.execute(
                sa.update(Plan)
                .where(Plan.id == plan)
                .values(
                    state=PlanState.READY,
                    counts=dict(course.counts),
                    calls=tallies.calls(found.values()),
                )
            )
            course.note(session, finished=True)
        return plan

    def _look_at(
        self,
        kind: str,
        names: Collection[str],
        after: UUID,
        foresight: Foresight,
        course: Course,
        heard: Heard,
    ) -> None:
        for page in self._pages(kind, names, after):
            seen = foresight.foresee(page.jobs)
            with self.store.transaction() as session:
                _keep(session, _number(course), seen)
                tallies.count(course.counts, seen, page.left_out)
                course.done += page.records
                course.place = {**course.place, "kind": kind, "after": str(page.last)}
                course.note(session)
            heard(course)

    def _pages(self, kind: str, names: Collection[str], after: UUID) -> Iterator[Page]:
        """Page after page; the next one is read while one is worked on."""

        def read(after: UUID) -> Page | None:
            return pages.read(self.store, self.draft.catalog, kind, names, after)

        with ThreadPoolExecutor(1) as beside:
            page = read(after)
            while page is not None:
                coming = beside.submit(read, page.last)
                yield page
                page = coming.result()

    def _kinds(self) -> list[tuple[str, tuple[str, ...]]]:
        return list(pages.kinds(self.draft.catalog, self.draft.mappings))

    def _new_plan(self, session: Session, author: str) -> int:
        plan = Plan(
            documents=dict(self.draft.changes),
            live=dict(self.draft.live),
            mappings=list(self.draft.mappings),
            author=author,
        )
        session.add(plan)
        session.flush()
        return plan.id


def _number(course: Course) -> int:
    plan = course.place["plan"]
    assert isinstance(plan, int)  # noqa: S101 - `begin` put it there
    return plan


def _keep(session: Session, plan: int, seen: Sequence[Foreseen]) -> None:
    rows = [
        {
            "plan_id": plan,
            "mapping": each.mapping,
            "record_id": each.record,
            "version": each.version,
            "salesforce_id": each.salesforce_id,
            "verdict": each.verdict,
            "fields": each.fields,
            "values": each.values,
            "reason": each.reason,
            "next_step": each.next_step,
        }
        for each in seen
        if each.verdict not in _COUNTED
    ]
    if rows:
        session.execute(sa.insert(PlanRow.metadata.tables[PlanRow.__tablename__]), rows)


def _fingerprint(draft: Draft) -> str:
    told = {"changes": dict(draft.changes), "live": dict(draft.live)}
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()
