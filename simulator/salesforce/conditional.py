"""Conditional requests: by date on rows and describes, by ETag on accounts (facts section 11)."""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from zlib import crc32

from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.errors import Refusal
from simulator.salesforce.schema import ObjectType
from simulator.salesforce.store import Row

TAGGED = "Account"
MATCH, NONE_MATCH = "if-match", "if-none-match"
MODIFIED, UNMODIFIED = "if-modified-since", "if-unmodified-since"


def row_headers(kind: ObjectType, row: Row) -> dict[str, str]:
    """The headers that let a caller ask on condition later."""
    headers = {"Last-Modified": http_date(changed_at(row))}
    if kind.name == TAGGED:
        headers["ETag"] = tag_of(f"{row['Id']}{row['SystemModstamp']}")
    return headers


def unchanged_row(call: Call, kind: ObjectType, row: Row) -> Answer | None:
    """The 304 (or 412) of a read whose condition the row does not meet."""
    headers = row_headers(kind, row)
    if kind.name == TAGGED:
        _check_match(call, headers["ETag"])
    return unchanged(call, changed_at(row), headers)


def unchanged(call: Call, changed: datetime, headers: dict[str, str]) -> Answer | None:
    """The 304 of a read of something that has not changed."""
    none_match = call.headers.get(NONE_MATCH)
    if none_match is not None and "ETag" in headers:
        return Answer(304, headers=headers) if headers["ETag"] in none_match else None
    since = _date(call, MODIFIED)
    if since is not None and changed <= since:
        return Answer(304, headers=headers)
    unmodified = _date(call, UNMODIFIED)
    if unmodified is not None and changed > unmodified:
        raise _failed()
    return None


def check_write(call: Call, kind: ObjectType, row: Row | None) -> None:
    """Refuse a write whose condition the row does not meet; dates do not count for deletes."""
    if row is None:
        return
    if kind.name == TAGGED:
        _check_match(call, row_headers(kind, row)["ETag"])
    if call.method == "DELETE":
        return
    unmodified = _date(call, UNMODIFIED)
    if unmodified is not None and changed_at(row) > unmodified:
        raise _failed()
    since = _date(call, MODIFIED)
    if since is not None and changed_at(row) <= since:
        raise _failed()


def changed_at(row: Row) -> datetime:
    """When a row changed last."""
    return datetime.fromisoformat(row["SystemModstamp"])


def http_date(moment: datetime) -> str:
    """A moment as HTTP headers have it."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def tag_of(content: str) -> str:
    """The ETag of a content."""
    return f'"{crc32(content.encode()):08x}"'


def _check_match(call: Call, tag: str) -> None:
    wanted = call.headers.get(MATCH)
    if wanted is not None and wanted.strip() != "*" and tag not in wanted:
        raise _failed()
    refused = call.headers.get(NONE_MATCH)
    if refused is not None and call.method != "GET" and (tag in refused or "*" in refused):
        raise _failed()


def _date(call: Call, name: str) -> datetime | None:
    text = call.headers.get(name)
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        message = f"The {name} header must be a date such as 'Thu, 05 Jul 2012 15:31:30 GMT'"
        raise Refusal("INVALID_REQUEST_HEADER", message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _failed() -> Refusal:
    message = "One or more preconditions specified in the request headers failed"
    return Refusal("PRECONDITION_FAILED", message, status=412)
