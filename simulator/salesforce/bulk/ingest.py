"""`/jobs/ingest`: jobs that write rows, from their creation to their result files."""

from collections.abc import Mapping
from typing import Any

import orjson

from simulator.salesforce.bulk import outcome, shown
from simulator.salesforce.bulk.calls import change, first_of, job_of, refuse_spent, remove
from simulator.salesforce.bulk.dialect import dialect_of
from simulator.salesforce.bulk.jobs import ENDS, OPEN, UPLOAD_COMPLETE, IngestJob
from simulator.salesforce.bulk.loading import HARD_DELETE, OPERATIONS
from simulator.salesforce.bulk.upload import Upload
from simulator.salesforce.bulk.work import begin
from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.errors import Refusal, bad_json
from simulator.salesforce.ids import is_id
from simulator.salesforce.multipart import parts_of
from simulator.salesforce.schema import ObjectType
from simulator.salesforce.session import Session

BATCHES = "DailyBulkApiBatches"
ROWS_A_BATCH = 10_000
LARGEST_UPLOAD = 100_000_000
LARGEST_PART = 100_000
SAYS_FAILED_IDS = 53.0
CSV_HEADERS = {"Content-Type": "text/csv"}


def all_jobs(session: Session, call: Call) -> Answer:
    """`GET`: the jobs; `POST`: a new job, with its content where the body is multipart."""
    if call.method == "GET":
        jobs = [each for each in session.org.jobs.all() if isinstance(each, IngestJob)]
        return Answer(200, first_of(jobs, call))
    if not isinstance(call.body, bytes):
        job = _created(session, call, call.object_body())
        return Answer(200, shown.created(job))
    kind = call.headers.get("content-type", "")
    parts = {each.name: each.content for each in parts_of(call.body, kind)}
    if "job" not in parts or "content" not in parts:
        raise Refusal("INVALIDJOB", "A multipart body has the parts 'job' and 'content'")
    if len(parts["content"].decode("utf-8", "replace")) > LARGEST_PART:
        raise _too_large(f"The content of a multipart body has at most {LARGEST_PART} characters")
    job = _created(session, call, _json(parts["job"]))
    _take(job, parts["content"])
    _complete(session, call, job)
    return Answer(200, shown.created(job), records=_rows(job))


def one_job(session: Session, call: Call, job_id: str) -> Answer:
    """`GET`, `PATCH` (which completes the upload or aborts) and `DELETE` of one job."""
    job = job_of(session, call, job_id, IngestJob)
    if call.method == "GET":
        return Answer(200, shown.whole(job))
    if call.method == "DELETE":
        return remove(session, job)
    if change(job, call) == UPLOAD_COMPLETE:
        _complete(session, call, job)
    return Answer(200, shown.created(job))


def content(session: Session, call: Call, job_id: str) -> Answer:
    """`PUT`: the rows, once."""
    job = job_of(session, call, job_id, IngestJob)
    if job.state != OPEN:
        raise Refusal("INVALIDJOBSTATE", f"Job data can be uploaded while it is {OPEN} only")
    body = b"" if call.body is None else call.body
    if not isinstance(body, bytes):
        message = "The content of a job is sent as text/csv"
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", message, status=415)
    if len(body) > LARGEST_UPLOAD:
        raise _too_large(f"The content of a job has at most {LARGEST_UPLOAD} bytes")
    _take(job, body)
    return Answer(201, b"", records=_rows(job))


def results(session: Session, call: Call, job_id: str, which: str) -> Answer:
    """`GET` of a result file."""
    job = job_of(session, call, job_id, IngestJob)
    if job.state not in ENDS:
        raise Refusal("INVALIDJOBSTATE", f"The results of a job in state {job.state} are not ready")
    upload, found = job.upload or Upload(b"", job.dialect), job.outcome
    if which.lower() == "successfulresults":
        body = outcome.successful(found, upload, job.dialect)
        rows = found.processed - found.failed
    elif which.lower() == "failedresults":
        with_ids = call.number >= SAYS_FAILED_IDS
        body = outcome.failed(found, upload, job.dialect, with_ids=with_ids)
        rows = found.failed
    else:
        body = outcome.unprocessed(found, upload, job.dialect)
        rows = upload.count - found.processed
    return Answer(200, body, dict(CSV_HEADERS), records=rows)


def _created(session: Session, call: Call, body: Mapping[str, Any]) -> IngestJob:
    refuse_spent(session, BATCHES)
    kind = _kind(session, body)
    operation, rule = body.get("operation"), body.get("assignmentRuleId")
    if not isinstance(operation, str) or operation not in OPERATIONS:
        message = f"operation {operation} is not supported; it is one of {', '.join(OPERATIONS)}"
        raise Refusal("INVALIDJOB", message)
    if operation == HARD_DELETE and not session.org.switches.bulk_hard_delete:
        message = "hardDelete operation requires the user permission Bulk API Hard Delete"
        raise Refusal("FEATURENOTENABLED", message)
    if rule is not None and not is_id(rule):
        raise Refusal("INVALIDJOB", f"assignmentRuleId {rule} is not an id")
    job = IngestJob(
        id=session.org.jobs.next_id(),
        operation=operation,
        object_name=kind.name,
        user_id=call.user_id,
        version=call.version,
        dialect=dialect_of(body),
        client=call.client,
        key_field=_key(kind, body) if operation == "upsert" else None,
        assignment_rule=rule,
        allow_save=session.writer.allow_save,
    )
    session.org.jobs.add(job)
    return job


def _kind(session: Session, body: Mapping[str, Any]) -> ObjectType:
    name = body.get("object")
    kind = session.schema.find(name) if isinstance(name, str) else None
    if kind is None:
        raise Refusal("INVALIDENTITY", f"Unable to find object: {name}")
    return kind


def _key(kind: ObjectType, body: Mapping[str, Any]) -> str:
    name = body.get("externalIdFieldName")
    if not isinstance(name, str) or not name:
        message = f"External ID was blank for {kind.name}. An External ID must be specified."
        raise Refusal("INVALIDJOB", message)
    field = kind.find(name)
    if field is None or not field.is_key:
        message = f"Field name provided, {name} does not match an External ID for {kind.name}"
        raise Refusal("INVALIDJOB", message)
    return field.name


def _take(job: IngestJob, body: bytes) -> None:
    job.uploads += 1
    job.upload = Upload(body, job.dialect)


def _complete(session: Session, call: Call, job: IngestJob) -> None:
    job.move(UPLOAD_COMPLETE)
    job.place = (call.method, f"/services/data/{call.version}/jobs/ingest/{job.id}")
    session.org.usage.spend(BATCHES, max(1, -(-_rows(job) // ROWS_A_BATCH)))
    begin(session.org, job)


def _rows(job: IngestJob) -> int:
    return 0 if job.upload is None else job.upload.count


def _json(text: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        message = f"Unexpected character at [line:{problem.lineno}, column:{problem.colno}]"
        raise bad_json(message) from None
    if not isinstance(found, dict):
        raise bad_json("The part 'job' must be an object")
    return found


def _too_large(message: str) -> Refusal:
    return Refusal("EXCEEDEDQUOTA", message)
