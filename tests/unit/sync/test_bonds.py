"""New rows that go together: who waits for whom, and when those that were claimed apart meet."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from connector.domain.states import MatchState, OutboxState, PairState
from connector.salesforce.planner import WriteIntent
from connector.store.tables import Outbox, Pair, Record
from connector.sync.outgoing import bonds
from connector.sync.pairs.jobs import Done, Hold, Job, Later, Mate, Stopped
from tests.unit.mapping.building import starter

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAMES = ("repair_request-case", "repair_request-workorder")


def tied():
    """A Case and a Work Order of one record, claimed together."""
    record = Record(id=uuid4(), kind="repair_request", values={}, version=1)
    jobs = [_job(record, name) for name in NAMES]
    case, work_order = jobs
    case.mates, work_order.mates = (_mate(work_order),), (_mate(case),)
    return case, work_order


def _job(record, name):
    mapping = starter().mappings[name]
    mapping = replace(mapping, mates=tuple(other for other in NAMES if other != name))
    pair = Pair(id=uuid4(), object=mapping.object, mapping=name, state=PairState.OPEN)
    pair.match, pair.salesforce_id = MatchState.NONE, None
    return Job(Outbox(pair_id=pair.id), pair, record, {}, mapping, weighed_at=NOW)


def _mate(job, standing=OutboxState.CLAIMED, held_for=None):
    return Mate(job.pair, standing, held_for)


def going(*jobs, **fields):
    return {job.ref: WriteIntent(job.ref, job.pair.object, "k", None, fields) for job in jobs}


def test_rows_that_both_go_get_one_bond():
    case, work_order = tied()
    wanted = going(case, work_order)
    assert not bonds.hold_back([case, work_order], wanted)
    first, second = bonds.tied([case, work_order], wanted)
    assert first.bond is not None and first.bond == second.bond


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (Stopped(OutboxState.PARKED, "no queue", ""), Hold),
        (Hold(uuid4(), "waits for its Asset", ""), Hold),
        (Later(NOW, "locked"), Later),
    ],
)
def test_a_row_whose_mate_cannot_go_waits_with_it(end, expected):
    case, work_order = tied()
    work_order.end = end
    assert bonds.hold_back([case, work_order], going(case))
    assert isinstance(case.end, expected)
    assert not isinstance(case.end, Later) or not case.end.spent


def test_a_row_goes_alone_where_its_mate_is_not_wanted_or_there_already():
    case, work_order = tied()
    work_order.end = Done()
    assert not bonds.hold_back([case, work_order], going(case))
    work_order.end, work_order.salesforce_id = None, "0WO000000000001AAA"
    assert not bonds.hold_back([case, work_order], going(case, work_order))


def test_rows_claimed_apart_meet_at_the_next_even_second():
    case, work_order = tied()
    case.mates = (_mate(work_order, OutboxState.READY),)
    assert bonds.hold_back([case], going(case))
    assert case.end.at == datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)
    assert not case.gathers


def test_a_mate_that_waits_for_nothing_but_this_row_is_called_for():
    case, work_order = tied()
    case.mates = (_mate(work_order, OutboxState.HELD, case.pair.id),)
    assert bonds.hold_back([case], going(case))
    assert isinstance(case.end, Later) and case.gathers


@pytest.mark.parametrize("standing", [OutboxState.PARKED, OutboxState.DEAD, OutboxState.HELD])
def test_a_row_is_held_for_a_mate_that_others_must_mend_first(standing):
    case, work_order = tied()
    case.mates = (_mate(work_order, standing, uuid4()),)
    assert bonds.hold_back([case], going(case))
    assert case.end.held_for == work_order.pair.id and str(standing) in case.end.reason


def test_a_text_that_the_org_would_take_for_a_reference_is_not_sent():
    case, work_order = tied()
    assert bonds.hold_back([case, work_order], going(case, work_order, Subject="@{x}"))
    assert isinstance(case.end, Stopped) and "@{" in case.end.reason


def test_a_parent_that_is_no_mate_is_no_meeting():
    case, work_order = tied()
    assert bonds.meeting(work_order, None) is None
    assert isinstance(bonds.meeting(work_order, case.pair), Later)
