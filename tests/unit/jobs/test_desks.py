"""A queue holds no more threads of a worker than it has places, and nothing that came meanwhile is left lying."""

from __future__ import annotations

import threading
from collections.abc import Callable

from jobs.desks import Desk


def always() -> bool:
    return True


def test_a_wake_that_finds_the_places_taken_takes_no_thread() -> None:
    desk = Desk(1)
    others: list[bool] = []

    def step() -> int:
        others.append(desk.work(nothing_may_be_done, always))
        return 0 if len(others) > 1 else 1

    def nothing_may_be_done() -> int:
        raise AssertionError("there was no place")

    assert desk.work(step, lambda: len(others) < 1)
    assert others == [False]


def test_what_came_after_the_last_look_is_looked_for_again() -> None:
    desk, waiting = Desk(1), ["first"]
    done: list[str] = []

    def step() -> int:
        found = list(waiting)
        waiting.clear()
        if not found and len(done) == 1:
            waiting.append("second")  # comes when the look is over, and its wake finds no place
            desk.work(step, always)
        done.extend(found)
        return len(found)

    desk.work(step, always)
    assert done == ["first", "second"]


def test_a_place_is_free_again_after_a_step_that_failed() -> None:
    desk = Desk(1)

    def fails() -> int:
        raise OSError("the database is away")

    for _ in range(2):
        try:
            desk.work(fails, always)
        except OSError as error:
            assert str(error) == "the database is away"
    assert worked(desk) == 1


def test_two_places_are_worked_at_once() -> None:
    desk, both = Desk(2), threading.Barrier(2, timeout=5)
    threads = [threading.Thread(target=desk.work, args=(meets(both), always)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert not both.broken
    assert worked(desk) == 1


def meets(both: threading.Barrier) -> Callable[[], int]:
    def step() -> int:
        both.wait()
        return 0

    return step


def worked(desk: Desk) -> int:
    """How many steps one more thread gets to make."""
    steps: list[int] = []

    def step() -> int:
        steps.append(1)
        return 0

    desk.work(step, always)
    return len(steps)
