"""Answers of a plan's calls told intent by intent."""

from datetime import UTC, datetime

from connector.domain.faults import FaultKind
from connector.salesforce.composite import result
from connector.salesforce.faults import fault_of
from connector.salesforce.outcomes import collect, failed_with
from connector.salesforce.planner import WriteIntent, plan_writes
from connector.salesforce.steps import Answer, RowOk, Rows, StepFailed, Upsert

DATE = datetime(2026, 1, 2, tzinfo=UTC)
ID = "500000000000001AAA"


def one_call(*refs):
    intents = [WriteIntent(ref, "Case", ref, None, {}, read_back=("Status",)) for ref in refs]
    (call,) = plan_writes(intents)
    write, read = (step.ref for step in call.steps)
    return call, write, read


def test_what_was_read_back_goes_to_the_row_that_was_written():
    call, write, read = one_call("a")
    row = {"Id": ID, "LINE_Key__c": "a", "Status": "New"}
    answer = Answer(DATE, {write: [RowOk(ID, created=True)], read: Rows([row], 1)})
    outcome = collect(call, answer)["a"]
    assert (outcome.ok.id, outcome.row, outcome.date) == (ID, row, DATE)


def test_a_failed_read_back_leaves_the_write_written():
    call, write, read = one_call("a")
    fault = fault_of("QUERY_TIMEOUT", "")
    outcome = collect(call, Answer(DATE, {write: [RowOk(ID)], read: StepFailed(fault)}))["a"]
    assert outcome.ok
    assert not outcome.failed
    assert outcome.read_fault == fault


def test_a_refused_step_of_several_rows_is_to_be_split():
    call, write, read = one_call("a", "b")
    refused = StepFailed(fault_of("JSON_PARSER_ERROR", ""))
    outcomes = collect(call, Answer(DATE, {write: refused, read: Rows([], 0)}))
    assert [outcome.split for outcome in outcomes.values()] == [True, True]
    assert outcomes["a"].row is None


def test_a_refused_step_of_one_row_names_its_culprit():
    call, write, read = one_call("a")
    refused = StepFailed(fault_of("JSON_PARSER_ERROR", ""))
    outcomes = collect(call, Answer(DATE, {write: refused, read: Rows([], 0)}))
    assert not outcomes["a"].split


def test_a_call_that_failed_as_a_whole_gives_every_row_its_fault():
    call, _, _ = one_call("a", "b")
    outcomes = failed_with(call, fault_of("NOT_SENT", ""))
    assert [outcome.faults[0].code for outcome in outcomes.values()] == ["NOT_SENT"] * 2


def test_a_step_with_too_few_results_is_of_unknown_outcome():
    step = Upsert("w", "Case", "LINE_Key__c", [{}, {}])
    found = result(step, 200, [{"id": ID, "success": True, "errors": []}])
    assert found.fault.kind is FaultKind.UNKNOWN


def test_a_write_step_with_a_server_error_is_of_unknown_outcome():
    step = Upsert("w", "Case", "LINE_Key__c", [{}])
    found = result(step, 500, [{"errorCode": "UNKNOWN_EXCEPTION", "message": ""}])
    assert found.fault.kind is FaultKind.UNKNOWN
