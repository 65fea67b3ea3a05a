"""Jobs at work, each beside the calls that ask for it."""

import threading

from simulator.salesforce.bulk.extract import take
from simulator.salesforce.bulk.jobs import (
    IN_PROGRESS,
    JOB_COMPLETE,
    IngestJob,
    Job,
    QueryJob,
)
from simulator.salesforce.bulk.loading import load
from simulator.salesforce.bulk.pace import Pace
from simulator.salesforce.bulk.upload import BadContent
from simulator.salesforce.errors import Refusal
from simulator.salesforce.session import Org

MEBIBYTE = 1 << 20


def begin(org: Org, job: Job) -> None:
    """Set a job to work that its client has completed."""
    threading.Thread(target=_run, args=(org, job), daemon=True).start()


def _run(org: Org, job: Job) -> None:
    error = None
    try:
        _work(org, job, Pace(job, org.switches.bulk_seconds))
    except BadContent as problem:
        error = str(problem)
    except Refusal as refusal:
        error = f"InvalidBatch : {refusal.code}: {refusal.message}"
    except Exception as problem:
        # Whoever waits for the end of it would wait for ever.
        error = f"UNKNOWN_EXCEPTION : {problem!r}"
    with org.store.lock:
        if error is not None:
            job.fail(error)
        else:
            job.move(JOB_COMPLETE)


def _work(org: Org, job: Job, pace: Pace) -> None:
    if not pace.queue():
        return
    with org.store.lock:
        if not job.move(IN_PROGRESS):
            return
    if isinstance(job, IngestJob):
        load(org, job, pace)
    elif isinstance(job, QueryJob):
        _read(org, job)
    pace.reach(1.0)


def _read(org: Org, job: QueryJob) -> None:
    with org.store.transaction(job.user_id):
        if job.state == IN_PROGRESS:
            found = take(org.store, job.text, job.dialect, with_deleted=job.with_deleted)
            job.snapshot = found
            org.usage.spend("DailyBulkV2QueryFileStorageMB", -(-found.size() // MEBIBYTE))
