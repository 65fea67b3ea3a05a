"""What is kept of Bulk jobs: which there are, and which pairs' rows went into them.

A job is stored with its pairs before anything is uploaded. Whoever claims such a pair later
knows whom to ask what became of it; when the pairs are settled the job is closed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from connector.store.arrays import array
from connector.store.session import among
from connector.store.tables import BulkJob, Outbox, Pair
from connector.sync.pairs.jobs import Job

_QUIET = {"synchronize_session": False}


def tie(session: Session, row: BulkJob, jobs: Sequence[Job]) -> set[UUID]:
    """Note that these pairs' rows go into a job, and what they say; gives those still ours to write."""
    ids = sorted(job.pair.id for job in jobs)
    session.execute(
        sa.select(Pair.id).where(among(Pair.id, ids)).order_by(Pair.id).with_for_update()
    )
    said = (
        sa.func.unnest(
            sa.literal([job.pair.id for job in jobs], array(sa.Uuid())),
            sa.literal([_attempt(job) for job in jobs], array(sa.Text())),
        )
        .table_valued("pair_id", "attempt")
        .render_derived()
    )
    mine = sa.exists().where(
        Outbox.pair_id == Pair.id,
        Outbox.claim_token.in_({job.intent.claim_token for job in jobs}),
    )
    tied = (
        sa.update(Pair)
        .where(Pair.id == said.c.pair_id, mine)
        .values(bulk_job_id=row.id, attempt=sa.cast(said.c.attempt, JSONB))
        .returning(Pair.id)
        .execution_options(**_QUIET)
    )
    return set(session.scalars(tied))


def _attempt(job: Job) -> str:
    return orjson.dumps(job.outcome.sent if job.outcome is not None else {}).decode()


def note_state(session: Session, row: BulkJob, state: str, reason: str = "") -> None:
    """Keep what the org last told of a job."""
    told = {"state": state, "reason": reason[:1000] or None}
    session.execute(
        sa.update(BulkJob).where(BulkJob.id == row.id).values(**told).execution_options(**_QUIET)
    )


def unheard(session: Session, jobs: Collection[Job]) -> Mapping[BulkJob, list[Job]]:
    """The Bulk jobs, not closed yet, that rows of these jobs went into."""
    tied = {job.pair.bulk_job_id for job in jobs} - {None}
    if not tied:
        return {}
    here = sa.select(BulkJob).where(BulkJob.id.in_(tied), BulkJob.closed_at.is_(None))
    return {
        row: [job for job in jobs if job.pair.bulk_job_id == row.id]
        for row in session.scalars(here)
    }


def close_settled(session: Session) -> None:
    """Close the jobs that no pair waits to hear of any more."""
    awaited = sa.exists().where(Pair.bulk_job_id == BulkJob.id)
    session.execute(
        sa.update(BulkJob)
        .where(BulkJob.closed_at.is_(None), ~awaited)
        .values(closed_at=sa.func.clock_timestamp())
        .execution_options(**_QUIET)
    )
