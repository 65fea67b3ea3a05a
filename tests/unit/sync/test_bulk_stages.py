"""The order in which many writes go, and which of them in jobs."""

from connector.salesforce.faults import fault_of
from connector.salesforce.outcomes import WriteOutcome
from connector.salesforce.plans import ParentRef, WriteIntent
from connector.sync.outgoing.bulk_stages import stages


def intent(ref, name="Contact", parent=None, **more):
    parents = (ParentRef("AccountId", "Account", "Account", key=parent),) if parent else ()
    row = {"salesforce_id": None, "fields": {"LastName": ref}, "parents": parents, **more}
    return WriteIntent(ref, name, ref, **row)


def accounts(count):
    return [intent(f"a{n}", "Account") for n in range(count)]


def contacts(count, **more):
    return [intent(f"c{n}", parent=f"a{n}", **more) for n in range(count)]


def told(found):
    return [(len(each.intents), each.intents[0].object, each.in_bulk) for each in found]


def test_the_children_s_job_begins_when_the_parents_has_ended():
    found = stages([*accounts(5), *contacts(5)], 5)
    assert told(found) == [(5, "Account", True), (5, "Contact", True)]


def test_creates_and_updates_never_share_a_job():
    changed = [intent(f"u{n}", salesforce_id=f"003{n}") for n in range(5)]
    found = stages([*accounts(5), *changed], 5)
    assert told(found) == [(5, "Account", True), (5, "Contact", True)]
    assert all(each.salesforce_id for each in found[1].intents)


def test_few_rows_of_a_kind_go_by_calls_before_their_children():
    found = stages([*accounts(2), *contacts(2), *[intent(f"d{n}") for n in range(5)]], 5)
    assert told(found) == [(5, "Contact", True), (2, "Account", False), (2, "Contact", False)]


def test_where_nothing_is_many_the_planner_has_it_all():
    assert told(stages([*accounts(4), *contacts(4)], 5)) == [(8, "Account", False)]


def test_what_a_job_cannot_do_goes_by_calls():
    rules = [intent(f"r{n}", "Case", assign=True) for n in range(2)]
    unsayable = [intent("n", fields={"LastName": "#N/A"})]
    twice = [intent("t", salesforce_id="0031"), intent("t2", salesforce_id="0031")]
    many = [intent(f"u{n}", salesforce_id=f"003{n}x") for n in range(5)]
    found = stages([*rules, *unsayable, *many, *twice], 5)
    assert {each.ref for each in found[0].intents} == {"u0", "u1", "u2", "u3", "u4", "t"}
    assert {each.ref for each in found[1].intents} == {"r0", "r1", "n", "t2"}
    assert [each.in_bulk for each in found] == [True, False]


def test_rows_that_stand_or_fall_together_go_last_with_what_hangs_on_them():
    tied = [intent("a9", "Account", bond="b"), intent("c9", parent="a9", bond="b")]
    below = ParentRef("ContactId", "Contact", "Contact", key="c9")
    hanging = WriteIntent("w", "WorkOrder", "w", None, {}, (below,))
    found = stages([*accounts(5), *tied, hanging], 5)
    assert told(found) == [(5, "Account", True), (3, "Account", False)]


def test_a_child_whose_parent_failed_earlier_is_collateral():
    _, children = stages([*accounts(5), *contacts(5)], 5)
    lost = {"a1": WriteOutcome(None, (fault_of("UNABLE_TO_LOCK_ROW", "busy"),))}
    orphans = children.orphans(lost)
    assert [(ref, each.faults[0].code) for ref, each in orphans.items()] == [
        ("c1", "PARENT_FAILED")
    ]
    assert [each.ref for each in children.without(orphans)] == ["c0", "c2", "c3", "c4"]
