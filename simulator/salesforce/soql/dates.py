"""Date literals such as TODAY and LAST_N_DAYS:7, as half-open ranges of days of the user."""

from datetime import UTC, date, datetime, time, timedelta, timezone

from simulator.salesforce.values import stamp

# The users of the org live in Taipei, which keeps one offset all year.
USER_ZONE = timezone(timedelta(hours=8))
MONTHS_A_YEAR = 12
DAYS_A_WEEK = 7
Range = tuple[date, date]


def date_range(word: str, today: date) -> Range | None:
    """The first day of a date literal and the day after its last, or None for an unknown word."""
    if ":" in word:
        name, _, count = word.partition(":")
        return _counted(name, int(count), today)
    if word in {"LAST_90_DAYS", "NEXT_90_DAYS"}:
        return _counted(word.replace("90", "N"), 90, today)
    day = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}.get(word)
    if day is not None:
        return _days(today, day, day + 1)
    when, _, unit = word.partition("_")
    offset = {"LAST": -1, "THIS": 0, "NEXT": 1}.get(when)
    if offset is None or unit not in {"WEEK", "MONTH", "YEAR"}:
        return None
    return _units(unit, today, offset, offset + 1)


def today() -> date:
    """The day it is for the user."""
    return datetime.now(UTC).astimezone(USER_ZONE).date()


def midnight(day: date) -> str:
    """The moment a day begins for the user, as the API writes it."""
    return stamp(datetime.combine(day, time(), USER_ZONE))


def _counted(name: str, count: int, day: date) -> Range | None:
    unit = name.removesuffix("_AGO").split("_N_")[-1].removeprefix("N_").removesuffix("S")
    if unit not in {"DAY", "WEEK", "MONTH", "YEAR"}:
        return None
    if name.endswith("_AGO"):
        return _units(unit, day, -count, -count + 1)
    if name.startswith("NEXT"):
        return _units(unit, day, 1, count + 1)
    # LAST_N_DAYS counts today in; the other LAST_N units end before the present one.
    return _units(unit, day, -count, 1 if unit == "DAY" else 0)


def _units(unit: str, day: date, first: int, end: int) -> Range:
    if unit == "DAY":
        return _days(day, first, end)
    if unit == "WEEK":
        sunday = day - timedelta(days=(day.weekday() + 1) % DAYS_A_WEEK)
        return _days(sunday, first * DAYS_A_WEEK, end * DAYS_A_WEEK)
    if unit == "MONTH":
        return _month(day, first), _month(day, end)
    return date(day.year + first, 1, 1), date(day.year + end, 1, 1)


def _days(day: date, first: int, end: int) -> Range:
    return day + timedelta(days=first), day + timedelta(days=end)


def _month(day: date, offset: int) -> date:
    year, month = divmod(day.year * MONTHS_A_YEAR + day.month - 1 + offset, MONTHS_A_YEAR)
    return date(year, month + 1, 1)
