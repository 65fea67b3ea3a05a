"""One record that raises what nobody foresaw is stopped alone: the batch is halved until it is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from connector.sync import unforeseen
from connector.sync.outbox import ClaimsLost
from connector.sync.pairs.jobs import Job, Later

log = structlog.get_logger()

# no fault of any record: the database is away, or the batch is another worker's now
NOT_OURS = (OperationalError, InterfaceError, ClaimsLost)
_UNTOLD = "the answer to its write was not read"


def carry(
    jobs: Sequence[Job],
    attempt: Callable[[Sequence[Job]], None],
    bury: Callable[[Job, Exception], None],
) -> None:
    """Carry jobs out together; where that raises, in halves, down to the one that does not go."""
    try:
        attempt(jobs)
    except NOT_OURS:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a record does, the others are delivered
        left = _not_begun(jobs)
        log.warning("batch not delivered", rows=len(jobs), left=len(left), **unforeseen.told(error))
        if len(left) == 1:
            bury(left[0], error)
            return
        middle = len(left) // 2
        for half in (left[:middle], left[middle:]):
            if half:
                carry(half, attempt, bury)


def _not_begun(jobs: Sequence[Job]) -> list[Job]:
    """The jobs that can be begun anew; a write whose answer was not read is looked up first."""
    left = []
    for job in jobs:
        if not job.open or job.result is not None:
            continue
        if job.wrote or job.bulk_job is not None:
            job.end = Later(None, _UNTOLD, unseen_write=job.wrote)
        else:
            job.begin()
            left.append(job)
    return left
