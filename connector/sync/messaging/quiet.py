"""Quiet hours: when messages nobody is waiting for rest until the morning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class QuietHours:
    """From one local time of day to another, over midnight where the second is earlier."""

    begin: time
    end: time
    zone: ZoneInfo

    @classmethod
    def read(cls, text: str, zone: str) -> QuietHours:
        """Read `22:00-08:00`."""
        begin, _, end = text.partition("-")
        return cls(time.fromisoformat(begin), time.fromisoformat(end), ZoneInfo(zone))

    def until(self, now: datetime) -> datetime | None:
        """The end of the quiet hours that `now` lies in; None outside them."""
        local = now.astimezone(self.zone)
        for days in (-1, 0):
            day = local.date() + timedelta(days=days)
            begin = datetime.combine(day, self.begin, self.zone)
            over_midnight = timedelta(days=1 if self.end <= self.begin else 0)
            end = datetime.combine(day + over_midnight, self.end, self.zone)
            if begin <= local < end:
                return end
        return None
