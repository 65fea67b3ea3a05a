"""Error bodies that real orgs gave become the faults they should."""

import json
from pathlib import Path
from typing import Any

import pytest

from connector.salesforce.composite import result
from connector.salesforce.faults import faults_of
from connector.salesforce.planner import KEY_FIELD
from connector.salesforce.signin import _next_step
from connector.salesforce.steps import Query, RowFailed, RowOk, Rows, StepFailed, Upsert

RECORDED = Path(__file__).parents[4] / "shared/contracts/salesforce"
NAMED = [
    ("bodies-restforce/expired_session_response.json", 401, "INVALID_SESSION_ID", "config"),
    ("bodies-restforce/query_error_response.json", 400, "INVALID_FIELD", "config"),
    ("bodies-restforce/sobject_describe_error_response.json", 404, "NOT_FOUND", "identity"),
    ("bodies-restforce/upsert_error_response.json", 404, "NOT_FOUND", "config"),
    ("bodies-restforce/upsert_multiple_error_response.json", 300, "HTTP_300", "data"),
]

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="the recordings of real orgs are not beside this checkout"
)


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


@pytest.mark.parametrize(("name", "status", "code", "kind"), NAMED)
def test_a_recorded_body_becomes_its_fault(name, status, code, kind):
    (fault,) = faults_of(recorded(name), status)
    assert (fault.code, fault.kind.value) == (code, kind)


def test_a_recorded_refusal_to_sign_in_has_a_next_step():
    body = recorded("bodies-restforce/auth_error_response.json")
    assert "active" in _next_step(body["error"], body["error_description"])


def test_recorded_halts_are_collateral_and_the_culprit_shows():
    parts = recorded("composite/response-rolledback.camel.json")["compositeResponse"]
    halted, culprit = (
        result(Query("q", "SELECT Id FROM X"), part["httpStatusCode"], part["body"])
        for part in parts
    )
    assert isinstance(halted, StepFailed)
    assert halted.fault.kind.value == "collateral"
    assert isinstance(culprit, StepFailed)
    assert culprit.fault.code == "INVALID_FIELD"


def test_a_recorded_query_of_a_half_failed_call_is_read():
    parts = recorded("composite/query-response-partial-success.revoman.json")["compositeResponse"]
    first = result(Query("q", "SELECT Id FROM X"), parts[0]["httpStatusCode"], parts[0]["body"])
    assert first == Rows([], 0)


def exchanges() -> list[Any]:
    found = []
    for path in sorted((RECORDED / "exchanges").glob("*.json")):
        for exchange in json.loads(path.read_text())["exchanges"]:
            if "request" in exchange:
                request = exchange["request"]
                found.append(exchange | {"path": request.get("uri") or request["path"]})
    return found


def test_every_recorded_refusal_is_a_known_code():
    codes = set()
    for exchange in exchanges():
        answer = exchange["response"]
        if answer["status"] >= 400 and "oauth2" not in exchange["path"]:
            codes |= {fault.code for fault in faults_of(answer["body"], answer["status"])}
    assert codes
    assert {fault.code for code in codes for fault in faults_of([{"errorCode": code}])} == codes


def test_every_recorded_collections_write_is_read_row_by_row():
    read = 0
    for exchange in exchanges():
        request, answer = exchange["request"], exchange["response"]
        body = request.get("body")
        if "/composite/sobjects" not in exchange["path"] or answer["status"] != 200:
            continue
        if request["method"] not in {"POST", "PATCH"} or not isinstance(body, dict):
            continue
        rows = body["records"]
        outcome = result(Upsert("w", "X", KEY_FIELD, rows), 200, answer["body"])
        assert [type(row) for row in outcome] == [
            RowOk if row["success"] else RowFailed for row in answer["body"]
        ]
        read += 1
    assert read
