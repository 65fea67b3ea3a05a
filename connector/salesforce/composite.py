"""Steps as subrequests of one composite call, and their answers read back.

Source: REST API Developer Guide, "Composite" and "sObject Collections".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connector.domain.faults import Fault, FaultKind
from connector.mapping.canonical import long_id
from connector.salesforce.faults import fault_of, faults_of, unknown_outcome
from connector.salesforce.rows import flat
from connector.salesforce.soql import MAX_LENGTH, selected
from connector.salesforce.steps import (
    Delete,
    Insert,
    Lone,
    Part,
    Query,
    Read,
    Rehearsal,
    Result,
    RowFailed,
    RowOk,
    Rows,
    StepFailed,
    Update,
    Upsert,
)

MAX_STEPS = 5  # queries and collections; the other twenty subrequests may only be single rows
MAX_WRITTEN = 200
MAX_READ = 2000
MAX_REHEARSED = 24  # single rows beside the one subrequest that fails
_UNDO, _NO_FIELD = "undo", "LINE_Undo__c"
REFERENCE = (
    b"@{"  # composite replaces these in bodies, so a value that holds one must not travel in one
)


def refuse_oversize(steps: Sequence[Part]) -> None:
    """Raise `ValueError` for what the API would refuse as a whole."""
    if not 0 < len(steps) <= MAX_STEPS:
        raise ValueError(
            f"a composite call takes 1 to {MAX_STEPS} queries and collections, not {len(steps)}"
        )
    if len({step.ref for step in steps}) != len(steps):
        raise ValueError("two steps of one call have the same ref")
    for step in steps:
        _refuse_oversize(step)


def _refuse_oversize(step: Part) -> None:
    if isinstance(step, Query):
        size, most = len(step.soql), MAX_LENGTH
    elif isinstance(step, Read):
        size, most = len(step.ids), MAX_READ
    else:
        size, most = len(step.rows), MAX_WRITTEN
    if size > most:
        raise ValueError(f"{type(step).__name__} {step.ref!r} is too large: {size} > {most}")


def subrequest(step: Part, version: str, reference: str, *, assign: bool) -> dict[str, Any]:
    """One subrequest; it says its assignment rules itself, for it inherits three headers only."""
    method, path, body = resource(step)
    request: dict[str, Any] = {
        "method": method,
        "url": f"/services/data/v{version}/{path}",
        "referenceId": reference,
    }
    if body is not None:
        request["body"] = body
    if isinstance(step, Upsert | Update):
        request["httpHeaders"] = {"Sforce-Auto-Assign": _auto_assign(step, assign=assign)}
    return request


def resource(step: Part) -> tuple[str, str, dict[str, Any] | None]:
    """Method, path below the version, and body of a step."""
    match step:
        case Query():
            return (
                "GET",
                f"{'queryAll' if step.deleted else 'query'}?q={quote(step.soql, safe='')}",
                None,
            )
        case Read():
            body = {"ids": list(step.ids), "fields": list(step.fields)}
            return "POST", f"composite/sobjects/{step.object}", body
        case Upsert():
            return "PATCH", f"composite/sobjects/{step.object}/{step.key_field}", _records(step)
        case Update():
            return "PATCH", "composite/sobjects", _records(step)


def auto_assign(steps: Sequence[Part], *, assign: bool) -> str:
    """The header of the whole call: rules run only where an upsert asked for them."""
    return "TRUE" if assign and any(isinstance(step, Upsert) for step in steps) else "FALSE"


def _auto_assign(step: Part, *, assign: bool) -> str:
    return auto_assign((step,), assign=assign)


def _records(step: Upsert | Update | Insert) -> dict[str, Any]:
    mark = {"type": step.object}
    return {"allOrNone": False, "records": [{"attributes": mark, **row} for row in step.rows]}


def result(step: Part, status: int, body: Any) -> Result:
    """What a subrequest's answer means for its step."""
    if status >= 300:
        fault = faults_of(body, status, object_name=_object(step))[0]
        unsure = status >= 500 and isinstance(step, Upsert | Update)
        return StepFailed(unknown_outcome(fault) if unsure else fault)
    match step:
        case Query():
            return _queried(step, body or {})
        case Read():
            rows = body or []
            return Rows(
                [None if row is None else flat(row, step.fields) for row in rows], len(rows)
            )
        case Upsert() | Update():
            return _written(step, body or [])


def _queried(step: Query, body: Mapping[str, Any]) -> Rows:
    names = selected(step.soql)
    records = body.get("records") or []
    return Rows([flat(row, names) for row in records], int(body.get("totalSize") or 0))


def lone_result(
    step: Lone, body: Sequence[Mapping[str, Any]]
) -> list[RowOk | RowFailed] | StepFailed:
    """What the answer to a step of its own means, row by row."""
    return _written(step, body)


def lone_resource(step: Lone) -> tuple[str, str, dict[str, Any] | None]:
    """Method, path below the version, and body of a step that is a call of its own."""
    if isinstance(step, Delete):
        return "DELETE", f"composite/sobjects?ids={','.join(step.ids)}&allOrNone=false", None
    return "POST", "composite/sobjects", _records(step)


def _written(
    step: Upsert | Update | Lone, body: Sequence[Mapping[str, Any]]
) -> list[RowOk | RowFailed] | StepFailed:
    size = len(step.ids if isinstance(step, Delete) else step.rows)
    if len(body) != size:
        fault = fault_of("HTTP_500", f"{len(body)} results for {size} rows")
        return StepFailed(unknown_outcome(fault))
    return [_row(step.object, answered) for answered in body]


def _row(object_name: str, answered: Mapping[str, Any]) -> RowOk | RowFailed:
    if answered.get("success"):
        return RowOk(long_id(str(answered["id"])), answered.get("created"))
    return RowFailed(faults_of(answered.get("errors") or [], 400, object_name=object_name))


def _object(step: Part) -> str:
    return "" if isinstance(step, Query) else step.object


def rehearsal(upserts: Sequence[Upsert], version: str) -> dict[str, Any]:
    """All-or-none subrequests of one row each, and a last one that names a field no org has."""
    if not 0 < len(upserts) <= MAX_REHEARSED or any(len(each.rows) != 1 for each in upserts):
        raise ValueError(f"a rehearsal takes 1 to {MAX_REHEARSED} upserts of one row each")
    base = f"/services/data/v{version}/sobjects"
    wanted = [
        {
            "method": "PATCH",
            "url": f"{base}/{each.object}/{each.key_field}/{quote(str(row[each.key_field]), safe='')}",
            "referenceId": f"s{at}",
            "body": {name: value for name, value in row.items() if name != each.key_field},
            "httpHeaders": {"Sforce-Auto-Assign": "FALSE"},
        }
        for at, each in enumerate(upserts)
        for row in each.rows
    ]
    undo = {
        "method": "POST",
        "url": f"{base}/{upserts[0].object}",
        "referenceId": _UNDO,
        "body": {_NO_FIELD: True},
    }
    return {"allOrNone": True, "collateSubrequests": False, "compositeRequest": [*wanted, undo]}


def rehearsed(upserts: Sequence[Upsert], answered: Mapping[str, Any]) -> Rehearsal:
    """What the answers to a `rehearsal` mean."""
    parts = {part["referenceId"]: part for part in answered.get("compositeResponse", ())}
    refused: dict[str, tuple[Fault, ...]] = {}
    for at, each in enumerate(upserts):
        part = parts.get(f"s{at}")
        if part is not None and part["httpStatusCode"] >= 300:
            faults = faults_of(part["body"], part["httpStatusCode"], object_name=each.object)
            if faults[0].kind is not FaultKind.COLLATERAL:
                refused[each.ref] = faults
    undone = any(part["httpStatusCode"] >= 300 for part in parts.values())
    return Rehearsal(refused, undone)
