"""Polling against a scripted org: the overlap, the clock, and a call that fails half way."""

from datetime import UTC, datetime, timedelta

import pytest

from connector.salesforce.faults import CallFailed, fault_of
from connector.salesforce.polling import Cursor, poll
from connector.salesforce.steps import Answer, Rows

SINCE = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
DATE = datetime(2026, 1, 2, 4, 0, tzinfo=UTC)


class ScriptedOrg:
    """Answers each call with the next entry of a script, or raises it."""

    def __init__(self, *script):
        self.script = list(script)
        self.asked = []

    def run(self, steps):
        self.asked.append([step.soql for step in steps])
        told = self.script.pop(0)
        if isinstance(told, Exception):
            raise told
        results = {step.ref: Rows(list(told), len(told)) for step in steps}
        return Answer(DATE, results, 1, 2.5)


def row(n):
    return {"Id": f"500{n}", "SystemModstamp": f"2026-01-02T03:00:0{n}.000+0000"}


def test_a_poll_looks_back_by_its_overlap():
    org = ScriptedOrg([])
    poll(org, [Cursor("Case", (), SINCE, timedelta(minutes=15))])
    assert "SystemModstamp >= 2026-01-02T02:45:00Z" in org.asked[0][0]


def test_what_is_read_through_is_the_org_s_time_less_the_call_s_duration():
    stream = poll(ScriptedOrg([row(1)]), [Cursor("Case", (), SINCE)]).streams["Case"]
    assert stream.read_through == DATE - timedelta(seconds=2.5)


def test_a_failure_after_the_first_page_keeps_what_was_read():
    org = ScriptedOrg([row(1), row(2)], CallFailed(fault_of("NOT_SENT", "")))
    answer = poll(org, [Cursor("Case", (), SINCE)], page=2)
    stream = answer.streams["Case"]
    assert [found["Id"] for found in stream.rows] == ["5001", "5002"]
    assert (stream.complete, stream.fault.code) == (False, "NOT_SENT")
    assert stream.read_through == stream.last.at


def test_a_failure_of_the_first_call_is_raised():
    with pytest.raises(CallFailed):
        poll(ScriptedOrg(CallFailed(fault_of("NOT_SENT", ""))), [Cursor("Case", (), SINCE)])


def test_more_than_five_objects_take_two_calls():
    org = ScriptedOrg([], [])
    answer = poll(org, [Cursor(f"Object{n}", (), SINCE) for n in range(7)])
    assert [len(call) for call in org.asked] == [5, 2]
    assert len(answer.streams) == 7
