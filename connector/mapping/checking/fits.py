"""Which kinds of value which types of field can hold."""

from __future__ import annotations

from collections.abc import Mapping

from connector.domain.records import ValueType
from connector.mapping.canonical import NUMBERS, REFERENCES

_TEXTS = frozenset({"string", "textarea", "encryptedstring", "combobox", "anyType"})
_CHOICES = frozenset({"picklist", "multipicklist"})

_HOLDERS: Mapping[ValueType, frozenset[str]] = {
    ValueType.TEXT: _TEXTS | _CHOICES | REFERENCES | {"phone", "email", "url", "time"},
    ValueType.PHONE: _TEXTS | {"phone"},
    ValueType.EMAIL: _TEXTS | {"email"},
    ValueType.BOOLEAN: frozenset({"boolean"}),
    ValueType.INTEGER: _TEXTS | NUMBERS,
    ValueType.DATE: _TEXTS | {"date"},
    ValueType.MOMENT: _TEXTS | {"datetime"},
    ValueType.SET: frozenset({"multipicklist"}),
}
_GUESSES: Mapping[ValueType, str] = {
    ValueType.BOOLEAN: "boolean",
    ValueType.INTEGER: "double",
    ValueType.DATE: "date",
    ValueType.MOMENT: "datetime",
    ValueType.SET: "multipicklist",
    ValueType.PHONE: "phone",
    ValueType.EMAIL: "email",
}


def fits(kind: ValueType, field_type: str) -> bool:
    """Whether a field of that type can hold such a value as it is."""
    return field_type in _HOLDERS[kind]


def guessed_type(kind: ValueType | None) -> str:
    """The type of field that such a value is usually kept in, for checks without an org."""
    return "string" if kind is None else _GUESSES.get(kind, "string")
