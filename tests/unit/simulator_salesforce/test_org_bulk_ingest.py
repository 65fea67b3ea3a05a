"""Jobs of the Bulk API 2.0 that write rows."""

from __future__ import annotations

import time

import pytest

from simulator.salesforce.org import SalesforceOrg

from .bulk_stage import Bulk
from .stage import VERSION, Client

PEOPLE = "LastName,LINE_Key__c\nA,k1\nB,k2\nC,k3\nD,k4\n"
KEYED = {"externalIdFieldName": "LINE_Key__c"}


@pytest.fixture
def bulk(agent: Client) -> Bulk:
    """The jobs of the agent."""
    return Bulk(agent)


def many(count: int) -> str:
    return "LastName\n" + "".join(f"L{at}\n" for at in range(count))


def test_a_job_goes_from_open_to_complete(bulk: Bulk, agent: Client) -> None:
    agent.switch(bulk_seconds=0.3)
    body = {"object": "contact", "operation": "insert"}
    job = agent.call("POST", "/jobs/ingest", body).json()
    assert (job["state"], job["object"], job["apiVersion"]) == ("Open", "Contact", 62.0)
    assert job["contentUrl"] == f"services/data/{VERSION}/jobs/ingest/{job['id']}/batches"
    bulk.put(job["id"], PEOPLE)
    seen = [bulk.move(job["id"], "UploadComplete").json()["state"]]
    while seen[-1] != "JobComplete":
        seen.append(bulk.info(job["id"])["state"])
        time.sleep(0.01)
    assert list(dict.fromkeys(seen)) == ["UploadComplete", "InProgress", "JobComplete"]
    assert len(agent.query("SELECT Id FROM Contact")) == 4
    assert bulk.info(job["id"])["totalProcessingTime"] >= 200


def test_result_files_tell_of_every_row_in_an_order_of_their_own(bulk: Bulk) -> None:
    bulk.load("Contact", "insert", "LastName,LINE_Key__c\nOld,k2\n")
    job = bulk.load("Contact", "upsert", PEOPLE + ",k5\n", **KEYED)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (5, 1)
    rows = bulk.results(job, "successfulResults/")
    assert {row["LINE_Key__c"]: row["sf__Created"] for row in rows} == {
        **dict.fromkeys(["k1", "k3", "k4"], "true"),
        "k2": "false",
    }
    assert [row["LINE_Key__c"] for row in rows] != ["k1", "k2", "k3", "k4"]
    assert all(row["sf__Id"].startswith("003") and row["LastName"] for row in rows)
    (failed,) = bulk.results(job, "failedResults")
    told = "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    assert (failed["sf__Error"], failed["LINE_Key__c"]) == (told, "k5")
    assert bulk.results(job, "unprocessedrecords") == []


def test_a_job_is_complete_though_every_row_failed(bulk: Bulk) -> None:
    job = bulk.load("Contact", "insert", "FirstName\nA\nB\n")
    assert (job["state"], job["numberRecordsFailed"]) == ("JobComplete", 2)
    assert bulk.results(job, "successfulResults") == []


def test_rows_are_updated_and_deleted_by_id(bulk: Bulk, agent: Client) -> None:
    ids = [agent.create("Contact", LastName=name, Title="x") for name in "AB"]
    changed = bulk.load("Contact", "update", f"Id,Title\n{ids[0]},y\n{ids[1]},#N/A\n,z\nabc,z\n")
    assert [row["Title"] for row in agent.query("SELECT Title FROM Contact ORDER BY LastName")] == [
        *("y", None)
    ]
    assert [error.partition(":")[0] for error in bulk.errors(changed)] == [
        *("MALFORMED_ID", "MISSING_ARGUMENT")
    ]
    gone = bulk.load("Contact", "delete", f"Id\n{ids[0]}\n{ids[0]}\n")
    assert bulk.errors(gone) == ["ENTITY_IS_DELETED:entity is deleted:--"]
    assert [row["Id"] for row in agent.query("SELECT Id FROM Contact")] == [ids[1]]


def test_a_hard_delete_cannot_be_undone(bulk: Bulk, agent: Client) -> None:
    contact = agent.create("Contact", LastName="A")
    bulk.load("Contact", "hardDelete", f"Id\n{contact}\n")
    answer = agent.soap("undelete", f"<ids>{contact}</ids>")
    assert "UNDELETE_FAILED" in answer.text
    agent.switch(bulk_hard_delete=False)
    refused = agent.call("POST", "/jobs/ingest", {"object": "Contact", "operation": "hardDelete"})
    assert refused.json()[0]["errorCode"] == "FEATURENOTENABLED"


def test_a_key_given_twice_is_refused_in_both_rows(bulk: Bulk) -> None:
    job = bulk.load("Contact", "upsert", "LastName,LINE_Key__c\nA,k1\nB,K1\nC,\n", **KEYED)
    assert bulk.errors(job) == [
        "DUPLICATE_VALUE:Duplicate external id specified: K1:LINE_Key__c --",
        "DUPLICATE_VALUE:Duplicate external id specified: k1:LINE_Key__c --",
        "MISSING_ARGUMENT:LINE_Key__c not specified:LINE_Key__c --",
    ]


def test_rules_and_faults_meet_rows_as_in_every_other_api(bulk: Bulk, agent: Client) -> None:
    refused = "LastName = 'A'"
    agent.rule("validation", object="Contact", when=refused, message="No A.", field="LastName")
    agent.fault("lock", {"object": "Contact"}, match={"path": "*/jobs/ingest/*"})
    job = bulk.load("Contact", "insert", "LastName\nB\nA\nC\n")
    lock = "unable to obtain exclusive access to this record or 1 records: "
    assert bulk.errors(job) == [
        "FIELD_CUSTOM_VALIDATION_EXCEPTION:No A.:LastName --",
        f"UNABLE_TO_LOCK_ROW:{lock}:--",
    ]


def test_a_row_that_automation_breaks_leaves_nothing(bulk: Bulk, agent: Client) -> None:
    agent.fault("edit_after", {"object": "Contact", "values": {"Birthdate": "never"}})
    job = bulk.load("Contact", "insert", "LastName\nA\nB\n")
    assert job["numberRecordsFailed"] == 1
    assert [row["LastName"] for row in agent.query("SELECT LastName FROM Contact")] == ["B"]


def test_a_lead_is_assigned_only_where_the_job_names_a_rule(bulk: Bulk, agent: Client) -> None:
    lead = "LastName,Company,LeadSource\nA,-,LINE\n"
    bulk.load("Lead", "insert", lead)
    bulk.load("Lead", "insert", lead, assignmentRuleId="01Q5g000000AAAAEA0")
    owners = [row["OwnerId"][:3] for row in agent.query("SELECT OwnerId FROM Lead ORDER BY Id")]
    assert owners == ["005", "00G"]


def test_changes_carry_the_client_that_created_the_job(bulk: Bulk, org: SalesforceOrg) -> None:
    seen = set()
    whole = org.store.transaction

    def watched(user_id: str, origin: str = "") -> object:
        seen.add(origin)
        return whole(user_id, origin)

    org.store.transaction = watched  # type: ignore[method-assign, assignment]
    try:
        bulk.load("Contact", "insert", "LastName\nA\n")
    finally:
        org.store.transaction = whole  # type: ignore[method-assign]
    assert "com/salesforce/api/bulkapi/62.0;client=tester/1" in seen


def test_an_aborted_job_keeps_the_rows_it_did_not_come_to(bulk: Bulk, agent: Client) -> None:
    agent.switch(bulk_seconds=2)
    job_id = bulk.open("Contact", "insert")
    bulk.put(job_id, many(1000))
    bulk.move(job_id, "UploadComplete")
    while not bulk.info(job_id)["numberRecordsProcessed"]:
        time.sleep(0.02)
    assert bulk.move(job_id, "Aborted").json()["state"] == "Aborted"
    job = bulk.ended(job_id)
    written, left = bulk.results(job, "successfulResults"), bulk.results(job, "unprocessedrecords")
    assert written and left and len(written) + len(left) == 1000
    assert len(agent.query("SELECT Id FROM Contact")) == len(written)
    assert bulk.move(job_id, "Aborted").json()[0]["errorCode"] == "INVALIDJOBSTATE"


def test_a_reset_stops_jobs_before_they_write(
    bulk: Bulk, agent: Client, org: SalesforceOrg
) -> None:
    agent.switch(bulk_seconds=0.4)
    job_id = bulk.open("Contact", "insert")
    bulk.put(job_id, many(400))
    bulk.move(job_id, "UploadComplete")
    while not bulk.info(job_id)["numberRecordsProcessed"]:
        time.sleep(0.01)
    with org.store.lock:
        # Long enough for the job to be waiting to write its other rows.
        time.sleep(0.3)
        org.reset()
    time.sleep(0.1)
    assert not org.store.tables["Contact"].rows
    assert org.jobs.all() == []


def test_a_job_with_its_content_starts_at_once(bulk: Bulk, agent: Client) -> None:
    job = '{"object": "Contact", "operation": "insert"}'
    parts = {
        "job": (None, job, "application/json"),
        "content": ("content", PEOPLE, "text/csv"),
    }
    path = f"/services/data/{VERSION}/jobs/ingest"
    answer = agent.http.post(agent.url + path, files=parts, timeout=10)
    assert answer.json()["state"] == "UploadComplete"
    assert bulk.ended(answer.json()["id"])["numberRecordsProcessed"] == 4


def test_content_comes_once(bulk: Bulk) -> None:
    job_id = bulk.open("Contact", "insert")
    assert [bulk.put(job_id, PEOPLE).status_code for _ in range(2)] == [201, 201]
    bulk.move(job_id, "UploadComplete")
    assert "Found multiple contents" in bulk.ended(job_id)["errorMessage"]
    late = bulk.put(job_id, PEOPLE)
    assert (late.status_code, late.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"object": "Nothing__c", "operation": "insert"}, "INVALIDENTITY"),
        ({"object": "Contact", "operation": "merge"}, "INVALIDJOB"),
        ({"object": "Contact", "operation": "upsert"}, "INVALIDJOB"),
        ({"object": "Contact", "operation": "insert", "contentType": "XML"}, "INVALIDJOB"),
        ({"object": "Contact", "operation": "insert", "columnDelimiter": "DOT"}, "INVALIDJOB"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(
    agent: Client, wanted: dict[str, str], code: str
) -> None:
    answer = agent.call("POST", "/jobs/ingest", wanted)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_jobs_are_listed_deleted_and_then_unknown(bulk: Bulk, agent: Client) -> None:
    first = bulk.load("Contact", "insert", PEOPLE)
    second = bulk.open("Contact", "insert")
    listed = agent.call("GET", "/jobs/ingest").json()
    assert listed["done"] and [each["id"] for each in listed["records"]] == [first["id"], second]
    assert agent.call("DELETE", f"/jobs/ingest/{second}").json()[0]["errorCode"] == (
        "INVALIDJOBSTATE"
    )
    assert agent.call("DELETE", f"/jobs/ingest/{first['id']}").status_code == 204
    assert agent.call("GET", f"/jobs/ingest/{first['id']}").json()[0]["errorCode"] == "NOT_FOUND"


def test_another_user_may_look_at_a_job_and_not_use_it(bulk: Bulk, org: SalesforceOrg) -> None:
    job = bulk.load("Contact", "insert", PEOPLE)
    token = org.accounts.start_session(org.credentials.integration.username)
    with Client(bulk.agent.url, token) as other:
        assert Bulk(other).info(job["id"])["state"] == "JobComplete"
        refused = other.call("GET", f"/jobs/ingest/{job['id']}/failedResults")
    assert refused.json()[0]["errorCode"] == "INVALIDUSER"


def test_calls_count_with_their_rows_and_batches(bulk: Bulk, org: SalesforceOrg) -> None:
    before, used = org.usage.remaining("DailyBulkApiBatches"), org.usage.used
    bulk.put(bulk.open("Contact", "insert"), PEOPLE)
    assert org.usage.used - used == 2
    assert bulk.logged("PUT", "/batches") == 4
    bulk.load("Contact", "insert", many(10_001))
    assert before - org.usage.remaining("DailyBulkApiBatches") == 2


def test_a_spent_allocation_refuses_new_jobs(agent: Client, org: SalesforceOrg) -> None:
    org.usage.spend("DailyBulkApiBatches", 15_000)
    answer = agent.call("POST", "/jobs/ingest", {"object": "Contact", "operation": "insert"})
    assert answer.json()[0]["errorCode"] == "EXCEEDEDQUOTA"


@pytest.mark.parametrize(
    ("fault", "params", "status"),
    [
        ("status", {"status": 503}, 503),
        ("expire_session", {}, 401),
        ("daily_limit", {}, 403),
        ("maintenance", {}, 503),
    ],
)
def test_faults_of_calls_hit_jobs_too(
    bulk: Bulk, agent: Client, fault: str, params: dict[str, int], status: int
) -> None:
    job_id = bulk.open("Contact", "insert")
    agent.fault(fault, params, match={"method": "PUT"})
    assert bulk.put(job_id, PEOPLE).status_code == status
