"""Plans carried out in a running org: outcomes row by row, read-backs, polling, doctor."""

from datetime import UTC, datetime, timedelta

from connector.domain.faults import FaultKind
from connector.salesforce.doctor import ObjectNeed, examine
from connector.salesforce.gateway import Gateway
from connector.salesforce.outcomes import collect, orphans
from connector.salesforce.planner import ParentRef, WriteIntent, plan_writes, without
from connector.salesforce.polling import Cursor, Position, poll
from connector.salesforce.steps import Upsert

KEY = "LINE_Key__c"


def case(key, subject="broken", **more):
    return WriteIntent(
        key, "Case", key, None, {"Subject": subject}, read_back=("CaseNumber",), **more
    )


def work_order(key, case_key):
    parent = ParentRef("CaseId", "Case", "Case", key=case_key)
    return WriteIntent(
        key, "WorkOrder", key, None, {"Subject": key}, (parent,), ("WorkOrderNumber", "CaseId")
    )


def carry_out(gateway, intents):
    outcomes = {}
    for call in plan_writes(intents):
        answer = gateway.run(call.steps, assign=call.assign)
        outcomes = collect(call, answer, outcomes)
    return outcomes


def test_a_repair_request_is_written_and_read_back_in_one_call(org, gateway):
    gateway.limits()
    seen = org.calls()[-1]["seq"]
    outcomes = carry_out(gateway, [case("c1"), work_order("w1", "c1")])
    assert outcomes["c1"].row["CaseNumber"]
    assert outcomes["w1"].row["CaseId"] == outcomes["c1"].ok.id
    assert len(org.calls(seen)) == 1


def test_five_hundred_repair_requests_are_written_in_two_calls(org, gateway):
    gateway.limits()
    seen = org.calls()[-1]["seq"]
    intents = [one for n in range(500) for one in (case(f"c{n}"), work_order(f"w{n}", f"c{n}"))]
    outcomes = carry_out(gateway, intents)
    assert all(outcome.row for outcome in outcomes.values())
    assert len(org.calls(seen)) == 2
    assert gateway.count("SELECT COUNT() FROM WorkOrder WHERE CaseId != null") == 500


def test_one_bad_row_fails_alone_and_its_child_is_collateral(gateway):
    bad = case("c1", subject="x" * 300)
    outcomes = carry_out(gateway, [bad, work_order("w1", "c1"), case("c2")])
    assert outcomes["c1"].faults[0].code == "STRING_TOO_LONG"
    assert outcomes["w1"].faults[0].kind is FaultKind.COLLATERAL
    assert outcomes["c2"].row["CaseNumber"]


def test_children_of_an_earlier_failure_are_known_before_their_call_and_held(gateway):
    (call,) = plan_writes([work_order("w1", "c1"), case("c1", subject="x" * 300)])
    failed = collect(call, gateway.run(call.steps))
    lost = orphans(call, {"c1": failed["c1"]})
    assert list(lost) == ["w1"]
    rest = without(call, lost)
    assert list(rest.rows.values()) == [("c1",)]


def test_polling_pages_by_keyset_and_a_second_poll_sees_only_the_overlap(gateway):
    gateway.run([Upsert("w", "Contact", KEY, [{KEY: f"k{n}", "LastName": "L"} for n in range(25)])])
    since = datetime.now(UTC) - timedelta(hours=1)
    cursors = [Cursor("Contact", (KEY, "LastName"), since), Cursor("Case", ("Status",), since)]
    answer = poll(gateway, cursors, page=10)
    contacts = answer.streams["Contact"]
    assert len({row["Id"] for row in contacts.rows}) == 25
    assert contacts.complete
    assert answer.streams["Case"].rows == []
    assert contacts.read_through <= datetime.now(UTC)
    beyond = poll(gateway, [Cursor("Contact", (KEY,), since, after=contacts.last)])
    assert beyond.streams["Contact"].rows == []
    assert beyond.streams["Contact"].last == contacts.last


def test_a_poll_cut_short_says_so_and_goes_on_where_it_stopped(gateway):
    gateway.run([Upsert("w", "Contact", KEY, [{KEY: f"k{n}", "LastName": "L"} for n in range(25)])])
    since = datetime.now(UTC) - timedelta(hours=1)
    first = poll(gateway, [Cursor("Contact", (KEY,), since)], rounds=1, page=10).streams["Contact"]
    assert not first.complete
    assert isinstance(first.last, Position)
    assert first.read_through == first.last.at
    rest = poll(gateway, [Cursor("Contact", (KEY,), since, after=first.last)]).streams["Contact"]
    assert rest.complete
    assert len({row[KEY] for row in first.rows + rest.rows}) == 25


def test_one_unreadable_object_does_not_stop_the_others(gateway):
    since = datetime.now(UTC)
    cursors = [Cursor("Product2", ("Nope__c",), since), Cursor("Contact", (KEY,), since)]
    answer = poll(gateway, cursors)
    assert answer.streams["Product2"].fault.code == "INVALID_FIELD"
    assert answer.streams["Product2"].read_through is None
    assert answer.streams["Contact"].complete


def test_the_doctor_finds_what_is_missing_and_says_how_to_mend_it(gateway):
    needs = [
        ObjectNeed("Contact", ("LastName",), ("LastName", "Name", "Nope__c"), creates=True),
        ObjectNeed("Case", ("CaseNumber",), ("Subject",), creates=True),
        ObjectNeed("Nothing__c"),
    ]
    findings = examine(gateway, needs)
    wrong = {finding.what for finding in findings if not finding.ok}
    assert wrong == {
        "Contact.Name cannot be written",
        "Contact.Nope__c is missing or hidden",
        "Nothing__c is not visible",
    }
    assert all(finding.fix for finding in findings if not finding.ok)


def test_the_doctor_stops_at_a_refused_sign_in(org):
    (finding,) = examine(Gateway(org.access(username="nobody@example.com")), [])
    assert not finding.ok
    assert finding.fix
