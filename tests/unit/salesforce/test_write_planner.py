"""The write planner: every intent once, within the limits, parents first, few calls."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.salesforce.composite import MAX_STEPS, MAX_WRITTEN
from connector.salesforce.planner import (
    Limits,
    ParentCycle,
    ParentRef,
    WriteIntent,
    plan_writes,
    without,
)
from connector.salesforce.steps import Query, Update, Upsert


def intent(ref, obj="Case", sf_id=None, parents=(), **more):
    return WriteIntent(
        ref=ref,
        object=obj,
        key=f"key-{ref}",
        salesforce_id=sf_id,
        fields={"Subject": ref},
        parents=tuple(parents),
        **more,
    )


def case_parent(key=None, id=None):  # noqa: A002
    return ParentRef("CaseId", "Case", "Case", id=id, key=key)


def repairs(count):
    for n in range(count):
        yield intent(f"c{n}", read_back=("CaseNumber",), assign=True)
        yield intent(
            f"w{n}", "WorkOrder", parents=[case_parent(f"key-c{n}")], read_back=("StartDate",)
        )


def test_two_hundred_cases_with_work_orders_and_read_backs_are_one_call():
    (call,) = plan_writes(list(repairs(200)))
    kinds = [(type(step).__name__, getattr(step, "object", "")) for step in call.steps]
    assert kinds == [("Upsert", "Case"), ("Upsert", "WorkOrder"), ("Query", ""), ("Query", "")]
    assert call.assign


def test_a_thousand_repair_requests_take_at_most_five_calls():
    calls = plan_writes(list(repairs(1000)))
    assert len(calls) <= 5
    assert sum(call.written for call in calls) == 2000


def test_a_chain_of_five_objects_is_written_in_one_call_and_read_in_the_next():
    chain = ["Account", "Contact", "Asset", "Case", "WorkOrder"]
    intents = [
        intent(
            name,
            name,
            parents=[ParentRef(f"{up}Id", up, up, key=f"key-{up}")] if up else [],
            read_back=("Name",),
        )
        for up, name in zip([None, *chain], chain, strict=False)
    ]
    calls = plan_writes(intents)
    assert len(calls) == 2
    assert not calls[1].rows


def test_creates_and_updates_never_share_a_subrequest():
    (call,) = plan_writes([intent("a"), intent("b", sf_id="500000000000001AAA")])
    assert {type(step) for step in call.steps} == {Upsert, Update}


def test_an_update_goes_by_id_and_does_not_repeat_the_key():
    (call,) = plan_writes([intent("b", sf_id="500000000000001AAA")])
    assert call.steps[0].rows == ({"Id": "500000000000001AAA", "Subject": "b"},)


def test_a_parent_is_named_by_id_when_known_else_by_its_key():
    (call,) = plan_writes(
        [
            intent("x", "WorkOrder", parents=[case_parent(id="500A")]),
            intent("y", "WorkOrder", parents=[case_parent("elsewhere")]),
        ]
    )
    known, unknown = call.steps[0].rows
    assert known["CaseId"] == "500A"
    assert unknown["Case"] == {"LINE_Key__c": "elsewhere"}


def test_cases_with_and_without_assignment_rules_do_not_share_a_call():
    calls = plan_writes([intent("a", assign=True), intent("b", assign=False)])
    assert sorted(call.assign for call in calls) == [False, True]


def test_an_update_never_asks_for_assignment_rules():
    (call,) = plan_writes([intent("a", sf_id="500A", assign=True)])
    assert not call.assign


def test_the_same_row_twice_is_written_in_two_calls():
    twice = [intent("a", sf_id="500A"), intent("b", sf_id="500A")]
    calls = plan_writes(twice)
    assert [call.written for call in calls] == [1, 1]


def test_a_slow_object_gets_smaller_steps():
    calls = plan_writes([intent(f"s{n}") for n in range(9)], Limits(object_rows={"Case": 3}))
    assert [len(refs) for call in calls for refs in call.rows.values()] == [3, 3, 3]


def test_what_is_read_later_comes_in_portions_of_two_thousand():
    intents = [intent(f"s{n}", sf_id=f"{n:015d}AAA", read_back=("Status",)) for n in range(2100)]
    calls = plan_writes(intents)
    portions = [len(refs) for call in calls for refs in call.read_backs.values()]
    assert sum(portions) == 2100
    assert max(portions) <= 2000


def test_a_group_that_fits_stays_in_one_step():
    intents = [intent(f"s{n}") for n in range(199)]
    intents += [intent(f"g{n}", group="001A") for n in range(3)]
    (call,) = plan_writes(intents)
    steps = [refs for refs in call.rows.values() if any(ref.startswith("g") for ref in refs)]
    assert len(steps) == 1


def test_rows_that_are_each_other_s_parents_are_refused():
    with pytest.raises(ParentCycle, match="a, b"):
        plan_writes(
            [
                intent("a", parents=[case_parent("key-b")]),
                intent("b", parents=[case_parent("key-a")]),
            ]
        )


def test_held_rows_leave_a_call_and_the_rest_stays_in_order():
    (call,) = plan_writes([intent("a"), intent("b"), intent("c")])
    rest = without(call, ["b"])
    assert rest is not None
    assert next(iter(rest.rows.values())) == ("a", "c")
    assert [row["Subject"] for row in rest.steps[0].rows] == ["a", "c"]
    assert without(call, ["a", "b", "c"]) is None


def test_read_backs_ask_by_key_for_creates_and_by_id_for_updates():
    (call,) = plan_writes(
        [
            intent("a", read_back=("CaseNumber",)),
            intent("b", sf_id="500A", read_back=("Status",)),
        ]
    )
    assert call.steps[-1].soql == (
        "SELECT Id, LINE_Key__c, Status, CaseNumber FROM Case "
        "WHERE LINE_Key__c IN ('key-a') OR Id IN ('500A')"
    )


OBJECTS = ["Account", "Contact", "Asset", "Case", "WorkOrder"]


@st.composite
def batches(draw):
    size = draw(st.integers(0, 60))
    spread = draw(st.integers(1, 12))
    intents = []
    for n in range(size * spread):
        up = draw(st.integers(0, n - 1)) if n and draw(st.booleans()) else None
        parents = []
        if up is not None:
            above = intents[up]
            known = draw(st.booleans())
            parents = [
                ParentRef(
                    "ParentId",
                    "Parent",
                    above.object,
                    id="001A" if known else None,
                    key=None if known else above.key,
                )
            ]
        intents.append(
            intent(
                f"i{n}",
                draw(st.sampled_from(OBJECTS)),
                sf_id=f"{n:015d}AAA" if draw(st.booleans()) else None,
                parents=parents,
                read_back=("Name",) if draw(st.booleans()) else (),
                group=draw(st.sampled_from([None, "g1", "g2", "g3"])),
                assign=draw(st.booleans()),
            )
        )
    return intents


@given(batches())
@settings(max_examples=40, deadline=None)
def test_any_batch_is_written_once_within_the_limits_and_parents_first(intents):
    calls = plan_writes(intents)
    order = list(itertools.chain.from_iterable(_order(call) for call in calls))
    assert sorted(order) == sorted(one.ref for one in intents)
    for call in calls:
        _check_limits(call)
    _check_parents(intents, order)
    _check_reads(intents, calls)


def _order(call):
    return [ref for step in call.steps if step.ref in call.rows for ref in call.rows[step.ref]]


def _check_limits(call):
    assert 1 <= len(call.steps) <= MAX_STEPS
    keys = []
    for step in call.steps:
        if isinstance(step, Query):
            continue
        assert 0 < len(step.rows) <= MAX_WRITTEN
        assert len(step.rows) == len(call.rows[step.ref])
        keys += [(step.object, row.get("LINE_Key__c") or row["Id"]) for row in step.rows]
    assert len(set(keys)) == len(keys)


def _check_parents(intents, order):
    at = {ref: n for n, ref in enumerate(order)}
    by_key = {(one.object, one.key): one.ref for one in intents}
    for one in intents:
        for parent in one.parents:
            if parent.key is not None:
                assert at[by_key[parent.object, parent.key]] < at[one.ref]


def _check_reads(intents, calls):
    read = [ref for call in calls for refs in call.read_backs.values() for ref in refs]
    assert sorted(read) == sorted(one.ref for one in intents if one.read_back)
    written = set()
    for call in calls:
        written |= set(_order(call))
        assert all(ref in written for refs in call.read_backs.values() for ref in refs)
