"""Go over a plan's rows in portions, each in a transaction of its own together with the place of the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.values import Value
from connector.store.session import Store
from connector.store.tables import PlanRow, Verdict
from connector.sync import runs
from connector.sync.runs import Begin, Course

SIZE = 1000
DONE, LEFT = "done", "left"  # rows that were carried on, and those that are not there any more

Carry = Callable[[Session, Sequence[PlanRow]], int]
Heard = Callable[[Course], None]


@dataclass(frozen=True)
class Portions:
    """The rows of one plan with certain verdicts, gone over by runs of one kind."""

    store: Store
    kind: str
    plan: int
    verdicts: tuple[Verdict, ...]

    def begin(self, author: str) -> Course:
        """Begin, or go on where an earlier call was broken off."""
        wanted: dict[str, Value] = {"plan": self.plan}
        course = runs.begin(self.store, self.kind, str(self.plan), wanted, author, Begin.FITTING)
        with self.store.transaction() as session:
            here = sa.select(sa.func.count()).where(*self._mine())
            course.total = session.scalar(here) or 0
            course.note(session)
        return course

    def was_carried_out(self) -> bool:
        """Whether an earlier call came to the end."""
        with self.store.reading() as session:
            if runs.unfinished(session, self.kind, str(self.plan)) is not None:
                return False
            return bool(runs.last_place(session, self.kind, str(self.plan)))

    def carry_out(self, course: Course, carry: Carry, heard: Heard) -> None:
        """Hand over portion after portion; `carry` says how many of its rows were still there."""
        last = course.place.get("last")
        after = last if isinstance(last, int) else 0
        while True:
            with self.store.transaction() as session:
                here = sa.select(PlanRow).where(*self._mine(), PlanRow.id > after)
                rows = session.scalars(here.order_by(PlanRow.id).limit(SIZE)).all()
                if rows:
                    done = carry(session, rows)
                    after = rows[-1].id
                    course.done += len(rows)
                    course.counts[DONE] += done
                    course.counts[LEFT] += len(rows) - done
                course.place = {"last": after}
                course.note(session, finished=not rows)
            if not rows:
                return
            heard(course)

    def _mine(self) -> tuple[sa.ColumnElement[bool], ...]:
        return (PlanRow.plan_id == self.plan, PlanRow.verdict.in_(self.verdicts))
