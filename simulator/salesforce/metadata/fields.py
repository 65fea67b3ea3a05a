"""Custom fields as the Metadata API writes them, and as the org keeps them.

Words of the Metadata API Developer Guide, "CustomField"; values may be JSON or the text of XML.
"""

import re
from collections.abc import Mapping
from typing import Any

from simulator.salesforce.schema import Field

Metadata = Mapping[str, Any]
Definition = dict[str, Any]
API_NAME = re.compile(r"[A-Za-z](?:\w*[A-Za-z0-9])?__c")
LONGEST_NAME, LONGEST_LABEL = 43, 40
LONGEST_TEXT, LONGEST_LONG_TEXT, SHORTEST_LONG_TEXT = 255, 131_072, 256
MOST_DIGITS = 18
NUMERIC = {"Number": "double", "Currency": "currency", "Percent": "percent"}
REFERENCES = frozenset({"Lookup", "MasterDetail"})
PICKLISTS = frozenset({"Picklist", "MultiselectPicklist"})
KINDS: Mapping[str, str] = {
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Checkbox": "boolean",
    "Date": "date",
    "DateTime": "datetime",
    "Email": "email",
    "Phone": "phone",
    "Url": "url",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
    "AutoNumber": "string",
    "Lookup": "reference",
    "MasterDetail": "reference",
    **NUMERIC,
}
KEYED = frozenset({"Text", "Number", "Email", "AutoNumber"})


class Unfit(Exception):
    """A component that the org cannot take; the message is the `problem` of a deployment."""

    def __init__(self, problem: str, code: str = "FIELD_INTEGRITY_EXCEPTION") -> None:
        super().__init__(problem)
        self.code = code


def definition_of(name: str, told: Metadata) -> Definition:
    """What the org keeps for a field that metadata describes."""
    kind = str(told.get("type"))
    if not API_NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise Unfit(
            "The API name can only contain underscores and alphanumeric characters. It must be "
            "unique, begin with a letter, not include spaces, not end with an underscore, and "
            "not contain two consecutive underscores."
        )
    if kind not in KINDS:
        raise Unfit(f"'{kind}' is not a valid value for the enum 'FieldType'")
    if not told.get("label"):
        raise Unfit("Must specify a non-empty label for the CustomField")
    if len(told["label"]) > LONGEST_LABEL:
        raise Unfit(f"Label: data value too large: {told['label']} (max length={LONGEST_LABEL})")
    definition: Definition = {"type": KINDS[kind], "label": told["label"]}
    definition |= _shape(kind, told)
    definition |= _keys(kind, told)
    if _truth(told.get("required")) and kind not in {"Checkbox", "AutoNumber"}:
        definition["required"] = True
    return definition


def metadata_of(field: Field) -> dict[str, Any]:
    """A field as the Metadata API shows it."""
    kind = _kind_of(field)
    told: dict[str, Any] = {"label": field.label, "type": kind, "required": field.required}
    if field.length and kind in {"Text", "LongTextArea"}:
        told["length"] = field.length
    if kind in NUMERIC:
        told |= {"precision": field.precision, "scale": field.scale}
    if kind in KEYED:
        told |= {"externalId": field.external_id, "unique": field.unique}
    if kind == "Checkbox":
        told["defaultValue"] = "true" if field.default else "false"
    if kind in REFERENCES:
        told |= {"referenceTo": field.to[0], "relationshipName": field.children}
    if kind in PICKLISTS:
        values = [{"valueName": each, "default": each == field.default} for each in field.values]
        told["valueSet"] = {
            "restricted": field.restricted,
            "valueSetDefinition": {"sorted": False, "value": values},
        }
    return told


def _shape(kind: str, told: Metadata) -> Definition:
    if kind == "Text":
        return {"length": _number(told, "length", 1, LONGEST_TEXT)}
    if kind == "TextArea":
        return {"length": LONGEST_TEXT, "extra": "plaintextarea"}
    if kind == "LongTextArea":
        _number(told, "visibleLines", 2, 50)
        length = _number(told, "length", SHORTEST_LONG_TEXT, LONGEST_LONG_TEXT)
        return {"length": length, "extra": "plaintextarea"}
    if kind in NUMERIC:
        precision = _number(told, "precision", 1, MOST_DIGITS)
        scale = _number(told, "scale", 0, precision)
        return {"precision": precision, "scale": scale}
    if kind == "Checkbox":
        if told.get("defaultValue") is None:
            raise Unfit("Must specify 'defaultValue' for a CustomField of type Checkbox")
        return {"default": True} if _truth(told["defaultValue"]) else {}
    if kind in PICKLISTS:
        return _picklist(kind, told)
    if kind == "AutoNumber":
        return {"length": 30, "access": "read", "auto_number": True}
    return _reference(kind, told) if kind in REFERENCES else {}


def _keys(kind: str, told: Metadata) -> Definition:
    wanted = {"external_id": _truth(told.get("externalId")), "unique": _truth(told.get("unique"))}
    if any(wanted.values()) and kind not in KEYED:
        name = "externalId" if wanted["external_id"] else "unique"
        raise Unfit(f"Can not specify '{name}' for a CustomField of type {kind}")
    return {key: True for key, value in wanted.items() if value}


def _picklist(kind: str, told: Metadata) -> Definition:
    values = (told.get("valueSet") or {}).get("valueSetDefinition") or {}
    listed = _list(values.get("value"))
    if not listed:
        raise Unfit(f"Must specify 'valueSet' for a CustomField of type {kind}")
    names = [str(each.get("valueName") or each.get("fullName")) for each in listed]
    first = [name for name, each in zip(names, listed, strict=True) if _truth(each.get("default"))]
    restricted = _truth((told.get("valueSet") or {}).get("restricted"))
    definition: Definition = {"values": names, "restricted": restricted}
    if kind == "Picklist":
        definition["length"] = LONGEST_TEXT
    else:
        _number(told, "visibleLines", 3, 10)
    return definition | ({"default": first[0]} if first else {})


def _reference(kind: str, told: Metadata) -> Definition:
    if not told.get("referenceTo"):
        raise Unfit("field must specify 'referenceTo'")
    if not told.get("relationshipName"):
        raise Unfit("Must specify 'relationshipName' for a CustomField of type " + kind)
    definition: Definition = {
        "to": [told["referenceTo"]],
        "children": f"{told['relationshipName']}__r",
    }
    if kind == "MasterDetail":
        definition |= {"required": True, "cascade": True, "access": "create"}
    elif told.get("deleteConstraint") == "Cascade":
        definition["cascade"] = True
    elif told.get("deleteConstraint") == "Restrict":
        definition["restrict"] = True
    return definition


def _kind_of(field: Field) -> str:
    if field.auto_number:
        return "AutoNumber"
    if field.type == "textarea":
        return "LongTextArea" if field.is_long_text else "TextArea"
    if field.type == "reference":
        return "MasterDetail" if field.cascade and field.required else "Lookup"
    return next(kind for kind, type_ in KINDS.items() if type_ == field.type)


def _number(told: Metadata, name: str, least: int, most: int) -> int:
    given = told.get(name)
    if given is None:
        raise Unfit(f"Must specify '{name}' for a CustomField of type {told['type']}")
    try:
        number = int(given)
    except (TypeError, ValueError):
        raise Unfit(f"'{given}' is not a valid value for the type xsd:int") from None
    if not least <= number <= most:
        raise Unfit(f"Invalid {name}: must be between {least} and {most}")
    return number


def _truth(given: Any) -> bool:
    return given is True or given == "true"


def _list(given: Any) -> list[Any]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]
