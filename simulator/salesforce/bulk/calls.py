"""What the calls on jobs of both kinds have in common."""

from collections.abc import Sequence
from typing import Any, TypeVar

from simulator.salesforce.bulk import shown
from simulator.salesforce.bulk.jobs import (
    ABORTED,
    DELETABLE,
    ENDS,
    INGEST,
    OPEN,
    QUERY,
    UPLOAD_COMPLETE,
    IngestJob,
    Job,
)
from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.errors import Refusal, not_found
from simulator.salesforce.session import Session

J = TypeVar("J", bound=Job)
ACTS = {UPLOAD_COMPLETE: "Closing", ABORTED: "Aborting"}


def job_of(session: Session, call: Call, job_id: str, kind: type[J]) -> J:
    """A job that a call names; whose it is matters to all but those who look at its state."""
    job = session.org.jobs.find(job_id)
    if not isinstance(job, kind):
        raise not_found()
    looks = call.method == "GET" and call.path.rstrip("/").endswith(job_id)
    if job.user_id != call.user_id and not looks:
        raise Refusal("INVALIDUSER", "Only the user who created a job may use it")
    return job


def first_of(jobs: Sequence[Job], call: Call) -> dict[str, Any]:
    """The answer of a list of jobs, from the place that the call names."""
    locator = call.query.get("queryLocator", "0")
    if not locator.isdecimal():
        raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
    wanted = call.query.get("jobType")
    chunked = call.query.get("isPkChunkingEnabled", "").lower() == "true"
    found = [
        each
        for each in jobs
        if wanted in (None, INGEST if isinstance(each, IngestJob) else QUERY) and not chunked
    ]
    return shown.page(found, call.full_path, int(locator))


def change(job: Job, call: Call) -> str:
    """The state that a `PATCH` asks for, which the job can go to."""
    wanted = call.object_body().get("state")
    act = ACTS.get(wanted) if isinstance(wanted, str) else None
    if act is None:
        raise Refusal("INVALIDJOB", f"state can be set to {' or '.join(ACTS)}, not to {wanted}")
    if job.state in ENDS or (wanted == UPLOAD_COMPLETE and job.state != OPEN):
        told = "Aborted" if job.state == ABORTED else "Completed"
        raise Refusal("INVALIDJOBSTATE", f"{act} already {told} Job not allowed")
    if wanted == ABORTED:
        job.move(ABORTED)
    return str(wanted)


def remove(session: Session, job: Job) -> Answer:
    """`DELETE` of a job."""
    if job.state not in DELETABLE:
        raise Refusal("INVALIDJOBSTATE", f"Deleting a Job in state {job.state} not allowed")
    session.org.jobs.remove(job)
    return Answer(204)


def refuse_spent(session: Session, name: str) -> None:
    """Refuse a job for which nothing of the day's allocation is left."""
    if session.org.usage.remaining(name) <= 0:
        raise Refusal("EXCEEDEDQUOTA", f"{name} Limit exceeded.")
