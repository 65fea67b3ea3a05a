"""What the org keeps of the objects that metadata describes: custom objects and platform events."""

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.salesforce.ids import ALPHABET
from simulator.salesforce.metadata.fields import Unfit

Metadata = Mapping[str, Any]
OBJECT_SUFFIX, EVENT_SUFFIX = "__c", "__e"
NAME_LENGTH = 80
FIRST_LETTERS = {OBJECT_SUFFIX: "a", EVENT_SUFFIX: "e"}
NEEDED = {
    OBJECT_SUFFIX: ("label", "pluralLabel", "nameField", "sharingModel"),
    EVENT_SUFFIX: ("label", "pluralLabel"),
}


def object_definition(name: str, told: Metadata, used: Iterable[str]) -> dict[str, Any]:
    """The definition of a new object; its key prefix is none of those used."""
    suffix = name[-len(OBJECT_SUFFIX) :]
    for key in NEEDED[suffix]:
        if not told.get(key):
            raise Unfit(f"Must specify '{key}' for CustomObject {name}")
    prefix = _free_prefix(FIRST_LETTERS[suffix], frozenset(used))
    known = {"label": told["label"], "plural": told["pluralLabel"], "prefix": prefix}
    if suffix == EVENT_SUFFIX:
        return {**known, "deletable": False, "fields": EVENT_FIELDS}
    return {**known, "fields": _object_fields(told)}


def _object_fields(told: Metadata) -> dict[str, Any]:
    names: dict[str, Any] = {"type": "string", "length": NAME_LENGTH, "name_field": True}
    names["label"] = told["nameField"].get("label") or "Name"
    if told["nameField"].get("type") == "AutoNumber":
        names |= {"access": "read", "auto_number": True}
    else:
        names["defaulted"] = True
    owner = {"type": "reference", "label": "Owner ID", "to": ["Group", "User"]}
    return {
        "OwnerId": {**owner, "relationship": "Owner", "defaulted": True},
        "Name": names,
    }


def _free_prefix(first: str, used: frozenset[str]) -> str:
    return next(
        prefix
        for middle in ALPHABET
        for last in ALPHABET
        if (prefix := f"{first}{middle}{last}") not in used
    )


EVENT_FIELDS: dict[str, Any] = {
    "ReplayId": {"type": "string", "length": 1000, "label": "Replay ID", "access": "read"},
    "EventUuid": {"type": "string", "length": 36, "label": "Event UUID", "access": "read"},
}
