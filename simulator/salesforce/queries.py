"""`/query`, `/queryAll` and their further pages (facts section 6)."""

import re
from collections.abc import Sequence
from typing import Any

from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.errors import Refusal
from simulator.salesforce.session import Session
from simulator.salesforce.soql.columns import columns
from simulator.salesforce.soql.run import run

SMALLEST_PAGE, LARGEST_PAGE = 200, 2000
BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)
LOCATOR = re.compile(r"(\w{18})-(\d+)")


def query(session: Session, call: Call, resource: str) -> Answer:
    """`GET /query?q=…` and `/queryAll?q=…`: the first page."""
    text = call.query.get("q")
    if not text:
        raise Refusal("MALFORMED_QUERY", "SOQL query not specified")
    if call.query.get("columns", "").lower() == "true":
        return Answer(200, columns(session.store, text))
    result = run(session.store, text, call.version, with_deleted=resource.lower() == "queryall")
    size = _page_size(call)
    cursor = ""
    if len(result.records) > size:
        cursor = session.org.cursors.open(call.user_id, result.records)
    return _page(call, result.records, result.total, cursor, 0)


def query_more(session: Session, call: Call, locator: str) -> Answer:
    """`GET {nextRecordsUrl}`: a further page."""
    found = LOCATOR.fullmatch(locator)
    if found is None:
        raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
    records = session.org.cursors.get(found[1], call.user_id)
    return _page(call, records, len(records), found[1], int(found[2]))


def _page(call: Call, records: Sequence[Any], total: int, cursor: str, start: int) -> Answer:
    end = start + _page_size(call)
    body: dict[str, Any] = {"totalSize": total, "done": end >= len(records)}
    if not body["done"]:
        body["nextRecordsUrl"] = f"/services/data/{call.version}/query/{cursor}-{end}"
    body["records"] = list(records[start:end])
    return Answer(200, body, records=len(body["records"]))


def _page_size(call: Call) -> int:
    found = BATCH_SIZE.search(call.headers.get("sforce-query-options", ""))
    wanted = int(found[1]) if found else LARGEST_PAGE
    return min(max(wanted, SMALLEST_PAGE), LARGEST_PAGE)
