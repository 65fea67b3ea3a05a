"""What an operator types for a value of a record, read as the form that asks for it would."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from difflib import get_close_matches

from connector.domain.phones import to_e164
from connector.domain.records import Kind, RecordSchema, ValueType
from connector.domain.values import Value, moment, read_moment
from connector.errors import ConnectorError
from connector.members.answers import Answers, read_day
from connector.members.repair import URGENCIES, day_of

_YES_OR_NO = {"true": True, "yes": True, "false": False, "no": False}


def known_name(schema: RecordSchema, name: str) -> str:
    """The name, if the kind of record has such a value."""
    if name in schema.values:
        return name
    near = get_close_matches(name, schema.values, 1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise ConnectorError(
        "unknown_value",
        f"a {schema.kind} has no value {name!r}",
        f"{hint}It has: {', '.join(sorted(schema.values))}.",
    )


def read(schema: RecordSchema, name: str, text: str) -> Value:
    """The value behind what was typed; blank means none."""
    if not text.strip():
        return None
    expected, reader = (
        _BY_NAME.get((schema.kind, name))
        or _of_options(schema, name)
        or _BY_TYPE[schema.values[name]]
    )
    try:
        value = reader(text.strip())
    except ValueError:
        value = None
    if value is None:
        raise ConnectorError(
            "bad_value", f"{name}: {text!r} is not {expected}", f"Give {expected}."
        )
    return value


def _text(text: str) -> Value:
    hidden = any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text if letter != "\n")
    return None if hidden else text


def _email(text: str) -> Value:
    answers = Answers({"email": text})
    return answers.email("email")


def _day(text: str) -> Value:
    return text if read_day(text) else None


def _set(text: str) -> Value:
    listed = json.loads(text) if text.startswith("[") else text.split(",")
    return list[Value](sorted({str(each).strip() for each in listed}))


def _slots(text: str) -> Value:
    slots = _set(text)
    return slots if isinstance(slots, list) and all(map(day_of, slots)) else None


def _urgency(text: str) -> Value:
    return text if text in URGENCIES else None


_Reader = tuple[str, Callable[[str], Value]]


def _of_options(schema: RecordSchema, name: str) -> _Reader | None:
    """How an answer is read that a form lets people choose."""
    options = schema.options.get(name)
    if options is None:
        return None
    shown = ", ".join(options)
    if schema.values[name] is not ValueType.SET:
        return f"one of {shown}", lambda text: text if text in options else None

    def chosen(text: str) -> Value:
        found = _set(text)
        return found if isinstance(found, list) and {*map(str, found)} <= {*options} else None

    return f"one or more of {shown}, with commas between", chosen


_BY_TYPE: Mapping[ValueType, _Reader] = {
    ValueType.TEXT: ("a text without control characters", _text),
    ValueType.BOOLEAN: ("true or false", lambda text: _YES_OR_NO.get(text.lower())),
    ValueType.INTEGER: ("a whole number", int),
    ValueType.DATE: ("a day as YYYY-MM-DD", _day),
    ValueType.MOMENT: (
        "a moment as 2026-01-31T08:00:00Z",
        lambda text: moment(read_moment(text)),
    ),
    ValueType.SET: ("a list, with commas between", _set),
    ValueType.PHONE: ("a telephone number, as 0912345678 or +886912345678", to_e164),
    ValueType.EMAIL: ("an e-mail address", _email),
}
_BY_NAME: Mapping[tuple[str, str], _Reader] = {
    (Kind.REPAIR_REQUEST, "urgency"): (f"one of {', '.join(URGENCIES)}", _urgency),
    (Kind.REPAIR_REQUEST, "slots"): ("a list of YYYY-MM-DD AM, PM or EVENING", _slots),
}
