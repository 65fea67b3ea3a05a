"""Ingest jobs: what is uploaded, and what the three result files mean."""

import csv
import io
import json
import random

import pytest
import responses

from connector.domain.faults import FaultKind
from connector.salesforce.bulk.content import content, fits
from connector.salesforce.bulk.ingest import UPDATE, UPSERT, BulkIngest
from connector.salesforce.bulk.jobs import JobState
from connector.salesforce.bulk.results import row_fault
from connector.salesforce.faults import CallFailed
from connector.salesforce.planner import ParentRef, WriteIntent
from connector.salesforce.steps import RowFailed, RowOk
from tests.unit.salesforce.bulk import INGEST, JOB, gateway, grant, refusal, state, table

ACCOUNT = ParentRef("AccountId", "Account", "Account")


@pytest.fixture
def net():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as answers:
        grant(answers)
        yield answers


@pytest.fixture
def bulk():
    return BulkIngest(gateway())


def contact(key, *parents, salesforce_id=None, **fields):
    return WriteIntent(key, "Contact", key, salesforce_id, fields, parents)


def read(uploaded):
    return list(csv.DictReader(io.StringIO(uploaded.decode(), newline="\n")))


def results(net, written=(), refused=(), unprocessed=()):
    part = f"{INGEST}/{JOB}"
    ok = table('"sf__Id","sf__Created","LINE_Key__c","LastName"', *written)
    no = table('"sf__Id","sf__Error","LINE_Key__c","LastName"', *refused)
    net.get(f"{part}/successfulResults", body=ok)
    net.get(f"{part}/failedResults", body=no)
    net.get(f"{part}/unprocessedrecords", body=table('"LINE_Key__c","LastName"', *unprocessed))


def test_a_row_says_its_key_its_values_and_its_parent_by_key():
    uploaded = content(
        [
            contact(
                "k1",
                ParentRef("AccountId", "Account", "Account", key="a1"),
                LastName="王",
                Bound__c=True,
                Score__c=12.50,
                Topics__c=["a", "b"],
                Email=None,
            )
        ]
    )
    assert read(uploaded) == [
        {
            "LINE_Key__c": "k1",
            "LastName": "王",
            "Bound__c": "true",
            "Score__c": "12.5",
            "Topics__c": "a;b",
            "Email": "#N/A",
            "Account.LINE_Key__c": "a1",
        }
    ]


def test_a_blank_value_is_null_and_an_unsaid_one_is_an_empty_cell():
    rows = read(content([contact("k1", Phone=""), contact("k2", Fax="1")]))
    assert [(row["Phone"], row["Fax"]) for row in rows] == [("#N/A", ""), ("", "1")]


def test_an_update_goes_by_id_and_may_stamp_the_key():
    (row,) = read(content([contact("k1", salesforce_id="003A", LINE_Key__c="k1")]))
    assert row == {"Id": "003A", "LINE_Key__c": "k1"}


@pytest.mark.parametrize("text", ['say "hi"', "one, two", "a\nb", "a\r\nb", " edge ", "\ttab"])
def test_every_text_survives_the_upload(text):
    uploaded = content([contact("k1", Description=text)])
    assert uploaded.endswith(b"\n")
    assert read(uploaded)[0]["Description"] == text


@pytest.mark.parametrize("text", ["#N/A", "x" * 32_001])
def test_a_text_that_csv_cannot_say_does_not_fit(text):
    assert not fits(contact("k1", Description=text))
    assert fits(contact("k1", Description=text[1:]))


def test_an_upsert_names_its_key_field_and_an_update_none(net, bulk):
    net.post(INGEST, json=state("Open"))
    assert bulk.make("Contact", UPSERT, "LINE_Key__c") == JOB
    bulk.make("Contact", UPDATE, "LINE_Key__c")
    upsert, update = (json.loads(call.request.body) for call in net.calls[-2:])
    assert upsert["externalIdFieldName"] == "LINE_Key__c"
    assert "externalIdFieldName" not in update
    assert (update["operation"], update["lineEnding"]) == ("update", "LF")


def test_a_job_is_filled_once_and_closed(net, bulk):
    net.put(f"{INGEST}/{JOB}/batches", status=201)
    net.patch(f"{INGEST}/{JOB}", json=state("UploadComplete"))
    bulk.fill(JOB, [contact("k1", LastName="王")])
    upload, close = (call.request for call in net.calls[-2:])
    assert upload.headers["Content-Type"].startswith("text/csv")
    assert upload.body.decode() == "LINE_Key__c,LastName\nk1,王\n"
    assert json.loads(close.body) == {"state": "UploadComplete"}


def test_an_upload_whose_answer_is_lost_is_not_repeated(net, bulk):
    net.put(f"{INGEST}/{JOB}/batches", status=503)
    with pytest.raises(CallFailed) as raised:
        bulk.fill(JOB, [contact("k1")])
    assert raised.value.fault.kind is FaultKind.UNKNOWN
    assert len(net.calls) == 2  # the sign-in and one upload


def test_results_are_matched_by_key_whatever_their_order(net, bulk):
    keys = [f"k{n}" for n in range(50)]
    shuffled = random.Random(7).sample(keys, len(keys))
    results(net, written=[f'"003{key}","true","{key}","王"' for key in shuffled])
    found = bulk.results(JOB, "Contact", "LINE_Key__c").rows
    assert {key: found[key] for key in keys} == {
        key: RowOk(f"003{key}", created=True) for key in keys
    }


def test_each_row_ends_in_one_of_three_ways_or_is_not_named(net, bulk):
    results(
        net,
        written=['"0035e00000abcde","false","k1","王"'],
        refused=[
            '"","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --","k2",""'
        ],
        unprocessed=['"k3","林"'],
    )
    found = bulk.results(JOB, "Contact", "LINE_Key__c")
    assert found.rows["k1"] == RowOk("0035e00000abcdeAAA", created=False)
    refused = found.rows["k2"]
    assert isinstance(refused, RowFailed)
    assert refused.faults[0].fields == ("LastName",)
    assert found.unprocessed == {"k3"}
    assert "k4" not in found.rows


def test_an_update_is_matched_by_id_in_whatever_length(net, bulk):
    part = f"{INGEST}/{JOB}"
    net.get(
        f"{part}/successfulResults",
        body=table('"sf__Id","sf__Created","ID"', '"0035e00000abcdeAAA","false","0035e00000abcde"'),
    )
    net.get(
        f"{part}/failedResults",
        body=table(
            '"sf__Id","sf__Error"', '"0035e00000abcdf","ENTITY_IS_DELETED:entity is deleted:--"'
        ),
    )
    net.get(f"{part}/unprocessedrecords", body=b"")
    found = bulk.results(JOB, "Contact", "Id").rows
    assert found["0035e00000abcdeAAA"] == RowOk("0035e00000abcdeAAA", created=False)
    assert found["0035e00000abcdfAAA"].faults[0].code == "ENTITY_IS_DELETED"


@pytest.mark.parametrize(
    ("text", "code", "message", "fields"),
    [
        ("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--", "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", ()),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION:Hours: 9 to 5, please:Start__c --", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Hours: 9 to 5, please", ("Start__c",)),
        ("REQUIRED_FIELD_MISSING:Required fields are missing: [LastName, Company]:LastName,Company --", "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]", ("LastName", "Company")),
        ("STRING_TOO_LONG:one\ntwo", "STRING_TOO_LONG", "one\ntwo", ()),
        ("something else", "HTTP_400", "something else", ()),
    ],
)  # fmt: skip
def test_a_row_s_error_is_a_code_and_free_text(text, code, message, fields):
    fault = row_fault(text, "Contact")
    assert (fault.code, fault.message, fault.fields) == (code, message, fields)


def test_a_job_that_was_never_closed_is_aborted_and_one_under_way_is_left(net, bulk):
    net.get(f"{INGEST}/{JOB}", json=state("Open"))
    net.get(f"{INGEST}/{JOB}", json=state("InProgress"))
    net.patch(f"{INGEST}/{JOB}", json=state("Aborted"))
    assert bulk.give_up(JOB) == JobState("Aborted")
    found = bulk.give_up(JOB)
    assert found is not None
    assert found.state == "InProgress"


def test_a_job_that_was_closed_at_the_last_moment_is_not_given_up(net, bulk):
    net.get(f"{INGEST}/{JOB}", json=state("Open"))
    net.get(f"{INGEST}/{JOB}", json=state("UploadComplete"))
    closed = refusal("INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
    net.patch(f"{INGEST}/{JOB}", json=closed, status=400)
    assert bulk.give_up(JOB) == JobState("UploadComplete")


def test_a_job_the_org_does_not_know_has_no_state(net, bulk):
    gone = refusal("NOT_FOUND", "The requested resource does not exist")
    net.get(f"{INGEST}/{JOB}", json=gone, status=404)
    assert bulk.give_up(JOB) is None
