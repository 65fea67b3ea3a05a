"""Rows by what happened to them: updated, deleted, recent; and the content of blob fields."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from typing import Any

from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.errors import Refusal, not_found
from simulator.salesforce.ids import long_form
from simulator.salesforce.rendering import render
from simulator.salesforce.schema import ObjectType
from simulator.salesforce.session import Session
from simulator.salesforce.store import Row
from simulator.salesforce.values import parse_datetime, stamp

UPDATED_DAYS, DELETED_DAYS = 30, 15
SHORTEST = timedelta(minutes=1)
MOST_IDS = 600_000
RECENT, MOST_RECENT = 10, 200
# Objects whose rows people do not open as records.
SETUP = frozenset(
    {
        "CaseStatus",
        "ContentDocumentLink",
        "ContentVersion",
        "FieldPermissions",
        "LeadStatus",
        "ObjectPermissions",
        "Organization",
        "PermissionSet",
        "PermissionSetAssignment",
        "Profile",
        "QueueSobject",
        "RecordType",
    }
)


def updated(session: Session, call: Call, name: str) -> Answer:
    """`GET /sobjects/X/updated/?start=&end=`."""
    kind = session.schema.get(name)
    start, end = _window(call, UPDATED_DAYS)
    found = [row["Id"] for row in _changed(session, kind, start, end) if "IsDeleted" not in row]
    if len(found) > MOST_IDS:
        raise Refusal("EXCEEDED_ID_LIMIT", f"more than {MOST_IDS} ids found")
    return Answer(200, {"ids": found, "latestDateCovered": end}, records=len(found))


def deleted(session: Session, call: Call, name: str) -> Answer:
    """`GET /sobjects/X/deleted/?start=&end=`."""
    kind = session.schema.get(name)
    start, end = _window(call, DELETED_DAYS)
    found = [
        {"id": row["Id"], "deletedDate": row["SystemModstamp"]}
        for row in _changed(session, kind, start, end)
        if "IsDeleted" in row
    ]
    company = next(iter(session.store.tables["Organization"].rows.values()))
    oldest = stamp(datetime.now(UTC) - timedelta(days=DELETED_DAYS))
    body = {
        "deletedRecords": found,
        "earliestDateAvailable": max(oldest, company["CreatedDate"]),
        "latestDateCovered": end,
    }
    return Answer(200, body, records=len(found))


def recent(session: Session, call: Call) -> Answer:
    """`GET /recent?limit=N`: the rows that the user wrote last."""
    wanted = call.query.get("limit", "")
    limit = min(int(wanted), MOST_RECENT) if wanted.isdecimal() else RECENT
    found = (
        (row["SystemModstamp"], row["Id"], kind)
        for kind in session.schema.objects.values()
        if kind.name not in SETUP
        for row in latest(session, kind, limit)
    )
    newest = nlargest(limit, found, key=lambda each: each[:2])
    return Answer(200, [_brief(session, call, kind, row_id) for _, row_id, kind in newest])


def recent_items(session: Session, call: Call, kind: ObjectType) -> list[dict[str, Any]]:
    """The `recentItems` of an object."""
    return [_brief(session, call, kind, row["Id"]) for row in latest(session, kind, RECENT)]


def latest(session: Session, kind: ObjectType, limit: int) -> Iterator[Row]:
    """The rows of an object that the user wrote last, the newest first."""
    table, user_id = session.store.tables[kind.name], session.transaction.user_id
    seen: set[str] = set()
    for row_id in table.newest():
        row = table.rows.get(row_id)
        if row_id in seen or row is None or "IsDeleted" in row:
            continue
        if row["LastModifiedById"] == user_id:
            seen.add(row_id)
            yield row
            if len(seen) == limit:
                return


def blob(session: Session, name: str, row_id: str, field_name: str) -> Answer | None:
    """The content of a blob field, or None where the path names none."""
    kind = session.schema.get(name)
    field = kind.find(field_name)
    if field is None or field.type != "base64":
        return None
    row = session.transaction.row(kind.name, long_form(row_id))
    if row is None or field.name not in row:
        raise not_found()
    content = b64decode(row[field.name])
    return Answer(200, content, {"Content-Type": "application/octet-stream"}, records=1)


def _changed(session: Session, kind: ObjectType, start: str, end: str) -> list[Row]:
    table = session.store.tables[kind.name]
    rows = (table.rows[row_id] for row_id in table.changed_since(start) if row_id in table.rows)
    found = [row for row in rows if start <= row["SystemModstamp"] <= end]
    return sorted(found, key=lambda row: (str(row["SystemModstamp"]), str(row["Id"])))


def _window(call: Call, days: int) -> tuple[str, str]:
    """Start and end as asked, cut to whole minutes."""
    moments = []
    for name in ("start", "end"):
        # A plus that nobody percent-encoded arrives as a space.
        text = parse_datetime(call.query.get(name, "").replace(" ", "+"))
        if text is None:
            raise Refusal("INVALID_REPLICATION_DATE", f"{name} must be a date and time")
        moments.append(datetime.fromisoformat(text).replace(second=0))
    start, end = moments
    if end - start < SHORTEST:
        message = "endDate must be at least one minute greater than startDate"
        raise Refusal("INVALID_REPLICATION_DATE", message)
    if start < datetime.now(UTC) - timedelta(days=days):
        message = f"startDate before org replication enabled date or more than {days} days ago"
        raise Refusal("INVALID_REPLICATION_DATE", message)
    return stamp(start), stamp(min(end, datetime.now(UTC)))


def _brief(session: Session, call: Call, kind: ObjectType, row_id: str) -> dict[str, Any]:
    fields = [kind.fields["Id"], kind.name_field]
    row = session.store.tables[kind.name].rows[row_id]
    return render(session.store, kind, row, call.version, fields)
