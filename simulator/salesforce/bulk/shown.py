"""Jobs as the API shows them."""

from collections.abc import Sequence
from typing import Any

from simulator.salesforce.bulk.dialect import CONTENT_TYPE
from simulator.salesforce.bulk.jobs import INGEST, QUERY, IngestJob, Job
from simulator.salesforce.values import stamp

JOBS_A_PAGE = 1000


def created(job: Job) -> dict[str, Any]:
    """A job as the calls answer that create or move it."""
    shown: dict[str, Any] = {
        "id": job.id,
        "operation": job.operation,
        "object": job.object_name,
        "createdById": job.user_id,
        "createdDate": stamp(job.created),
        "systemModstamp": stamp(job.changed),
        "state": job.state,
    }
    if isinstance(job, IngestJob):
        if job.key_field is not None:
            shown["externalIdFieldName"] = job.key_field
        if job.assignment_rule is not None:
            shown["assignmentRuleId"] = job.assignment_rule
    shown |= {
        "concurrencyMode": "Parallel",
        "contentType": CONTENT_TYPE,
        "apiVersion": float(job.version[1:]),
    }
    if isinstance(job, IngestJob):
        shown["contentUrl"] = f"services/data/{job.version}/jobs/ingest/{job.id}/batches"
    shown["lineEnding"] = job.dialect.line_end_name
    shown["columnDelimiter"] = job.dialect.delimiter_name
    return shown


def listed(job: Job) -> dict[str, Any]:
    """A job as the list of all jobs has it."""
    return {**created(job), "jobType": INGEST if isinstance(job, IngestJob) else QUERY}


def whole(job: Job) -> dict[str, Any]:
    """A job with how far it came."""
    shown = {
        **listed(job),
        "numberRecordsProcessed": job.processed,
        "retries": 0,
        "totalProcessingTime": job.processing_ms,
    }
    if isinstance(job, IngestJob):
        shown |= {
            "numberRecordsFailed": job.outcome.failed,
            "apiActiveProcessingTime": job.processing_ms,
            "apexProcessingTime": 0,
        }
    if job.error is not None:
        shown["errorMessage"] = job.error
    return shown


def page(jobs: Sequence[Job], base: str, start: int) -> dict[str, Any]:
    """Some of the jobs, and where the others are."""
    end = start + JOBS_A_PAGE
    done = end >= len(jobs)
    return {
        "done": done,
        "records": [listed(each) for each in jobs[start:end]],
        "nextRecordsUrl": None if done else f"{base}?queryLocator={end}",
    }
