"""Jobs and the states they go through; every move is made under the lock of the store."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from simulator.salesforce.bulk.dialect import Dialect
from simulator.salesforce.bulk.extract import Snapshot
from simulator.salesforce.bulk.outcome import Outcome
from simulator.salesforce.bulk.upload import Upload
from simulator.salesforce.faults import Place
from simulator.salesforce.ids import SHORT, mint

PREFIX = "750"
OPEN, UPLOAD_COMPLETE, IN_PROGRESS = "Open", "UploadComplete", "InProgress"
JOB_COMPLETE, FAILED, ABORTED = "JobComplete", "Failed", "Aborted"
MOVES: Mapping[str, frozenset[str]] = {
    OPEN: frozenset({UPLOAD_COMPLETE, ABORTED}),
    UPLOAD_COMPLETE: frozenset({IN_PROGRESS, FAILED, ABORTED}),
    IN_PROGRESS: frozenset({JOB_COMPLETE, FAILED, ABORTED}),
    JOB_COMPLETE: frozenset(),
    FAILED: frozenset(),
    ABORTED: frozenset(),
}
ENDS = frozenset(state for state, following in MOVES.items() if not following)
DELETABLE = ENDS | {UPLOAD_COMPLETE}
INGEST, QUERY = "V2Ingest", "V2Query"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Job:
    """What jobs of both kinds have."""

    id: str
    operation: str
    object_name: str
    user_id: str
    # As `v62.0`.
    version: str
    dialect: Dialect
    client: str | None
    state: str = OPEN
    error: str | None = None
    created: datetime = field(default_factory=_now)
    changed: datetime = field(default_factory=_now)
    begun: datetime | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def move(self, to: str) -> bool:
        """Go on to a state, unless the job has gone elsewhere meanwhile."""
        if to not in MOVES[self.state]:
            return False
        self.state, self.changed = to, _now()
        if to == IN_PROGRESS:
            self.begun = self.changed
        if to in ENDS:
            self.stopped.set()
        return True

    def fail(self, error: str) -> None:
        """End without having done the work."""
        if self.move(FAILED):
            self.error = error

    @property
    def processed(self) -> int:
        """How many rows it has worked off."""
        return 0

    @property
    def processing_ms(self) -> int:
        """How long it has been or was worked off."""
        if self.begun is None:
            return 0
        end = self.changed if self.state in ENDS else _now()
        return round((end - self.begun).total_seconds() * 1000)


@dataclass(slots=True, kw_only=True)
class IngestJob(Job):
    """A job that writes rows."""

    key_field: str | None = None
    assignment_rule: str | None = None
    # Whether rows are saved although a duplicate rule warns of them.
    allow_save: bool = False
    uploads: int = 0
    upload: Upload | None = None
    outcome: Outcome = field(default_factory=Outcome)
    # The call that set the job to work, by which faults know it.
    place: Place = ("", "")

    @property
    def processed(self) -> int:
        """How many rows were written or refused."""
        return self.outcome.processed


@dataclass(slots=True, kw_only=True)
class QueryJob(Job):
    """A job that reads rows."""

    text: str
    snapshot: Snapshot | None = None

    @property
    def processed(self) -> int:
        """How many rows were found."""
        return 0 if self.snapshot is None else len(self.snapshot.rows)

    @property
    def with_deleted(self) -> bool:
        """Whether it reads the recycle bin too."""
        return self.operation == "queryAll"


class Jobs:
    """The jobs of an org since its start."""

    def __init__(self) -> None:
        self._known: dict[str, Job] = {}
        self._serial = int(_now().timestamp())

    def next_id(self) -> str:
        """The id of a new job, greater than all before."""
        self._serial += 1
        return mint(PREFIX, self._serial)

    def add(self, job: Job) -> None:
        """Take in a new job."""
        self._known[job.id[:SHORT]] = job

    def find(self, job_id: str) -> Job | None:
        """A job by its id of 15 or 18 characters."""
        return self._known.get(job_id[:SHORT])

    def all(self) -> list[Job]:
        """Every job, the oldest first."""
        return list(self._known.values())

    def remove(self, job: Job) -> None:
        """Forget a job; one that was waiting is not worked off any more."""
        job.move(ABORTED)
        self._known.pop(job.id[:SHORT], None)

    def clear(self) -> None:
        """Forget all jobs; those under way stop."""
        for each in self.all():
            self.remove(each)
