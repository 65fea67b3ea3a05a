"""Rows that stand or fall together: which calls they become, and what becomes of them."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.domain.faults import FaultKind
from connector.salesforce import graph_wire
from connector.salesforce.faults import fault_of
from connector.salesforce.outcomes import collect, failed_with, orphans
from connector.salesforce.planner import Limits, ParentRef, WriteIntent, plan_writes, without
from connector.salesforce.steps import Answer, Graphs, RowFailed, RowOk, objects_of

DATE = datetime(2026, 1, 2, tzinfo=UTC)
HALTED = [{"errorCode": "PROCESSING_HALTED", "message": "rolled back"}]


def row(ref, obj, bond=None, up=None, **more):
    parents = () if up is None else (ParentRef(f"{up[0]}Id", up[0], up[0], key=f"key-{up[1]}"),)
    parents += more.pop("also", ())
    return WriteIntent(ref, obj, f"key-{ref}", None, {"Subject": ref}, parents, bond=bond, **more)


def request(n, **more):
    """A Case and its WorkOrder, made together."""
    yield row(f"w{n}", "WorkOrder", f"r{n}", ("Case", f"c{n}"), read_back=("StartDate",), **more)
    yield row(f"c{n}", "Case", f"r{n}", read_back=("CaseNumber",))


def requests(count):
    return [intent for n in range(count) for intent in request(n)]


def graphs(calls):
    return [step for call in calls for step in call.steps if isinstance(step, Graphs)]


def test_a_bond_is_one_graph_with_parents_first_and_is_read_back_later():
    write, read = plan_writes(requests(1))
    (step,) = write.steps
    case, work_order = step.nodes
    assert (case.object, work_order.object) == ("Case", "WorkOrder")
    assert work_order.links == {"CaseId": 0} and "Case" not in work_order.row
    assert not read.rows and sum(len(refs) for refs in read.read_backs.values()) == 2


def test_many_bonds_share_calls_up_to_the_limits():
    calls = graphs(plan_writes(requests(200)))
    assert [len(step.graphs) for step in calls] == [75, 75, 50]
    few = graphs(plan_writes(requests(10), Limits(nodes=8)))
    assert [len(step.graphs) for step in few] == [4, 4, 2]


def test_an_object_that_is_slow_gets_fewer_graphs_a_call():
    calls = graphs(plan_writes(requests(4), Limits(object_rows={"WorkOrder": 1})))
    assert [len(step.graphs) for step in calls] == [1, 1, 1, 1]


def test_a_row_whose_mates_are_there_already_goes_the_ordinary_way():
    case = WriteIntent("c", "Case", "key-c", "500A", {"Subject": "c"}, bond="r")
    calls = plan_writes([case, row("w", "WorkOrder", "r")])
    assert graphs(calls) == [] and sum(call.written for call in calls) == 2


def test_graphs_come_after_what_they_name_and_before_what_names_them():
    contact = row("m", "Contact")
    bond = list(request(1, also=(ParentRef("ContactId", "Contact", "Contact", key="key-m"),)))
    visit = row("v", "ServiceAppointment", up=("WorkOrder", "w1"))
    calls = [call for call in plan_writes([visit, *bond, contact]) if call.rows]
    assert [list(call.rows.values()) for call in calls] == [[("m",)], [("c1", "w1")], [("v",)]]
    (step,) = graphs(calls)
    assert step.nodes[1].row["Contact"] == {"LINE_Key__c": "key-m"}


def test_cases_with_and_without_assignment_rules_do_not_share_a_call_of_graphs():
    ruled = row("c2", "Case", "r2", assign=True)
    calls = plan_writes([*request(1), ruled, row("w2", "WorkOrder", "r2", ("Case", "c2"))])
    assert [call.assign for call in calls if call.rows] == [False, True]


@given(
    st.lists(st.integers(1, 3), max_size=40),
    st.integers(3, 20),
    st.integers(1, 9),
)
@settings(max_examples=40, deadline=None)
def test_every_row_is_written_once_and_no_bond_is_cut(sizes, nodes, most):
    kinds = ("Case", "WorkOrder", "ServiceAppointment")
    intents = [
        row(f"{n}-{at}", kinds[at], f"b{n}", None if at == 0 else (kinds[at - 1], f"{n}-{at - 1}"))
        for n, size in enumerate(sizes)
        for at in range(size)
    ]
    calls = plan_writes(intents, Limits(nodes=nodes, graphs=most))
    written = [ref for call in calls for refs in call.rows.values() for ref in refs]
    assert sorted(written) == sorted(intent.ref for intent in intents)
    for step in graphs(calls):
        assert len(step.graphs) <= most and len(step.nodes) <= nodes
        assert all(len(graph) == sizes[int(graph[0].key.split("-")[1])] for graph in step.graphs)


def test_an_answer_names_the_culprit_and_leaves_its_mates_collateral():
    call = plan_writes(requests(2))[0]
    (step,) = call.steps
    refused = [{"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "no"}]
    answered = {"graphs": [_graph(0, (400, HALTED), (400, refused)), _graph(1, _ok(1), _ok(2))]}
    answer = Answer(DATE, {step.ref: graph_wire.results(step, answered)})
    outcomes = collect(call, answer)
    assert outcomes["c0"].faults[0].kind is FaultKind.COLLATERAL
    assert outcomes["w0"].faults[0].code == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert outcomes["c1"].ok.id == "500000000000001AAA" and outcomes["w1"].ok


def _graph(at, *parts):
    told = [
        {"referenceId": f"n{n}", "httpStatusCode": status, "body": body, "httpHeaders": {}}
        for n, (status, body) in enumerate(parts)
    ]
    return {"graphId": f"g{at}", "graphResponse": {"compositeResponse": told}}


def _ok(n):
    return 201, {"id": f"50000000000000{n}AAA", "success": True, "errors": [], "created": True}


def test_a_graph_that_the_answer_lacks_is_of_unknown_outcome():
    (step,) = plan_writes(requests(1))[0].steps
    told = graph_wire.results(step, {})
    assert [each.faults[0].kind for each in told] == [FaultKind.UNKNOWN] * 2


def test_a_bond_whose_one_row_lost_its_parent_is_held_whole():
    also = (ParentRef("AssetId", "Asset", "Asset", key="key-a"),)
    calls = plan_writes([*request(1, also=also), *request(2, level=1), row("a", "Asset")])
    lost = {"a": _refused()}
    graph = next(call for call in calls if call.bonds)
    found = orphans(graph, lost)
    assert set(found) == {"w1", "c1"}
    left = without(graph, found)
    assert left is not None and list(left.rows.values()) == [("c2", "w2")]
    assert objects_of(left.steps[0]) == ["Case", "WorkOrder"]


def _refused():
    write, _ = plan_writes([row("a", "Asset", read_back=("Name",))])[0].steps
    call = plan_writes([row("a", "Asset")])[0]
    return collect(call, Answer(DATE, {write.ref: [RowFailed((fault_of("X", ""),))]}))["a"]


def test_a_call_refused_as_a_whole_is_split_down_to_one_graph():
    fault = fault_of("JSON_PARSER_ERROR", "")
    two = failed_with(plan_writes(requests(2))[0], fault)
    one = failed_with(plan_writes(requests(1))[0], fault)
    assert [outcome.split for outcome in two.values()] == [True] * 4
    assert [outcome.split for outcome in one.values()] == [False] * 2


def test_the_body_names_rows_of_the_same_graph_by_reference_and_runs_no_rules_unasked():
    (step,) = plan_writes(requests(1))[0].steps
    (told,) = orjson.loads(graph_wire.body(step, "62.0"))["graphs"]
    case, work_order = told["compositeRequest"]
    assert case["url"] == "/services/data/v62.0/sobjects/Case/LINE_Key__c/key-c0"
    assert work_order["body"] == {"Subject": "w0", "CaseId": "@{n0.id}"}
    assert case["httpHeaders"] == {"Sforce-Auto-Assign": "FALSE"}


def test_what_the_org_would_misread_or_refuse_is_not_sent():
    (step,) = plan_writes(requests(1))[0].steps
    with pytest.raises(ValueError, match="call of their own"):
        graph_wire.alone([step, step])
    twisted = WriteIntent("c", "Case", "k", None, {"Subject": "@{n0.id}"}, bond="r")
    (call, *_) = plan_writes([twisted, row("w", "WorkOrder", "r")])
    with pytest.raises(ValueError, match="a reference"):
        graph_wire.alone(call.steps)
    with pytest.raises(ValueError, match="1 to 75 graphs"):
        graph_wire.alone([Graphs("g", [step.graphs[0]] * 76)])


def test_rows_written_are_told_as_such():
    call = plan_writes(requests(1))[0]
    (step,) = call.steps
    outcomes = collect(call, Answer(DATE, {step.ref: [RowOk("500A"), RowOk("0WOA")]}))
    assert (outcomes["c0"].ok.id, outcomes["w0"].ok.id) == ("500A", "0WOA")
