"""Where a claim begins."""

from __future__ import annotations

from datetime import datetime, timedelta

from connector.sync.heads import Heads
from tests.conftest import NOON


class Queue:
    """Rows by the moment they stand at; remembers where each claim began."""

    def __init__(self, *rows: datetime) -> None:
        self.rows = sorted(rows)
        self.begun: list[datetime | None] = []
        self.time = 0.0
        self.heads = Heads(lambda: self.time)

    def claim(self) -> list[datetime]:
        return list(self.heads.claim("urgent", self._take, lambda row: row))

    def _take(self, since: datetime | None) -> list[datetime]:
        self.begun.append(since)
        taken = [row for row in self.rows if since is None or row >= since][:2]
        self.rows = [row for row in self.rows if row not in taken]
        return taken


def moments(*seconds: float) -> list[datetime]:
    return [NOON + timedelta(seconds=each) for each in seconds]


def test_the_next_claim_begins_where_the_last_ended_and_a_second_before() -> None:
    queue = Queue(*moments(0, 10, 20, 30))
    queue.claim()
    assert queue.claim() == moments(20, 30)
    assert queue.begun == [None, *moments(9)]


def test_a_row_that_came_in_before_the_head_is_found_once_there_is_nothing_behind_it() -> None:
    queue = Queue(*moments(10, 20))
    queue.claim()
    queue.rows = moments(5)
    assert queue.claim() == moments(5)
    assert queue.begun == [None, *moments(19), None]


def test_under_a_backlog_the_beginning_is_looked_at_every_few_seconds() -> None:
    queue = Queue(*moments(*range(10, 100)))
    for _ in range(3):
        queue.claim()
    queue.rows.insert(0, moments(1)[0])
    assert moments(1)[0] not in queue.claim()
    queue.time += 6
    assert moments(1)[0] in queue.claim()
