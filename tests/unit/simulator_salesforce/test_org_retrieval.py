"""Rows on condition, rows by what happened to them, trees, and what the org has left."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from .stage import Client

PAST = "Thu, 01 Jan 2015 00:00:00 GMT"
FUTURE = "Thu, 01 Jan 2099 00:00:00 GMT"


def window(minutes_before: int = 10, minutes_after: int = 10) -> dict[str, str]:
    now = datetime.now(UTC)
    start, end = now - timedelta(minutes=minutes_before), now + timedelta(minutes=minutes_after)
    return {"start": start.isoformat(timespec="seconds"), "end": end.isoformat(timespec="seconds")}


@pytest.mark.parametrize(
    ("header", "date", "status"),
    [
        ("If-Modified-Since", FUTURE, 304),
        ("If-Modified-Since", PAST, 200),
        ("If-Unmodified-Since", PAST, 412),
        ("If-Unmodified-Since", FUTURE, 200),
        ("If-Unmodified-Since", "yesterday", 400),
    ],
)
def test_reads_keep_the_condition_of_a_date(
    agent: Client, header: str, date: str, status: int
) -> None:
    path = f"/sobjects/Contact/{agent.create('Contact', LastName='王')}"
    answer = agent.call("GET", path, headers={header: date})
    assert answer.status_code == status
    if status == 304:
        assert answer.content == b""


def test_a_stale_date_stops_an_update_and_no_delete(agent: Client) -> None:
    path = f"/sobjects/Contact/{agent.create('Contact', LastName='王')}"
    stale = {"If-Unmodified-Since": PAST}
    assert agent.call("PATCH", path, {"Title": "x"}, headers=stale).status_code == 412
    last = {"If-Unmodified-Since": agent.call("GET", path).headers["Last-Modified"]}
    assert agent.call("PATCH", path, {"Title": "x"}, headers=last).status_code == 204
    assert agent.call("DELETE", path, headers=stale).status_code == 204


def test_accounts_alone_have_tags_and_keep_conditions_on_them(agent: Client) -> None:
    path = f"/sobjects/Account/{agent.create('Account', Name='王家')}"
    tag = agent.call("GET", path).headers["ETag"]
    assert agent.call("GET", path, headers={"If-None-Match": tag}).status_code == 304
    assert agent.call("PATCH", path, {"Site": "x"}, headers={"If-Match": '"0"'}).status_code == 412
    assert agent.call("PATCH", path, {"Site": "x"}, headers={"If-Match": tag}).status_code == 204
    contact = agent.create("Contact", LastName="王")
    assert "ETag" not in agent.call("GET", f"/sobjects/Contact/{contact}").headers


@pytest.mark.parametrize("path", ["/sobjects", "/sobjects/Lead/describe"])
def test_a_describe_that_has_not_changed_is_not_sent_again(agent: Client, path: str) -> None:
    known = agent.call("GET", path).headers
    for header, value in (
        ("If-Modified-Since", known["Last-Modified"]),
        ("If-None-Match", known["ETag"]),
    ):
        assert agent.call("GET", path, headers={header: value}).status_code == 304
    assert agent.call("GET", path, headers={"If-Modified-Since": PAST}).status_code == 200


def test_conditions_hold_inside_composite_as_recorded(agent: Client, contracts: Path) -> None:
    name = "cumulusci.ManualEditTestCompositeParallelSalesforce.test_http_headers.json"
    recorded = json.loads((contracts / "exchanges" / name).read_text())["exchanges"][0]
    asked = json.loads(json.dumps(recorded["request"]["body"]).replace("2020", "2099"))
    answers = agent.call("POST", "/composite", asked).json()["compositeResponse"]
    wanted = recorded["response"]["body"]["compositeResponse"]
    for answer, known in zip(answers, wanted, strict=True):
        assert (answer["httpStatusCode"], answer["body"]) == (304, None)
        assert answer["httpHeaders"].keys() == known["httpHeaders"].keys()


def test_updated_and_deleted_rows_are_listed_by_time(agent: Client, contracts: Path) -> None:
    kept = agent.create("Contact", LastName="王")
    gone = agent.create("Contact", LastName="李")
    agent.call("DELETE", f"/sobjects/Contact/{gone}")
    found = agent.call("GET", "/sobjects/Contact/updated/", params=window()).json()
    assert found["ids"] == [kept]
    body = agent.call("GET", "/sobjects/Contact/deleted", params=window()).json()
    assert [each["id"] for each in body["deletedRecords"]] == [gone]
    recorded = json.loads(
        (contracts / "bodies-restforce/get_deleted_success_response.json").read_text()
    )
    assert body.keys() == recorded.keys()


def test_a_window_must_be_recent_and_a_minute_long(agent: Client) -> None:
    for asked in (window(5 * 24 * 3600), window(0, 0), {"start": "x", "end": "y"}):
        answer = agent.call("GET", "/sobjects/Contact/updated", params=asked)
        assert answer.json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_recent_rows_are_those_the_user_wrote_last(agent: Client, contracts: Path) -> None:
    first = agent.create("Contact", LastName="王")
    second = agent.create("Account", Name="王家")
    found = agent.call("GET", "/recent", params={"limit": 50}).json()
    assert {first, second} <= {each["Id"] for each in found}
    recorded = json.loads((contracts / "bodies-restforce/recent_success_response.json").read_text())
    assert found[0].keys() == recorded[0].keys()
    assert agent.call("GET", "/sobjects/Contact").json()["recentItems"][0]["Id"] == first


def test_the_limits_have_the_recorded_names(agent: Client, contracts: Path) -> None:
    recorded = json.loads((contracts / "limits/limits.swiftlysalesforce.json").read_text())
    # A package of the recorded org brought a limit of its own; a later version added another.
    named = recorded.keys() - {"BOZosCalloutHourlyLimit"} | {"DailyDeliveredPlatformEvents"}
    assert agent.call("GET", "/limits").json().keys() == named


def test_long_answers_come_zipped_to_those_who_ask(agent: Client) -> None:
    for accepted, encoding in (("gzip", "gzip"), ("identity", None)):
        answer = agent.call("GET", "/sobjects", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == encoding
        assert answer.json()["encoding"] == "UTF-8"


def tree(records: list[dict[str, Any]]) -> dict[str, Any]:
    return {"records": records}


def test_a_tree_makes_parents_and_children(agent: Client) -> None:
    contact = {"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": "王"}
    account = {
        "attributes": {"type": "Account", "referenceId": "a"},
        "Name": "王家",
        "Contacts": tree([contact]),
    }
    answer = agent.call("POST", "/composite/tree/Account", tree([account]))
    assert answer.status_code == 201
    ids = {each["referenceId"]: each["id"] for each in answer.json()["results"]}
    assert agent.row("Contact", ids["c"])["AccountId"] == ids["a"]


def test_one_bad_row_spoils_the_tree(agent: Client) -> None:
    records = [
        {"attributes": {"type": "Account", "referenceId": "good"}, "Name": "王家"},
        {"attributes": {"type": "Account", "referenceId": "bad"}},
    ]
    answer = agent.call("POST", "/composite/tree/Account", tree(records))
    assert answer.status_code == 400
    (result,) = answer.json()["results"]
    assert answer.json()["hasErrors"] is True
    assert result["referenceId"] == "bad"
    assert result["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert agent.query("SELECT Id FROM Account") == []


def test_collections_of_many_kinds_come_in_few_chunks(agent: Client) -> None:
    kinds = ["Account", "Contact"] * 6
    records = [{"attributes": {"type": kind}} for kind in kinds]
    answer = agent.call("POST", "/composite/sobjects", {"records": records})
    assert answer.json()[0]["errorCode"] == "LIMIT_EXCEEDED"


def test_a_client_without_patch_says_so_in_the_address(agent: Client) -> None:
    path = f"/sobjects/Contact/{agent.create('Contact', LastName='王')}"
    answer = agent.call("POST", path, {"Title": "x"}, params={"_HTTP_METHOD": "PATCH"})
    assert answer.status_code == 204


def test_a_file_is_a_version_of_a_document_linked_to_a_row(agent: Client) -> None:
    case = agent.create("Case", Subject="漏水")
    version = agent.create(
        "ContentVersion",
        PathOnClient="photo.jpg",
        VersionData=b64encode(b"\xff\xd8photo").decode(),
        FirstPublishLocationId=case,
    )
    row = agent.row("ContentVersion", version)
    assert (row["Title"], row["FileExtension"], row["ContentSize"]) == ("photo", "jpg", 7)
    assert agent.call("GET", row["VersionData"]).content == b"\xff\xd8photo"
    (link,) = agent.query(
        f"SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '{case}'"
    )
    assert link["ContentDocumentId"] == row["ContentDocumentId"]
    again = {"ContentDocumentId": link["ContentDocumentId"], "LinkedEntityId": case}
    answer = agent.call("POST", "/sobjects/ContentDocumentLink", again)
    assert answer.json()[0]["errorCode"] == "DUPLICATE_VALUE"


def test_a_new_version_takes_the_place_of_the_last(agent: Client) -> None:
    content = {"PathOnClient": "a.txt", "VersionData": b64encode(b"one").decode()}
    first = agent.create("ContentVersion", **content)
    document = agent.row("ContentVersion", first)["ContentDocumentId"]
    second = agent.create("ContentVersion", **content, ContentDocumentId=document)
    assert agent.row("ContentVersion", first)["IsLatest"] is False
    assert agent.row("ContentVersion", second)["VersionNumber"] == "2"
    assert agent.row("ContentDocument", document)["LatestPublishedVersionId"] == second
