"""Values as the org keeps them: checked and reshaped on the way in, ready for JSON on the way out.

Dates and datetimes are kept as the text the API shows: `2026-01-02` and
`2026-01-02T03:04:05.000+0000`. In UTC and of fixed width they sort and compare as text.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from simulator.salesforce.errors import Refusal, bad_json
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.schema import Field

EMAIL = re.compile(r"[^\s@<>()\[\],;:\"\\]+@[^\s@.,;:<>()]+(?:\.[^\s@.,;:<>()]+)+")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
DATETIME = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?(?:(Z)|([+-]\d{2}):?(\d{2}))", re.ASCII
)
TRUTH: Mapping[str, bool] = {"true": True, "false": False}
INT_DIGITS = 8

Coercer = Callable[[Field, Any], Any]


def coerce(field: Field, value: Any) -> Any:
    """The value as this field keeps it; null for what a text field would call blank."""
    if value is None:
        return _null(field)
    return COERCERS[field.type](field, value)


def stamp(moment: datetime) -> str:
    """A moment as the API writes it, cut to whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def parse_datetime(text: str) -> str | None:
    """A datetime in the API's own spelling, or None where it is not one."""
    found = DATETIME.fullmatch(text)
    if found is None:
        return None
    local, zulu, hours, minutes = found.groups()
    offset = "+00:00" if zulu else f"{hours}:{minutes}"
    try:
        return stamp(datetime.fromisoformat(local + offset))
    except (ValueError, OverflowError):
        return None


def parse_date(text: str) -> str | None:
    """A date, or None where the text is not one."""
    if DATE.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _null(field: Field) -> None:
    if field.type == "boolean":
        raise _wrong_type(field, "null")


def _text(field: Field, value: Any) -> str | None:
    if type(value) is not str:
        value = _as_text(field, value)
    value = value.strip()
    if not value:
        return None
    if len(value) > field.length:
        raise Refusal(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {value} (max length={field.length})",
            [field.name],
        )
    return str(value)


def _as_text(field: Field, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    raise _undeserializable(field, value)


def _email(field: Field, value: Any) -> str | None:
    text = _text(field, value)
    if text is not None and EMAIL.fullmatch(text) is None:
        raise Refusal(
            "INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", [field.name]
        )
    return text


def _picklist(field: Field, value: Any) -> str | None:
    text = _text(field, value)
    if field.restricted and text is not None and text not in field.values:
        raise Refusal(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {text}",
            [field.name],
        )
    return text


def _choices(field: Field, value: Any) -> str | None:
    """Several values of a picklist, each once, in the picklist's own order."""
    text = _text(field, value)
    chosen = {part.strip() for part in (text or "").split(";")} - {""}
    for each in sorted(chosen):
        _picklist(field, each)
    known = [each for each in field.values if each in chosen]
    return ";".join([*known, *sorted(chosen - set(known))]) or None


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = TRUTH.get(value.lower()) if isinstance(value, str) else None
    if known is None:
        raise _undeserializable(field, value)
    return known


def _number(field: Field, value: Any) -> float | int | None:
    if value == "":
        return None
    number = _decimal(field, value)
    whole_digits = INT_DIGITS if field.type == "int" else field.precision - field.scale
    if abs(number) >= 10**whole_digits:
        raise Refusal(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            [field.name],
        )
    rounded = number.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    return int(rounded) if field.type == "int" else float(rounded)


def _decimal(field: Field, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _undeserializable(field, value)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise _undeserializable(field, value) from None
    if not number.is_finite():
        raise _undeserializable(field, value)
    return number


def _date(field: Field, value: Any) -> str | None:
    if value == "":
        return None
    known = parse_date(value) if isinstance(value, str) else None
    if known is None:
        raise _undeserializable(field, value)
    return known


def _datetime(field: Field, value: Any) -> str | None:
    if value == "":
        return None
    known = parse_datetime(value) if isinstance(value, str) else None
    if known is None:
        raise _undeserializable(field, value)
    return known


def _reference(field: Field, value: Any) -> str | None:
    if value == "":
        return None
    if not is_id(value):
        raise Refusal(
            "MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name]
        )
    return long_form(value)


def _base64(field: Field, value: Any) -> str | None:
    if value == "":
        return None
    try:
        b64decode(value, validate=True)
    except (TypeError, ValueError):
        raise _undeserializable(field, value) from None
    return str(value)


def _undeserializable(field: Field, value: Any) -> Refusal:
    kind = {"string": "VALUE_STRING", "number": "VALUE_NUMBER"}.get(_json_kind(value), "VALUE")
    return bad_json(
        f"Cannot deserialize instance of {_soap_name(field)} from {kind} value {value} "
        "or request may be missing a required field at [line:1, column:1]"
    )


def _json_kind(value: Any) -> str:
    return "string" if isinstance(value, str) else "number"


def _soap_name(field: Field) -> str:
    return field.type if field.type in COERCERS and field.type not in TEXTUAL else "string"


def _wrong_type(field: Field, value: str) -> Refusal:
    return Refusal(
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        f"{field.label}: value not of required type: {value}",
        [field.name],
    )


TEXTUAL: Mapping[str, Coercer] = {
    "string": _text,
    "textarea": _text,
    "phone": _text,
    "url": _text,
    "combobox": _text,
    "email": _email,
    "picklist": _picklist,
    "multipicklist": _choices,
}
COERCERS: Mapping[str, Coercer] = {
    **TEXTUAL,
    "id": _reference,
    "reference": _reference,
    "boolean": _boolean,
    "base64": _base64,
    "int": _number,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "date": _date,
    "datetime": _datetime,
}
