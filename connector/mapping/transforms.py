"""Named conversions between a record value and what a Salesforce field holds.

Laws, for every transform that has an inverse and every value v it takes:
`normal(inverse(forward(v))) == normal(v)`: it comes back meaning the same, and
`forward(inverse(forward(v))) == forward(v)`: what came back is not rewritten. Two values mean the
same when their normal forms are equal. Blank (None) stays blank both ways, except in `boolean`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers

from connector.domain.addresses import join_address, split_address
from connector.domain.names import join_person_name, normalised_person_name, split_person_name
from connector.domain.phones import to_e164
from connector.domain.records import ValueType
from connector.domain.values import Value, moment
from connector.mapping.canonical import (
    plain_number,
    plain_text,
    read_date,
    read_instant,
    read_number,
)

Convert: TypeAlias = Callable[[Value], Value]
_TO_THE_MINUTE = "%Y-%m-%d %H:%M"
_LAST_SINGLE = "\uffff"  # letters beyond take two UTF-16 units
_TEXTS = frozenset({ValueType.TEXT, ValueType.PHONE, ValueType.EMAIL})


@dataclass(frozen=True)
class Transform:
    """One conversion, its argument applied. `targets` is how many fields it fills."""

    name: str
    forward: Convert
    inverse: Convert | None
    normal: Convert
    takes: frozenset[ValueType]
    gives: ValueType
    law: str
    targets: int = 1
    argument: Any = None

    def __str__(self) -> str:
        return self.name if self.argument is None else f"{self.name} {self.argument!r}"


class UnknownTransform(ValueError):
    """The mapping names a transform that is not registered."""


class WrongArgument(ValueError):
    """A transform was given an argument it cannot use."""


def transform(name: str, argument: Any = None) -> Transform:
    """The transform of that name with its argument; raises `UnknownTransform` or `WrongArgument`."""
    if name not in _REGISTRY:
        raise UnknownTransform(name)
    return replace(_REGISTRY[name](argument), argument=argument)


def transform_names() -> tuple[str, ...]:
    """Every registered name."""
    return tuple(sorted(_REGISTRY))


def transform_texts() -> Iterator[tuple[str, str]]:
    """How each transform is written, and what it does; the docstrings of their makers say both."""
    for make in _REGISTRY.values():
        written, _, does = " ".join((make.__doc__ or "").split()).partition(" | ")
        yield written, does


def _kept(convert: Callable[[str], Value]) -> Convert:
    """A conversion of texts that leaves blank values blank."""

    def run(value: Value) -> Value:
        if isinstance(value, str):
            return convert(value)
        return None if value is None else convert(plain_text(value))

    return run


def _stripped(text: str) -> str | None:
    return text.strip() or None


def _trim(argument: Any) -> Transform:
    """`trim` | Cuts blanks at both ends."""
    _no_argument("trim", argument)
    trim = _kept(_stripped)
    return Transform(
        "trim", trim, trim, trim, _TEXTS, ValueType.TEXT, "the text without outer blanks"
    )


def _upper(argument: Any) -> Transform:
    """`upper` | Capital letters."""
    _no_argument("upper", argument)
    upper = _kept(str.upper)
    return Transform("upper", upper, None, upper, _TEXTS, ValueType.TEXT, "one way")


def _lower(argument: Any) -> Transform:
    """`lower` | Small letters."""
    _no_argument("lower", argument)
    lower = _kept(str.lower)
    return Transform("lower", lower, None, lower, _TEXTS, ValueType.TEXT, "one way")


def _truncate(argument: Any) -> Transform:
    """`{truncate: 255}` | At most so many characters, no letter cut in two."""
    if isinstance(argument, bool) or not isinstance(argument, int) or argument < 1:
        raise WrongArgument("truncate takes a whole number of characters, as in {truncate: 255}")
    cut = _kept(lambda text: _cut(text, argument))
    return Transform("truncate", cut, None, cut, _TEXTS, ValueType.TEXT, "one way")


def _cut(text: str, units: int) -> str | None:
    """At most that many UTF-16 units, which is how the platform counts, and no letter cut in two."""
    if 2 * len(text) <= units:
        return text.strip() or None
    used = at = 0
    for at, letter in enumerate(text):  # noqa: B007 - the position outlives the loop
        used += 2 if letter > _LAST_SINGLE else 1
        if used > units:
            break
    else:
        return text.strip() or None
    while at > 0 and _belongs_to_previous(text, at):
        at -= 1
    return text[:at].strip() or None


def _belongs_to_previous(text: str, at: int) -> bool:
    letter = text[at]
    joined = "\u200d" in (letter, text[at - 1])
    return joined or unicodedata.combining(letter) != 0 or letter in "\ufe0e\ufe0f"


def _phone(argument: Any) -> Transform:
    """`phone`, `{phone: JP}` | Any spelling to `+886912345678`, in Taiwan unless a country is named; other text stays as typed."""
    region = "TW" if argument is None else argument
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise WrongArgument(f"phone takes a country such as TW, not {argument!r}")
    normal = _kept(lambda text: to_e164(text, region) or _stripped(text))
    law = "E.164; what is no phone number stays as typed"
    return Transform("phone", normal, normal, normal, _TEXTS, ValueType.PHONE, law)


def _email(argument: Any) -> Transform:
    """`email` | Trims; capital and small letters are the same address."""
    _no_argument("email", argument)
    trim = _kept(_stripped)
    normal = _kept(lambda text: text.strip().casefold() or None)
    return Transform(
        "email", trim, trim, normal, _TEXTS, ValueType.EMAIL, "the address, whatever its case"
    )


def _person_name(argument: Any) -> Transform:
    """`person_name` | One name to `[LastName, FirstName]`: 王小明 to 王, 小明; Ming Wang to Wang, Ming."""
    _no_argument("person_name", argument)

    def forward(value: Value) -> Value:
        last, first = split_person_name(plain_text(value))
        return [last or None, first]

    def inverse(value: Value) -> Value:
        last, first = value if isinstance(value, list) else (value, None)
        return join_person_name(plain_text(last), plain_text(first)) or None

    normal = _kept(lambda text: normalised_person_name(text) or None)
    law = "the whole name; none of its spaces in CJK names, single ones in others"
    only_text = frozenset({ValueType.TEXT})
    return Transform("person_name", forward, inverse, normal, only_text, ValueType.TEXT, law, 2)


def _date(argument: Any) -> Transform:
    """`date` | Text to a date, `2026-01-31`."""
    _no_argument("date", argument)

    def normal(value: Value) -> Value:
        read = read_date(value)
        return value if read is None else read.isoformat()

    takes = frozenset({ValueType.DATE, ValueType.TEXT})
    return Transform("date", normal, normal, normal, takes, ValueType.DATE, "YYYY-MM-DD")


def _address(argument: Any) -> Transform:
    """`address` | One address to `[street, city, postal code]`."""
    _no_argument("address", argument)

    def forward(value: Value) -> Value:
        street, city, code = split_address(plain_text(value))
        return [street or None, city, code]

    def inverse(value: Value) -> Value:
        parts = value if isinstance(value, list) else [value]
        street, city, code = (plain_text(part) for part in (*parts, None, None)[:3])
        return join_address(street, city, code) or None

    normal = _kept(lambda text: inverse(forward(text)))
    law = "the whole address, its blanks around city and postal code left out"
    only_text = frozenset({ValueType.TEXT})
    return Transform("address", forward, inverse, normal, only_text, ValueType.TEXT, law, 3)


def _datetime(argument: Any) -> Transform:
    """`datetime`, `{datetime: Asia/Tokyo}` | Text to a moment, UTC to the second; a time without an offset is of the place named, UTC unless one is."""
    zone = None if argument is None else _zone("datetime", argument)

    def normal(value: Value) -> Value:
        read = _instant_in(zone, value)
        return value if read is None else moment(read.replace(microsecond=0))

    takes = frozenset({ValueType.MOMENT, ValueType.TEXT})
    return Transform(
        "datetime", normal, normal, normal, takes, ValueType.MOMENT, "UTC, to the second"
    )


def _zone(name: str, argument: Any) -> ZoneInfo:
    zone = "Asia/Taipei" if argument is None else argument
    if zone not in _zones():
        raise WrongArgument(f"{name} takes a time zone such as Asia/Taipei, not {argument!r}")
    return ZoneInfo(zone)


@cache
def _zones() -> frozenset[str]:
    # reading the names walks the whole database of time zones, and each argument is checked
    return frozenset(available_timezones())


def _instant_in(zone: ZoneInfo | None, value: Value) -> datetime | None:
    """The moment that a text means; one that says no offset means the time of the zone."""
    read = read_instant(value)
    if read is None or zone is None or not isinstance(value, str):
        return read
    written = datetime.fromisoformat(value.strip())
    try:
        return written.replace(tzinfo=zone).astimezone(UTC) if written.tzinfo is None else read
    except OverflowError:
        return read  # at the end of the calendar


def _local_datetime(argument: Any) -> Transform:
    """`local_datetime`, `{local_datetime: Asia/Tokyo}` | The time that the clocks of a place show, as text: `2026-01-31 16:00`; Taipei unless another is named."""
    zone = _zone("local_datetime", argument)

    def forward(value: Value) -> Value:
        read = read_instant(value)
        return value if read is None else read.astimezone(zone).strftime(_TO_THE_MINUTE)

    def inverse(value: Value) -> Value:
        read = _instant_in(zone, value)
        return value if read is None else moment(read.replace(second=0, microsecond=0))

    def normal(value: Value) -> Value:
        return inverse(forward(value))

    takes = frozenset({ValueType.MOMENT})
    law = "the time that the clocks of the place show, to the minute"
    return Transform("local_datetime", forward, inverse, normal, takes, ValueType.TEXT, law)


def _local_date(argument: Any) -> Transform:
    """`local_date`, `{local_date: Asia/Tokyo}` | The day of a moment, in Taipei unless another place is named."""
    zone = _zone("local_date", argument)

    def forward(value: Value) -> Value:
        read = read_instant(value)
        return value if read is None else read.astimezone(zone).date().isoformat()

    takes = frozenset({ValueType.MOMENT})
    return Transform("local_date", forward, None, forward, takes, ValueType.DATE, "one way")


def _number(argument: Any) -> Transform:
    """`number` | Text to a number."""
    _no_argument("number", argument)

    def normal(value: Value) -> Value:
        read = read_number(value)
        return value if read is None else plain_number(read)

    takes = frozenset({ValueType.INTEGER, ValueType.TEXT})
    return Transform("number", normal, normal, normal, takes, ValueType.INTEGER, "the number")


def _boolean(argument: Any) -> Transform:
    """`boolean` | `yes`, `no`, `true`, `false` to a flag."""
    _no_argument("boolean", argument)

    def normal(value: Value) -> Value:
        words = {
            "true": True,
            "yes": True,
            "1": True,
            "false": False,
            "no": False,
            "0": False,
            "": False,
        }
        return words.get(plain_text(value).strip().lower(), value)

    takes = frozenset({ValueType.BOOLEAN, ValueType.TEXT, ValueType.INTEGER})
    return Transform("boolean", normal, normal, normal, takes, ValueType.BOOLEAN, "true or false")


def _prefix(argument: Any) -> Transform:
    """`{prefix: LINE-}` | Puts it in front."""
    if not isinstance(argument, str) or not argument:
        raise WrongArgument("prefix takes a text, as in {prefix: LINE-}")
    forward = _kept(lambda text: argument + text if text else None)
    inverse = _kept(lambda text: text.removeprefix(argument) or None)
    normal = _kept(lambda text: text or None)
    return Transform(
        "prefix", forward, inverse, normal, _TEXTS, ValueType.TEXT, "the text without the prefix"
    )


def _join(argument: Any) -> Transform:
    """`{join: "; "}` | The elements of a set in one text."""
    if not isinstance(argument, str) or not argument.strip():
        raise WrongArgument('join takes a separator that is not blank, as in {join: "; "}')
    mark = argument.strip()

    def elements(value: Value) -> list[str]:
        items = value if isinstance(value, list) else plain_text(value).split(mark)
        parts = (part for item in items for part in plain_text(item).split(mark))
        return sorted({part.strip() for part in parts} - {""})

    def forward(value: Value) -> Value:
        return argument.join(elements(value)) or None

    def inverse(value: Value) -> Value:
        return [*elements(value)]

    takes = frozenset({ValueType.SET})
    return Transform(
        "join", forward, inverse, inverse, takes, ValueType.TEXT, "the set of its elements"
    )


def _no_argument(name: str, argument: Any) -> None:
    if argument is not None:
        raise WrongArgument(f"{name} takes no argument")


_REGISTRY: Mapping[str, Callable[[Any], Transform]] = {
    "trim": _trim,
    "upper": _upper,
    "lower": _lower,
    "truncate": _truncate,
    "phone": _phone,
    "email": _email,
    "person_name": _person_name,
    "date": _date,
    "datetime": _datetime,
    "local_date": _local_date,
    "local_datetime": _local_datetime,
    "address": _address,
    "number": _number,
    "boolean": _boolean,
    "prefix": _prefix,
    "join": _join,
}
