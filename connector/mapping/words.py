"""What people who know Salesforce Setup call the kinds of values and the types of fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.domain.records import ValueType

_KINDS: Mapping[ValueType, str] = {
    ValueType.TEXT: "a text",
    ValueType.BOOLEAN: "true or false",
    ValueType.INTEGER: "a number",
    ValueType.DATE: "a date",
    ValueType.MOMENT: "a date and time",
    ValueType.SET: "a set of values",
    ValueType.PHONE: "a phone number",
    ValueType.EMAIL: "an e-mail address",
}
_TYPES: Mapping[str, str] = {
    "string": "text",
    "textarea": "text area",
    "boolean": "checkbox",
    "int": "number",
    "long": "number",
    "double": "number",
    "datetime": "date and time",
    "multipicklist": "multi-select picklist",
    "reference": "lookup",
    "encryptedstring": "encrypted text",
}


def kind_named(kind: ValueType | None) -> str:
    """A kind of value, with its article."""
    return "a value" if kind is None else _KINDS[kind]


def kinds_named(kinds: Iterable[ValueType]) -> str:
    """Several kinds; phones and e-mail addresses are texts where texts will do."""
    wanted = set(kinds)
    if ValueType.TEXT in wanted:
        wanted -= {ValueType.PHONE, ValueType.EMAIL}
    return " or ".join(_KINDS[kind] for kind in _KINDS if kind in wanted)


def type_named(field_type: str) -> str:
    """A type of field, as Setup calls it."""
    return _TYPES.get(field_type, field_type)
