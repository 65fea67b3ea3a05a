"""Named conversions between a record value and what a Salesforce field holds.

Laws, for every transform that has an inverse and every value v it takes:
`normal(inverse(forward(v))) == normal(v)`: it comes back meaning the same, and
`forward(inverse(forward(v))) == forward(v)`: what came back is not rewritten. Two values mean the
same when their normal forms are equal. Blank (None) stays blank both ways, except in `boolean`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers

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


class UnknownTransform(ValueError):
    """The mapping names a transform that is not registered."""


class WrongArgument(ValueError):
    """A transform was given an argument it cannot use."""


def transform(name: str, argument: Any = None) -> Transform:
    """The transform of that name with its argument; raises `UnknownTransform` or `WrongArgument`."""
    if name not in _REGISTRY:
        raise UnknownTransform(name)
    return _REGISTRY[name](argument)


def transform_names() -> tuple[str, ...]:
    """Every registered name."""
    return tuple(sorted(_REGISTRY))


def _kept(convert: Callable[[str], Value]) -> Convert:
    """A conversion of texts that leaves blank values blank."""

    def run(value: Value) -> Value:
        return None if value is None else convert(plain_text(value))

    return run


def _stripped(text: str) -> str | None:
    return text.strip() or None


def _trim(argument: Any) -> Transform:
    _no_argument("trim", argument)
    trim = _kept(_stripped)
    return Transform(
        "trim", trim, trim, trim, _TEXTS, ValueType.TEXT, "the text without outer blanks"
    )


def _upper(argument: Any) -> Transform:
    _no_argument("upper", argument)
    upper = _kept(str.upper)
    return Transform("upper", upper, None, upper, _TEXTS, ValueType.TEXT, "one way")


def _lower(argument: Any) -> Transform:
    _no_argument("lower", argument)
    lower = _kept(str.lower)
    return Transform("lower", lower, None, lower, _TEXTS, ValueType.TEXT, "one way")


def _truncate(argument: Any) -> Transform:
    if isinstance(argument, bool) or not isinstance(argument, int) or argument < 1:
        raise WrongArgument("truncate takes a whole number of characters, as in {truncate: 255}")
    cut = _kept(lambda text: _cut(text, argument))
    return Transform("truncate", cut, None, cut, _TEXTS, ValueType.TEXT, "one way")


def _cut(text: str, units: int) -> str | None:
    """At most that many UTF-16 units, which is how the platform counts, and no letter cut in two."""
    used = at = 0
    for at, letter in enumerate(text):  # noqa: B007 - the position outlives the loop
        used += len(letter.encode("utf-16-le")) // 2
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
    region = "TW" if argument is None else argument
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise WrongArgument(f"phone takes a country such as TW, not {argument!r}")
    normal = _kept(lambda text: to_e164(text, region) or _stripped(text))
    law = "E.164; what is no phone number stays as typed"
    return Transform("phone", normal, normal, normal, _TEXTS, ValueType.PHONE, law)


def _email(argument: Any) -> Transform:
    _no_argument("email", argument)
    trim = _kept(_stripped)
    normal = _kept(lambda text: text.strip().casefold() or None)
    return Transform(
        "email", trim, trim, normal, _TEXTS, ValueType.EMAIL, "the address, whatever its case"
    )


def _person_name(argument: Any) -> Transform:
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
    _no_argument("date", argument)

    def normal(value: Value) -> Value:
        read = read_date(value)
        return value if read is None else read.isoformat()

    takes = frozenset({ValueType.DATE, ValueType.TEXT})
    return Transform("date", normal, normal, normal, takes, ValueType.DATE, "YYYY-MM-DD")


def _datetime(argument: Any) -> Transform:
    _no_argument("datetime", argument)

    def normal(value: Value) -> Value:
        read = read_instant(value)
        return value if read is None else moment(read.replace(microsecond=0))

    takes = frozenset({ValueType.MOMENT, ValueType.TEXT})
    return Transform(
        "datetime", normal, normal, normal, takes, ValueType.MOMENT, "UTC, to the second"
    )


def _local_date(argument: Any) -> Transform:
    zone = "Asia/Taipei" if argument is None else argument
    if zone not in available_timezones():
        raise WrongArgument(f"local_date takes a time zone such as Asia/Taipei, not {argument!r}")

    def forward(value: Value) -> Value:
        read = read_instant(value)
        return value if read is None else read.astimezone(ZoneInfo(zone)).date().isoformat()

    takes = frozenset({ValueType.MOMENT})
    return Transform("local_date", forward, None, forward, takes, ValueType.DATE, "one way")


def _number(argument: Any) -> Transform:
    _no_argument("number", argument)

    def normal(value: Value) -> Value:
        read = read_number(value)
        return value if read is None else plain_number(read)

    takes = frozenset({ValueType.INTEGER, ValueType.TEXT})
    return Transform("number", normal, normal, normal, takes, ValueType.INTEGER, "the number")


def _boolean(argument: Any) -> Transform:
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
    if not isinstance(argument, str) or not argument:
        raise WrongArgument("prefix takes a text, as in {prefix: LINE-}")
    forward = _kept(lambda text: argument + text if text else None)
    inverse = _kept(lambda text: text.removeprefix(argument) or None)
    normal = _kept(lambda text: text or None)
    return Transform(
        "prefix", forward, inverse, normal, _TEXTS, ValueType.TEXT, "the text without the prefix"
    )


def _join(argument: Any) -> Transform:
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
    "number": _number,
    "boolean": _boolean,
    "prefix": _prefix,
    "join": _join,
}
