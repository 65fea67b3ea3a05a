"""How a job that failed ends, by its fault."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from connector.domain.states import OutboxState, PairState
from connector.salesforce.faults import fault_of, unknown_outcome
from connector.sync.outgoing.settling import end_of
from connector.sync.pairs.jobs import Done, Job, Later, Lost, Stopped
from connector.sync.pausing import pause_of

NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)


def ended(
    code: str,
    message: str = "",
    *,
    attempts: int = 1,
    unknown: bool = False,
    row: str | None = None,
    **pair: Any,
):
    """What becomes of a job after this fault."""
    job: Any = Job(
        intent=SimpleNamespace(attempts=attempts),  # type: ignore[arg-type]
        pair=SimpleNamespace(
            **{"state": PairState.OPEN, "object": "Contact", "erasing": False, **pair}
        ),  # type: ignore[arg-type]
        record=None,  # type: ignore[arg-type]
        seen={},
        mapping=SimpleNamespace(match=(), adopt=None, row_of=None),  # type: ignore[arg-type]
        salesforce_id=row,
    )
    fault = fault_of(code, message)
    end_of(job, unknown_outcome(fault) if unknown else fault, NOW)
    return job.end


def test_a_lock_is_waited_for_and_counts():
    end = ended("UNABLE_TO_LOCK_ROW")
    assert isinstance(end, Later)
    assert (end.spent, end.unseen_write) == (True, False)
    assert end.at is not None
    assert end.at - NOW < timedelta(seconds=2)


def test_too_many_locks_give_up_with_a_next_step():
    end = ended("UNABLE_TO_LOCK_ROW", attempts=8)
    assert isinstance(end, Stopped)
    assert end.state is OutboxState.DEAD
    assert end.next_step


def test_a_parents_failure_costs_no_try():
    end = ended("PARENT_FAILED")
    assert isinstance(end, Later)
    assert not end.spent


@pytest.mark.parametrize(
    ("code", "message"),
    [("SERVER_UNAVAILABLE", "down for maintenance"), ("REQUEST_LIMIT_EXCEEDED", "TotalRequests")],
)
def test_an_org_that_rests_costs_no_try(code: str, message: str):
    end = ended(code, message, attempts=30)
    assert isinstance(end, Later)
    assert not end.spent
    pause = pause_of(fault_of(code, message), NOW)
    assert pause is not None
    assert pause[1] > NOW


def test_an_unknown_outcome_is_looked_up():
    end = ended("ANSWER_LOST", unknown=True)
    assert isinstance(end, Later)
    assert end.unseen_write


def test_a_value_that_is_refused_waits_for_a_person():
    end = ended("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no")
    assert isinstance(end, Stopped)
    assert end.state is OutboxState.PARKED
    assert end.next_step


def test_a_row_that_is_gone_is_followed():
    assert isinstance(ended("ENTITY_IS_DELETED", row="003"), Lost)


def test_marks_of_a_row_that_is_gone_are_gone_with_it():
    assert isinstance(ended("ENTITY_IS_DELETED", row="003", state=PairState.RELEASING), Done)
