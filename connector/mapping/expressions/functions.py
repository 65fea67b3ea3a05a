"""The functions of our own that expressions may call, as plain Python."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from connector.domain.values import Value
from connector.mapping.canonical import plain_text, read_date, read_instant

_WEEKDAYS = {"zh": "一二三四五六日", "ja": "月火水木金土日"}
_ENGLISH_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ENGLISH_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_MONTHS = 12


def text(value: Value) -> str:
    """Any value as text; a blank one is empty, a set its elements with commas.

    Example: text(line.shop) + "!"
    """
    if isinstance(value, list):
        return ", ".join(text(item) for item in value)
    return plain_text(value)


def coalesce(*values: Value) -> Value:
    """The first value that is not blank.

    Example: coalesce(line.serial, line.code)
    """
    return next((value for value in values if value not in (None, "", [])), None)


def join(items: Value, separator: str) -> str:
    """The elements that are not blank, with the separator between them.

    Example: join([line.shop, line.serial], "; ")
    """
    listed = items if isinstance(items, list) else [items]
    return separator.join(shown for item in listed if (shown := text(item)))


def add_days(day: Value, days: Value) -> str | None:
    """The date so many days later; blank where either is blank.

    Example: add_days(line.purchased_on, 14)
    """
    if day is None or not isinstance(days, int | float):
        return None
    return (_date(day) + timedelta(days=int(days))).isoformat()


def add_months(day: Value, months: Value) -> str | None:
    """The same day so many months later, or that month's last day; blank where either is blank.

    Example: add_months(line.purchased_on, line.product.warranty_months)
    """
    if day is None or not isinstance(months, int | float):
        return None
    start = _date(day)
    index = start.year * _MONTHS + start.month - 1 + int(months)
    year, month = divmod(index, _MONTHS)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last)).isoformat()


def local_time(at: Value, zone: str, locale: str) -> str:
    """A moment as people of a place read it: `11/25（三）14:00`; empty where blank.

    Example: local_time("2026-11-25T06:00:00Z", "Asia/Taipei", "zh-TW")
    """
    if at is None:
        return ""
    read = read_instant(at)
    if read is None:
        raise ValueError(f"{at!r} is not a date and time")
    here = read.astimezone(ZoneInfo(zone))
    return f"{_day(here, locale)}{here:%H:%M}"


def local_date(day: Value, locale: str) -> str:
    """A date as people of a place read it: `2026/11/25`; empty where blank.

    Example: local_date(line.purchased_on, "ja")
    """
    if day is None:
        return ""
    read = _date(day)
    if locale.startswith("ja"):
        return f"{read.year}年{read.month}月{read.day}日"
    if locale.startswith("zh"):
        return f"{read.year}/{read.month}/{read.day}"
    return f"{_month(read)} {read.day}, {read.year}"


def _day(here: datetime, locale: str) -> str:
    language = locale[:2]
    if language not in _WEEKDAYS:
        return f"{_weekday(_ENGLISH_DAYS, here)}, {_month(here)} {here.day}, "
    weekday = _weekday(_WEEKDAYS[language], here)
    if language == "ja":
        return f"{here.month}月{here.day}日（{weekday}）"
    return f"{here.month}/{here.day}（{weekday}）"


def _weekday(names: Sequence[str], here: datetime) -> str:
    return names[here.weekday()]


def _month(day: date) -> str:
    return _ENGLISH_MONTHS[3 * day.month - 3 : 3 * day.month]


def _date(day: Value) -> date:
    read = read_date(day)
    if read is None:
        raise ValueError(f"{day!r} is not a date")
    return read
