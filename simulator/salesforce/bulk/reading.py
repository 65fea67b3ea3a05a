"""`/jobs/query`: jobs that read rows, from their creation to the pages of their results."""

import base64
import binascii

from simulator.salesforce.bulk import shown
from simulator.salesforce.bulk.calls import change, first_of, job_of, refuse_spent, remove
from simulator.salesforce.bulk.dialect import dialect_of
from simulator.salesforce.bulk.extract import Snapshot, checked
from simulator.salesforce.bulk.jobs import JOB_COMPLETE, UPLOAD_COMPLETE, QueryJob
from simulator.salesforce.bulk.work import begin
from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.errors import Refusal, not_found
from simulator.salesforce.session import Session

JOBS = "DailyBulkV2QueryJobs"
OPERATIONS = ("query", "queryAll")
# How many rows a page has where the call does not say.
ROWS_A_PAGE = 50_000
LINKS_AN_ANSWER = 5
NO_LOCATOR = "null"
LISTS_PAGES = 58.0


def all_jobs(session: Session, call: Call) -> Answer:
    """`GET`: the jobs; `POST`: a new job, which is worked off at once."""
    if call.method == "GET":
        jobs = [each for each in session.org.jobs.all() if isinstance(each, QueryJob)]
        return Answer(200, first_of(jobs, call))
    refuse_spent(session, JOBS)
    body = call.object_body()
    operation, text = body.get("operation"), body.get("query")
    if operation not in OPERATIONS or not isinstance(text, str):
        message = f"A query job has an operation ({' or '.join(OPERATIONS)}) and a query"
        raise Refusal("API_ERROR", message)
    job = QueryJob(
        id=session.org.jobs.next_id(),
        operation=operation,
        object_name=checked(session.store, text),
        user_id=call.user_id,
        version=call.version,
        dialect=dialect_of(body),
        client=call.client,
        text=text,
        state=UPLOAD_COMPLETE,
    )
    session.org.jobs.add(job)
    session.org.usage.spend(JOBS)
    answer = Answer(200, shown.created(job))
    begin(session.org, job)
    return answer


def one_job(session: Session, call: Call, job_id: str) -> Answer:
    """`GET`, `PATCH` (which aborts) and `DELETE` of one job."""
    job = job_of(session, call, job_id, QueryJob)
    if call.method == "GET":
        return Answer(200, shown.whole(job))
    if call.method == "DELETE":
        return remove(session, job)
    change(job, call)
    return Answer(200, shown.created(job))


def results(session: Session, call: Call, job_id: str) -> Answer:
    """`GET`: a page of the rows."""
    found = _complete(session, call, job_id)
    start = _place(call.query.get("locator", ""))
    end = min(start + _page_size(call), len(found.rows))
    if start > end:
        raise _no_such_place()
    headers = {
        "Content-Type": "text/csv",
        "Sforce-Locator": NO_LOCATOR if end == len(found.rows) else _locator(end),
        "Sforce-NumberOfRecords": str(end - start),
    }
    return Answer(200, found.page(start, end), headers, records=end - start)


def result_pages(session: Session, call: Call, job_id: str) -> Answer:
    """`GET`: where the pages are, a few at a time, to be fetched side by side."""
    if call.number < LISTS_PAGES:
        raise not_found()
    found = _complete(session, call, job_id)
    first = _place(call.query.get("nextLocator", ""))
    end = min(first + LINKS_AN_ANSWER * ROWS_A_PAGE, max(1, len(found.rows)))
    base = call.full_path.removesuffix("/").removesuffix("/resultPages")
    links = [
        {"resultUrl": f"{base}/results?locator={_locator(at)}"}
        for at in range(first, end, ROWS_A_PAGE)
    ]
    done = end >= len(found.rows)
    following = None if done else f"{base}/resultPages?nextLocator={_locator(end)}"
    return Answer(200, {"resultPages": links, "nextRecordsUrl": following, "done": done})


def _complete(session: Session, call: Call, job_id: str) -> Snapshot:
    job = job_of(session, call, job_id, QueryJob)
    if job.version != call.version:
        message = f"The job was created with API version {job.version[1:]}; use the same version"
        raise Refusal("API_ERROR", message, status=409)
    if job.state != JOB_COMPLETE or job.snapshot is None:
        raise Refusal("INVALIDJOBSTATE", f"The results of a job in state {job.state} are not ready")
    return job.snapshot


def _page_size(call: Call) -> int:
    wanted = call.query.get("maxRecords", str(ROWS_A_PAGE))
    if not wanted.isdecimal() or int(wanted) < 1:
        raise Refusal("API_ERROR", f"maxRecords is a whole number of at least 1, not {wanted}")
    return int(wanted)


def _locator(at: int) -> str:
    return base64.urlsafe_b64encode(str(at).encode()).decode().rstrip("=")


def _place(locator: str) -> int:
    if not locator:
        return 0
    try:
        place = base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4))
    except (binascii.Error, ValueError):
        raise _no_such_place() from None
    if not place.isdigit():
        raise _no_such_place()
    return int(place)


def _no_such_place() -> Refusal:
    return Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
