"""The loop of the stream reader's process."""

import threading

import pytest

from connector.bootstrap import waker
from connector.cli.subscribe import follow
from connector.errors import ConnectorError


class Reads:
    """Reads that fail a given number of times, and stop the loop at the end."""

    def __init__(self, stop, errors=(), reads=3):
        self.stop, self.errors, self.left = stop, list(errors), reads

    def __call__(self):
        self.left -= 1
        if self.left <= 0:
            self.stop.set()
        if self.errors:
            raise self.errors.pop(0)
        return 1


@pytest.fixture
def stop(monkeypatch):
    event = threading.Event()
    event.rests = []
    monkeypatch.setattr(event, "wait", lambda seconds: event.rests.append(round(seconds)))
    return event


def test_it_reads_at_the_pace_that_is_set_until_it_is_stopped(stop):
    follow(Reads(stop), 5, stop)
    assert stop.rests == [5, 5, 5]


def test_after_failures_it_rests_longer_and_longer_then_goes_on(stop):
    errors = [OSError("down"), ConnectorError("x", "y"), OSError("down")]
    follow(Reads(stop, errors, reads=4), 1, stop)
    assert stop.rests == [2, 4, 8, 1]


def test_a_mistake_of_ours_ends_the_process_so_that_it_is_seen(stop):
    with pytest.raises(ZeroDivisionError):
        follow(Reads(stop, [ZeroDivisionError()]), 1, stop)


def test_the_queues_are_woken_by_the_jobs_of_this_checkout():
    assert callable(waker())
