"""Quiet hours, in local time, over midnight too."""

from datetime import UTC, datetime

import pytest

from connector.sync.messaging.quiet import QuietHours

NIGHT = QuietHours.read("22:00-08:00", "Asia/Taipei")
NOON_REST = QuietHours.read("12:00-13:30", "Asia/Taipei")


def taipei(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=NIGHT.zone)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (NIGHT, taipei(21, 23), taipei(22, 8)),
        (NIGHT, taipei(22, 7, 59), taipei(22, 8)),
        (NIGHT, taipei(22, 8), None),
        (NIGHT, taipei(22, 21, 59), None),
        (NOON_REST, taipei(22, 13), taipei(22, 13, 30)),
        (NOON_REST, taipei(22, 14), None),
    ],
)
def test_the_end_is_told_inside_and_nothing_outside(hours, now, until) -> None:
    assert hours.until(now.astimezone(UTC)) == until
