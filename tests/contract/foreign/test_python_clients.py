"""simple-salesforce and aiosalesforce, unmodified, over TLS with the org's own authority."""

from __future__ import annotations

from .conftest import Answered
from .org import Org

SIMPLE, AIO = "simple_salesforce_cases.py", "aiosalesforce_cases.py"


def test_simple_salesforce_carries_a_row_through_its_life(python_client: Answered) -> None:
    told = python_client(SIMPLE, "rows")
    assert told["made"]["success"] and told["missing"]
    assert (told["changed"], told["gone"], told["title"]) == (204, 204, "經理")


def test_simple_salesforce_sees_whether_an_upsert_made_a_row(python_client: Answered) -> None:
    assert python_client(SIMPLE, "upsert") == [201, 200]


def test_simple_salesforce_pages_by_itself(python_client: Answered) -> None:
    assert python_client(SIMPLE, "queries") == {"all": 2200, "iterated": 2200, "count": 2200}


def test_simple_salesforce_raises_the_error_of_the_api(python_client: Answered) -> None:
    (error,) = python_client(SIMPLE, "errors")
    assert error["errorCode"] == "REQUIRED_FIELD_MISSING" and error["fields"] == ["LastName"]


def test_simple_salesforce_reads_describe_limits_and_usage(python_client: Answered) -> None:
    told = python_client(SIMPLE, "describe")
    assert {"Case", "WorkOrder"} <= set(told["objects"])
    assert told["prefix"] == "500" and told["usage"] == told["limit"]


def test_simple_salesforce_makes_a_field_by_the_tooling_api(
    python_client: Answered, org: Org
) -> None:
    told = python_client(SIMPLE, "tooling")
    assert told["success"] and told["id"].startswith("00N")
    assert not org.rows("SELECT Id FROM FieldPermissions WHERE Field = 'Case.Tier__c'")


def test_simple_salesforce_loads_and_reads_in_bulk(python_client: Answered) -> None:
    told = python_client(SIMPLE, "bulk")
    assert told["found"] == ["陳", "陳"] and told["left"] == []
    assert (told["told"]["numberRecordsProcessed"], told["told"]["numberRecordsFailed"]) == (3, 1)
    (failed,) = told["failed"]
    assert failed["sf__Error"].startswith("REQUIRED_FIELD_MISSING") and failed["LINE_Key__c"] == "c"


def test_aiosalesforce_signs_in_by_soap(python_client: Answered) -> None:
    assert python_client(AIO, "soap_login") == 3


def test_aiosalesforce_carries_a_row_through_its_life(python_client: Answered) -> None:
    assert python_client(AIO, "rows") == {"title": "經理", "missing": "NOT_FOUND"}


def test_aiosalesforce_sees_whether_an_upsert_made_a_row(python_client: Answered) -> None:
    first, second = python_client(AIO, "upsert")
    assert (first[1], second[1]) == (True, False)
    assert first[0] == second[0]


def test_aiosalesforce_passes_references_in_a_composite_call(python_client: Answered) -> None:
    told = python_client(AIO, "composite")
    assert told["account"] == told["of_contact"]


def test_aiosalesforce_pages_by_itself(python_client: Answered) -> None:
    assert python_client(AIO, "pages") == 2200


def test_aiosalesforce_loads_rows_that_refer_to_others(python_client: Answered) -> None:
    told = python_client(AIO, "bulk")
    assert told["account"] and told["state"] == "JobComplete"
    (error,) = told["failed"]
    assert error.startswith("REQUIRED_FIELD_MISSING")
