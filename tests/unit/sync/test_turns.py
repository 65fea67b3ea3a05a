"""Whose message is read next."""

from __future__ import annotations

import pytest

from connector.sync.incoming import turns
from connector.sync.incoming.turns import STEP, Turns
from tests.conftest import Clock


def test_a_flood_queues_behind_itself_and_everybody_else_comes_at_once(clock: Clock) -> None:
    mine = Turns(clock)
    flood = [mine.take("Uflood") for _ in range(1000)]
    assert mine.take("Uother") == clock.now == flood[0]
    assert flood == [clock.now + STEP * number for number in range(1000)]


def test_who_has_paused_is_first_again(clock: Clock) -> None:
    mine = Turns(clock)
    for _ in range(10):
        mine.take("Uflood")
    clock.move(seconds=60)
    assert mine.take("Uflood") == clock.now


def test_nobody_in_particular_comes_now(clock: Clock) -> None:
    mine = Turns(clock)
    assert [mine.take(None), mine.take(None)] == [clock.now, clock.now]


def test_only_so_many_senders_are_remembered(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_MOST", 2)
    mine = Turns(clock)
    for sender in ("Ua", "Ub", "Uc"):
        mine.take(sender)
    assert mine.take("Ua") == clock.now
    assert mine.take("Uc") == clock.now + STEP
