"""Jobs of the Bulk API 2.0 that read rows."""

from __future__ import annotations

import time

import pytest

from simulator.salesforce.org import SalesforceOrg

from .bulk_stage import Bulk
from .stage import Client, writing

FIELDS = (
    "SELECT Id, LastName, Title, LINE_Following__c, Account.Name FROM Contact ORDER BY LastName"
)


@pytest.fixture
def bulk(agent: Client) -> Bulk:
    """The jobs of the agent."""
    return Bulk(agent)


def people(org: SalesforceOrg, count: int) -> None:
    with writing(org) as writer:
        kind = org.schema.get("Contact")
        for at in range(count):
            writer.create(kind, {"LastName": f"L{at:04}"})


def test_every_value_is_in_quotes(bulk: Bulk, agent: Client) -> None:
    account = agent.create("Account", Name='A "1"')
    contact = agent.create("Contact", LastName="王", AccountId=account)
    job = bulk.query("select id, lastname, title, line_following__c, account.name from contact")
    answer = bulk.page(job)
    assert answer.headers["Content-Type"] == "text/csv"
    assert answer.content.decode() == (
        '"Id","LastName","Title","LINE_Following__c","Account.Name"\n'
        f'"{contact}","王","","false","A ""1"""\n'
    )
    assert (job["object"], job["numberRecordsProcessed"]) == ("Contact", 1)


def test_pages_follow_each_other_by_locator(bulk: Bulk, org: SalesforceOrg) -> None:
    people(org, 5)
    job = bulk.query(FIELDS)
    names, locator = [], ""
    while locator != "null":
        answer = bulk.page(job, maxRecords=2, **({"locator": locator} if locator else {}))
        header, *rows = answer.text.splitlines()
        assert header.startswith('"Id"')
        assert answer.headers["Sforce-NumberOfRecords"] == str(len(rows))
        names += [row.split(",")[1] for row in rows]
        locator = answer.headers["Sforce-Locator"]
    assert names == [f'"L{at:04}"' for at in range(5)]
    assert bulk.logged("GET", "/results") == 1
    assert bulk.page(job, locator="!").status_code == 400


def test_pages_can_be_fetched_side_by_side(
    bulk: Bulk, org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.salesforce.bulk.reading.ROWS_A_PAGE", 10)
    people(org, 64)
    job = bulk.query("SELECT Id FROM Contact")
    told = bulk.agent.call("GET", f"/jobs/query/{job['id']}/resultPages").json()
    rest = bulk.agent.call("GET", told["nextRecordsUrl"]).json()
    assert (told["done"], rest["done"], rest["nextRecordsUrl"]) == (False, True, None)
    links = [each["resultUrl"] for each in told["resultPages"] + rest["resultPages"]]
    pages = [bulk.agent.call("GET", link).text.splitlines()[1:] for link in links]
    assert [len(page) for page in pages] == [10, 10, 10, 10, 10, 10, 4]
    assert len({row for page in pages for row in page}) == 64


def test_results_are_those_of_the_time_the_job_ran(bulk: Bulk, agent: Client) -> None:
    account = agent.create("Account", Name="then")
    contact = agent.create("Contact", LastName="then", AccountId=account)
    job = bulk.query(FIELDS)
    agent.call("PATCH", f"/sobjects/Contact/{contact}", {"LastName": "now"})
    agent.call("PATCH", f"/sobjects/Account/{account}", {"Name": "now"})
    assert bulk.page(job).text.count("then") == 2
    assert "now" not in bulk.page(job).text


def test_deleted_rows_are_read_by_query_all(bulk: Bulk, agent: Client) -> None:
    contact = agent.create("Contact", LastName="A")
    agent.call("DELETE", f"/sobjects/Contact/{contact}")
    assert bulk.read("SELECT Id FROM Contact") == []
    (row,) = bulk.read("SELECT Id, IsDeleted FROM Contact", "queryAll")
    assert row == {"Id": contact, "IsDeleted": "true"}


def test_the_job_says_how_its_csv_is_spelt(bulk: Bulk, agent: Client) -> None:
    agent.create("Contact", LastName="A")
    soql = "SELECT LastName, Title FROM Contact"
    job = bulk.query(soql, columnDelimiter="PIPE", lineEnding="CRLF")
    assert bulk.page(job).content == b'"LastName"|"Title"\r\n"A"|""\r\n'


@pytest.mark.parametrize(
    ("soql", "words"),
    [
        ("SELECT COUNT(Id) FROM Contact", "Aggregate functions"),
        ("SELECT LastName FROM Contact GROUP BY LastName", "GROUP BY"),
        ("SELECT Id FROM Contact LIMIT 1 OFFSET 1", "OFFSET"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "Aggregate Relationships"),
        ("SELECT MailingAddress FROM Contact", "Selecting compound data not supported"),
        ("SELECT FIELDS(ALL) FROM Contact LIMIT 1", "FIELDS"),
        ("SELECT Nose FROM Contact", "No such column 'Nose'"),
        ("SELECT Id FROM Contact WHERE Nose = 'x'", "No such column 'Nose'"),
        ("SELECT Id FROM Contact ORDER BY Nose", "No such column 'Nose'"),
        ("SELECT Id FRM Contact", "unexpected token"),
    ],
)
def test_what_bulk_does_not_read_is_refused(agent: Client, soql: str, words: str) -> None:
    answer = agent.call("POST", "/jobs/query", {"operation": "query", "query": soql})
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, "API_ERROR")
    assert words in error["message"]


def test_results_come_in_the_version_of_the_job_and_after_its_end(
    bulk: Bulk, agent: Client
) -> None:
    job = bulk.query("SELECT Id FROM Contact")
    other = agent.call("GET", f"/jobs/query/{job['id']}/results", version="v61.0")
    assert other.status_code == 409
    agent.switch(bulk_seconds=0.5)
    body = {"operation": "query", "query": "SELECT Id FROM Contact"}
    waiting = agent.call("POST", "/jobs/query", body).json()
    assert waiting["state"] == "UploadComplete"
    time.sleep(0.25)
    assert bulk.info(waiting["id"], "query")["state"] == "InProgress"
    assert bulk.page(waiting).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert bulk.move(waiting["id"], "Aborted", "query").json()["state"] == "Aborted"
    assert bulk.move(waiting["id"], "Aborted", "query").status_code == 400
    assert agent.call("DELETE", f"/jobs/query/{waiting['id']}").status_code == 204
    listed = agent.call("GET", "/jobs/query?jobType=V2Query").json()["records"]
    assert [each["id"] for each in listed] == [job["id"]]


def test_jobs_and_results_are_taken_from_the_allocation_of_the_day(
    bulk: Bulk, agent: Client, org: SalesforceOrg
) -> None:
    people(org, 1)
    bulk.query("SELECT Id FROM Contact")
    limits = agent.call("GET", "/limits").json()
    for name in ("DailyBulkV2QueryJobs", "DailyBulkV2QueryFileStorageMB"):
        assert limits[name]["Max"] - limits[name]["Remaining"] == 1
    org.usage.spend("DailyBulkV2QueryJobs", 10_000)
    body = {"operation": "query", "query": "SELECT Id FROM Contact"}
    assert agent.call("POST", "/jobs/query", body).json()[0]["errorCode"] == "EXCEEDEDQUOTA"


def test_other_calls_are_answered_while_a_job_is_at_work(bulk: Bulk, agent: Client) -> None:
    job_id = bulk.open("Contact", "insert")
    bulk.put(job_id, "LastName\n" + "A\n" * 20_000)
    bulk.move(job_id, "UploadComplete")
    waits = []
    while bulk.info(job_id)["state"] != "JobComplete":
        begun = time.monotonic()
        agent.call("GET", "/limits")
        waits.append(time.monotonic() - begun)
    assert len(waits) > 3 and max(waits) < 1
