"""Query jobs: started, waited for, read page by page, put away."""

import json
import threading

import pytest
import requests
import responses

from connector.mapping.schema import FieldSchema, ObjectSchema
from connector.salesforce.bulk.query import BulkQuery, WaitEnded
from connector.salesforce.bulk.values import as_row, cells
from connector.salesforce.faults import CallFailed
from tests.unit.salesforce.bulk import JOB, QUERY, gateway, grant, refusal, state, table

RESULTS = f"{QUERY}/{JOB}/results"


@pytest.fixture
def net():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as answers:
        grant(answers)
        yield answers


@pytest.fixture
def bulk():
    return BulkQuery(gateway())


def test_a_job_is_asked_for_as_csv(net, bulk):
    net.post(QUERY, json=state("UploadComplete"))
    assert bulk.start("SELECT Id FROM Contact", deleted=True) == JOB
    request = net.calls[-1].request
    assert json.loads(request.body) == {
        "operation": "queryAll",
        "query": "SELECT Id FROM Contact",
        "contentType": "CSV",
    }
    assert request.headers["Sforce-Call-Options"].startswith("client=line-connector/")


def test_waiting_tells_how_far_the_job_is_and_ends_with_its_rows(net, bulk):
    net.get(f"{QUERY}/{JOB}", json=state("InProgress", numberRecordsProcessed=40))
    net.get(f"{QUERY}/{JOB}", json=state("JobComplete", numberRecordsProcessed=90))
    heard = []
    assert bulk.wait(JOB, lambda *told: heard.append(told)) == 90
    assert heard == [("InProgress", 40)]


def test_a_job_that_fails_says_why(net, bulk):
    message = "InvalidBatch : Field name not found : Nme"
    net.get(f"{QUERY}/{JOB}", json=state("Failed", errorMessage=message))
    with pytest.raises(CallFailed) as raised:
        bulk.wait(JOB)
    assert (raised.value.fault.code, raised.value.fault.message) == (
        "INVALIDBATCH",
        "Field name not found : Nme",
    )


def test_a_job_that_was_forgotten_is_no_reason_to_stop_the_org(net, bulk):
    gone = refusal("NOT_FOUND", "The requested resource does not exist")
    net.get(f"{QUERY}/{JOB}", json=gone, status=404)
    with pytest.raises(CallFailed) as raised:
        bulk.wait(JOB)
    assert (raised.value.fault.code, raised.value.fault.org_wide) == ("INVALIDJOB", False)


def test_whoever_no_longer_wants_to_wait_is_let_go(net, bulk):
    net.get(f"{QUERY}/{JOB}", json=state("InProgress"))
    stop = threading.Event()
    stop.set()
    with pytest.raises(WaitEnded):
        bulk.wait(JOB, stop=stop)


def test_pages_follow_the_locator_to_its_end(net, bulk):
    net.get(
        RESULTS,
        body=table('"Id","LastName"', '"1","王"'),
        headers={"Sforce-Locator": "MjAwMA", "Sforce-NumberOfRecords": "1"},
        match=[responses.matchers.query_param_matcher({"maxRecords": "1"})],
    )
    net.get(
        RESULTS,
        body=table('"Id","LastName"', '"2",""'),
        headers={"Sforce-Locator": "null"},
        match=[responses.matchers.query_param_matcher({"maxRecords": "1", "locator": "MjAwMA"})],
    )
    first, last = bulk.pages(JOB, most=1)
    assert (first.names, first.rows, first.locator) == (("Id", "LastName"), [["1", "王"]], "MjAwMA")
    assert (last.rows, last.locator) == ([["2", ""]], None)


def test_values_keep_their_line_ends_quotes_and_strange_separators(net, bulk):
    text = 'say ""hi"",\r\nthen\u2028go\x85on'
    net.get(RESULTS, body=table('"Id","Description"', f'"1","{text}"'))
    (page,) = bulk.pages(JOB)
    assert page.rows == [["1", text.replace('""', '"')]]


def test_a_page_whose_transfer_breaks_off_is_read_again_whole(net, bulk):
    net.get(RESULTS, body=requests.exceptions.ChunkedEncodingError("cut"))
    net.get(RESULTS, body=table('"Id"', '"1"', '"2"'))
    (page,) = bulk.pages(JOB)
    assert page.rows == [["1"], ["2"]]


def test_a_job_that_still_works_is_stopped_when_it_is_put_away(net, bulk):
    net.delete(f"{QUERY}/{JOB}", json=refusal("INVALIDJOBSTATE", "in progress"), status=400)
    net.patch(f"{QUERY}/{JOB}", json=state("Aborted"))
    bulk.end(JOB)
    assert json.loads(net.calls[-1].request.body) == {"state": "Aborted"}


def test_texts_become_what_the_rest_api_would_have_said():
    fields = [
        FieldSchema("Active__c", type="boolean"),
        FieldSchema("Price", type="currency", precision=18, scale=2),
        FieldSchema("Months__c", type="double", precision=3),
        FieldSchema("CreatedDate", type="datetime"),
        FieldSchema("Name"),
    ]
    schema = ObjectSchema("Asset", {field.name: field for field in fields})
    names = ("Id", "name", "Active__c", "Price", "Months__c", "CreatedDate", "Account.Name")
    wanted = ("Name", "Active__c", "Price", "Months__c", "CreatedDate", "Account.Name", "Left__c")
    known = cells(schema, names, wanted)
    texts = ["02i", "", "true", "12.50", "24.0", "2026-01-02T03:04:05.000Z", "王家"]
    assert as_row(known, texts) == {
        "Name": None,
        "Active__c": True,
        "Price": 12.5,
        "Months__c": 24,
        "CreatedDate": "2026-01-02T03:04:05.000Z",
        "Account.Name": "王家",
    }
