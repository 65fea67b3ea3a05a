"""Row locks by the clock alone."""

from __future__ import annotations

import pytest

from simulator.salesforce.errors import Refusal
from simulator.salesforce.locks import CallLocks, RowLocks
from simulator.salesforce.switches import Switches

CHILD = {"Id": "003A", "AccountId": "001A"}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def locks(clock: Clock) -> RowLocks:
    return RowLocks(Switches(row_locks=True, lock_hold_ms=200, lock_wait_ms=300), clock)


def taken(locks: RowLocks, *rows: dict[str, str]) -> CallLocks:
    call = locks.begin()
    assert call is not None
    for row in rows:
        call.take(row, None)
    return call


def test_an_org_without_locks_gives_none() -> None:
    assert RowLocks(Switches()).begin() is None


def test_a_call_lasts_as_long_as_it_waits_and_works(locks: RowLocks) -> None:
    assert taken(locks, CHILD).settle() == pytest.approx(0.2)
    assert taken(locks, CHILD).settle() == pytest.approx(0.4)


def test_a_wait_beyond_the_bound_is_refused(locks: RowLocks, clock: Clock) -> None:
    for _ in range(2):
        taken(locks, CHILD).settle()
    with pytest.raises(Refusal, match="exclusive access"):
        taken(locks, CHILD)
    clock.now += 0.15
    assert taken(locks, CHILD)


def test_rows_of_other_accounts_do_not_wait(locks: RowLocks) -> None:
    taken(locks, CHILD).settle()
    assert taken(locks, {"Id": "003B", "AccountId": "001B"}).settle() == pytest.approx(0.2)


def test_a_call_does_not_wait_for_itself_nor_hold_what_it_did_not_write(locks: RowLocks) -> None:
    assert taken(locks, CHILD, CHILD).settle() == pytest.approx(0.2)
    assert taken(locks).settle() == 0
    assert taken(locks, {"Id": "003C"}).settle() == 0
