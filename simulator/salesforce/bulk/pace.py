"""How fast a job goes on: no faster than `bulk_seconds` says, and never past waiting calls."""

import time

from simulator.salesforce.bulk.jobs import Job

# Of the time that a job takes at least, so much goes by before its work begins.
QUEUED_SHARE = 0.2
# Between two steps the calls that wait for the store get their turn.
BREATH_SECONDS = 0.001


class Pace:
    """The clock of one job."""

    def __init__(self, job: Job, seconds: float) -> None:
        self._job = job
        self._seconds = seconds
        self._start = time.monotonic()

    def queue(self) -> bool:
        """Wait in line; whether the job is still wanted."""
        return self._wait(self._seconds * QUEUED_SHARE)

    def reach(self, share: float) -> bool:
        """Wait until a share of the work may be done; whether the job is still wanted."""
        working = self._seconds * (1 - QUEUED_SHARE) * share
        breath = BREATH_SECONDS if 0 < share < 1 else 0.0
        return self._wait(self._seconds * QUEUED_SHARE + working, breath)

    def _wait(self, until: float, least: float = 0.0) -> bool:
        left = max(least, self._start + until - time.monotonic())
        return not (self._job.stopped.wait(left) if left > 0 else self._job.stopped.is_set())
