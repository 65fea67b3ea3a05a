"""Long pieces of work that an operator asked for, and how far each came.

The place is committed with the work before it, so a run that was interrupted goes on. A note is a
compare-and-set on the moment of the last one: two processes never carry on the same run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.domain.values import Value
from connector.errors import ConnectorError
from connector.store.session import Store
from connector.store.tables import Run

_NOW = sa.func.clock_timestamp()


class Begin(StrEnum):
    """What to do where a run of this kind and subject was left unfinished."""

    FITTING = "fitting"  # go on if the same was asked for, else refuse
    RESUME = "resume"  # go on, whatever is asked for now
    ANEW = "anew"  # give it up


class RunElsewhere(ConnectorError):
    """Another process goes on with this run, or has ended it."""

    def __init__(self, kind: str, subject: str) -> None:
        super().__init__(
            "run_elsewhere",
            f"another process goes on with this {kind} of {subject}",
            "Let it finish, or end it and call the command again.",
        )


@dataclass
class Course:
    """An unfinished run as this process carries it on."""

    id: int
    kind: str
    subject: str
    wanted: dict[str, Value]
    place: dict[str, Value]
    done: int
    total: int | None
    counts: Counter[str]
    stamp: datetime
    resumed: bool = False

    def note(self, session: Session, *, finished: bool = False) -> None:
        """Write down how far it came, in the transaction of the work itself."""
        mine = sa.update(Run).where(
            Run.id == self.id, Run.updated_at == self.stamp, Run.finished_at.is_(None)
        )
        values = {
            "place": self.place,
            "done": self.done,
            "total": self.total,
            "counts": dict(self.counts),
            "updated_at": _NOW,
            "finished_at": _NOW if finished else None,
        }
        noted = mine.values(**values).returning(Run.updated_at)
        stamp = session.scalar(noted.execution_options(synchronize_session=False))
        if stamp is None:
            raise RunElsewhere(self.kind, self.subject)
        self.stamp = stamp


def begin(
    store: Store,
    kind: str,
    subject: str,
    wanted: dict[str, Value],
    author: str,
    how: Begin = Begin.FITTING,
) -> Course:
    """Begin a run, or go on with the one that was left unfinished."""
    with store.transaction() as session:
        if how is Begin.ANEW:
            session.execute(sa.update(Run).where(*_left(kind, subject)).values(finished_at=_NOW))
        fresh = insert(Run).values(
            kind=kind, subject=subject, wanted=wanted, counts={}, author=author
        )
        made = session.scalar(fresh.on_conflict_do_nothing().returning(Run.id))
        here = sa.select(Run).where(*_left(kind, subject)).with_for_update()
        run = session.scalars(here).one()
        if made is None:
            _check(run, wanted, how)
        elif how is Begin.RESUME:
            raise _nothing_left(kind, subject)
        return _course(run, resumed=made is None)


def last_place(session: Session, kind: str, subject: str) -> dict[str, Value]:
    """Where the newest run of this kind and subject stands, finished or not."""
    mine = (Run.kind == kind, Run.subject == subject, Run.place.is_not(None))
    here = sa.select(Run.place).where(*mine)
    return dict(session.scalar(here.order_by(Run.id.desc()).limit(1)) or {})


def unfinished(session: Session, kind: str, subject: str) -> Run | None:
    """The run that was left unfinished, if there is one."""
    return session.scalars(sa.select(Run).where(*_left(kind, subject))).one_or_none()


def _left(kind: str, subject: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (Run.kind == kind, Run.subject == subject, Run.finished_at.is_(None))


def _check(run: Run, wanted: dict[str, Value], how: Begin) -> None:
    if how is Begin.FITTING and run.wanted != wanted:
        raise ConnectorError(
            "run_unfinished",
            f"a {run.kind} of {run.subject} with other options was left unfinished at {run.done} rows",
            "Go on with it by --resume, or give it up by --anew.",
        )


def _nothing_left(kind: str, subject: str) -> ConnectorError:
    return ConnectorError(
        "nothing_to_resume",
        f"no {kind} of {subject} was left unfinished",
        "Call it without --resume.",
    )


def _course(run: Run, *, resumed: bool) -> Course:
    counts = {name: count for name, count in run.counts.items() if isinstance(count, int)}
    return Course(
        run.id,
        run.kind,
        run.subject,
        dict(run.wanted),
        dict(run.place or {}),
        run.done,
        run.total,
        Counter(counts),
        run.updated_at,
        resumed,
    )
