"""The one shape a value is compared, stored and sent in: what a Salesforce field can hold and gives back.

Law: `canonical(field, canonical(field, v)) == canonical(field, v)`. Nothing is cut or dropped to make
a value fit; what a field can never hold stays as it is, and `refusal` says why it will not be taken.
Multi-select picklists are sorted lists here, so that they merge by element; `payload` is what the API takes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import partial
from typing import TypeAlias

from connector.domain.values import Fields, Value, moment
from connector.mapping.schema import FieldSchema

Shape: TypeAlias = Callable[[Value], Value]
Refusing: TypeAlias = Callable[[Value], str | None]

NUMBERS = frozenset({"int", "double", "currency", "percent", "long"})
REFERENCES = frozenset({"reference", "id"})
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_EXACT_DIGITS = 15  # of a number as JSON carries it
_SHORT_ID = 15
_LONG_ID = 18
_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_LENGTH_LIMITED = frozenset(
    {"string", "textarea", "phone", "email", "url", "picklist", "combobox", "encryptedstring"}
)


def canonical(field: FieldSchema, value: Value) -> Value:
    """The value as the field would hold it and give it back."""
    shape = _SHAPES.get(field.type)
    if shape is None:
        return _text(value)
    if isinstance(value, str):
        value = value.strip() or None
    if value is None:
        return False if field.type == "boolean" else None
    return shape(field, value)


def shape_of(field: FieldSchema) -> Shape:
    """`canonical` for the values of one field."""
    return partial(canonical, field) if field.type in _SHAPES else _text


def refusal(field: FieldSchema, value: Value) -> str | None:
    """Why Salesforce would not take a canonical value, or None when it would."""
    if value is None:
        return "it is required" if field.required else None
    if field.type in _LENGTH_LIMITED and field.length and len(str(value)) > field.length:
        return f"it has {len(str(value))} characters, the field holds {field.length}"
    if field.restricted and field.type in ("picklist", "multipicklist"):
        return _strange_choice(field, value)
    check = _REFUSALS.get(field.type)
    return check(field, value) if check else None


def refusal_of(field: FieldSchema) -> Refusing:
    """`refusal` for the values of one field; what is plainly right is let through at once."""
    longest = field.length if field.type in _LENGTH_LIMITED and field.length else sys.maxsize
    choices = frozenset(field.choices) if field.restricted and field.type == "picklist" else None
    if field.type in _REFUSALS or (field.restricted and choices is None):
        return partial(refusal, field)

    def refused(value: Value) -> str | None:
        if (
            isinstance(value, str)
            and len(value) <= longest
            and (choices is None or value in choices)
        ):
            return None
        return refusal(field, value)

    return refused


def payload(fields: Fields) -> Fields:
    """Canonical fields as the API takes them: multi-select picklists joined by `;`."""
    return {
        name: plain_text(value) if isinstance(value, list) else value
        for name, value in fields.items()
    }


def long_id(text: str) -> str:
    """The 18-character form of a Salesforce id; any other text comes back as it is."""
    if len(text) != _SHORT_ID or not (text.isascii() and text.isalnum()):
        return text
    return text + "".join(_check_character(text[at : at + 5]) for at in (0, 5, 10))


def plain_number(number: Decimal) -> int | float:
    """A whole number as int, any other as float, so that 3 and 3.0 are one value."""
    return int(number) if number == number.to_integral_value() else float(number)


def read_number(value: Value) -> Decimal | None:
    """The finite number a value stands for, if it stands for one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def read_date(value: Value) -> date | None:
    """The date behind `YYYY-MM-DD`, or of a longer ISO text's first ten characters."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None


def read_instant(value: Value) -> datetime | None:
    """The aware datetime behind ISO text in any offset; text without one is UTC."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def plain_text(value: Value) -> str:
    """Any value as the text a person would write for it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        number = read_number(value)
        return str(value) if number is None else str(plain_number(number))
    if isinstance(value, list):
        return ";".join(plain_text(item) for item in value)
    return "" if value is None else str(value)


def _check_character(five: str) -> str:
    return _CHECKSUM[sum(1 << at for at, letter in enumerate(five) if "A" <= letter <= "Z")]


def _text(value: Value) -> Value:
    if isinstance(value, dict):
        return value  # a compound value (an address): read-only, compared as it is
    text = value if isinstance(value, str) else plain_text(value)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip() or None


def _boolean(_field: FieldSchema, value: Value) -> Value:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value)
    return value != 0 if isinstance(value, int | float) else value


def _number(field: FieldSchema, value: Value) -> Value:
    number = read_number(value)
    if number is None:
        return value
    scale = 0 if field.type in ("int", "long") else field.scale
    if field.type in ("int", "long") or field.precision:
        try:
            number = number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
        except InvalidOperation:
            return value  # more digits than any field holds: `refusal` names it
    if isinstance(value, str) and not _is_exact(number):
        return value
    return plain_number(number)


def _is_exact(number: Decimal) -> bool:
    """Whether it can be sent and read back without losing a digit."""
    return len(number.normalize().as_tuple().digits) <= _EXACT_DIGITS


def _date(_field: FieldSchema, value: Value) -> Value:
    read = read_date(value)
    return value if read is None else read.isoformat()


def _datetime(_field: FieldSchema, value: Value) -> Value:
    read = read_instant(value)
    return value if read is None else moment(read.replace(microsecond=0))


def _choices(_field: FieldSchema, value: Value) -> Value:
    items = value if isinstance(value, list) else plain_text(value).split(";")
    chosen = {plain_text(item).strip() for item in items} - {""}
    return [*sorted(chosen)] or None


def _reference(_field: FieldSchema, value: Value) -> Value:
    return long_id(value) if isinstance(value, str) else value


_SHAPES: Mapping[str, Callable[[FieldSchema, Value], Value]] = {
    "boolean": _boolean,
    **dict.fromkeys(NUMBERS, _number),
    "date": _date,
    "datetime": _datetime,
    "multipicklist": _choices,
    **dict.fromkeys(REFERENCES, _reference),
}


def _strange_choice(field: FieldSchema, value: Value) -> str | None:
    chosen = value if isinstance(value, list) else [value]
    strange = [plain_text(choice) for choice in chosen if choice not in field.choices]
    if not strange:
        return None
    return f"{', '.join(strange)} is not a value of the picklist{field.of_type}"


def _no_boolean(_field: FieldSchema, value: Value) -> str | None:
    return None if isinstance(value, bool) else "it is neither true nor false"


def _no_number(field: FieldSchema, value: Value) -> str | None:
    number = read_number(value)
    if number is None:
        return "it is not a number"
    if isinstance(value, str) and not _is_exact(number):
        return f"it has more than {_EXACT_DIGITS} digits, which would not all be kept"
    digits = field.precision - field.scale
    if field.precision and abs(number) >= Decimal(10) ** digits:
        return f"it has more than {digits} digits before the decimal point"
    return None


def _no_date(_field: FieldSchema, value: Value) -> str | None:
    return "it is not a date (YYYY-MM-DD)" if read_date(value) is None else None


def _no_datetime(_field: FieldSchema, value: Value) -> str | None:
    return "it is not a date and time" if read_instant(value) is None else None


def _no_reference(_field: FieldSchema, value: Value) -> str | None:
    right = isinstance(value, str) and len(value) == _LONG_ID
    return None if right else "it is not a Salesforce id"


def _no_email(_field: FieldSchema, value: Value) -> str | None:
    right = isinstance(value, str) and _EMAIL.fullmatch(value) is not None
    return None if right else "it is not an e-mail address"


_REFUSALS: Mapping[str, Callable[[FieldSchema, Value], str | None]] = {
    "boolean": _no_boolean,
    "email": _no_email,
    **dict.fromkeys(NUMBERS, _no_number),
    "date": _no_date,
    "datetime": _no_datetime,
    **dict.fromkeys(REFERENCES, _no_reference),
}
