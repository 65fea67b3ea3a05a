"""Describe answers: the key sets as recorded from real orgs, filled from the schema."""

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.salesforce.schema import NUMBERS, Field, ObjectType, Schema

MASTER_RECORD_TYPE = "012000000000000AAA"
UTF8_BYTES = 3
# A custom field of the contact as a person account shows it.
PERSON_CUSTOM = "__pc"
SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
    "base64": "xsd:base64Binary",
}
# Keys that are the same for every field of this org.
FIELD_CONSTANTS: Mapping[str, Any] = {
    "aiPredictionField": False,
    "caseSensitive": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "searchPrefilterable": False,
    "writeRequiresMasterRead": False,
}
OBJECT_CONSTANTS: Mapping[str, Any] = {
    "activateable": False,
    "associateEntityType": None,
    "associateParentEntity": None,
    "custom": False,
    "customSetting": False,
    "deepCloneable": False,
    "deprecatedAndHidden": False,
    "feedEnabled": True,
    "hasSubtypes": False,
    "isInterface": False,
    "isSubtype": False,
    "layoutable": True,
    "mruEnabled": True,
    "queryable": True,
    "replicateable": True,
    "retrieveable": True,
    "searchable": True,
    "triggerable": True,
}
DESCRIBE_CONSTANTS: Mapping[str, Any] = {
    "actionOverrides": [],
    "compactLayoutable": True,
    "defaultImplementation": None,
    "extendedBy": None,
    "extendsInterfaces": None,
    "implementedBy": None,
    "implementsInterfaces": None,
    "listviewable": None,
    "lookupLayoutable": None,
    "namedLayoutInfos": [],
    "networkScopeFieldName": None,
    "searchLayoutable": True,
    "sobjectDescribeOption": "FULL",
}
UNGROUPABLE = frozenset({"multipicklist", "datetime", "double", "currency", "percent", "address"})
UNSORTED = frozenset({"address", "multipicklist"})
UNAGGREGATED = frozenset({"boolean", "address"})


def describe_global(schema: Schema, version: str) -> dict[str, Any]:
    """The answer of `GET /sobjects`."""
    objects = [summary(kind, version) for kind in schema.objects.values()]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}


def summary(kind: ObjectType, version: str) -> dict[str, Any]:
    """The 28 keys of an object in the global describe."""
    base = f"/services/data/{version}/sobjects/{kind.name}"
    return {
        **OBJECT_CONSTANTS,
        "custom": kind.name.endswith("__c"),
        "createable": kind.createable,
        "deletable": kind.deletable,
        "keyPrefix": kind.prefix,
        "label": kind.label,
        "labelPlural": kind.plural,
        "mergeable": kind.mergeable,
        "name": kind.name,
        "undeletable": kind.deletable,
        "updateable": True,
        "urls": {
            "compactLayouts": f"{base}/describe/compactLayouts",
            "rowTemplate": f"{base}/{{ID}}",
            "approvalLayouts": f"{base}/describe/approvalLayouts",
            "listviews": f"{base}/listviews",
            "describe": f"{base}/describe",
            "quickActions": f"{base}/quickActions",
            "layouts": f"{base}/describe/layouts",
            "sobject": base,
        },
    }


def describe(
    schema: Schema,
    kind: ObjectType,
    version: str,
    instance_url: str,
    record_types: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The answer of `GET /sobjects/X/describe`."""
    brief = summary(kind, version)
    pages = {
        "uiDetailTemplate": f"{instance_url}/{{ID}}",
        "uiEditTemplate": f"{instance_url}/{{ID}}/e",
        "uiNewRecord": f"{instance_url}/{kind.prefix}/e",
    }
    return {
        **brief,
        **DESCRIBE_CONSTANTS,
        "childRelationships": _child_relationships(schema, kind),
        "fields": [describe_field(field) for field in kind.fields.values()],
        "recordTypeInfos": [*record_types],
        "supportedScopes": [{"label": f"All {kind.plural.lower()}", "name": "everything"}],
        "urls": {**brief["urls"], **pages},
    }


def describe_field(field: Field) -> dict[str, Any]:
    """The 57 keys of a field."""
    return {
        **FIELD_CONSTANTS,
        "aggregatable": field.type not in UNAGGREGATED,
        "autoNumber": field.auto_number,
        "byteLength": _byte_length(field),
        "calculated": field.is_calculated,
        "calculatedFormula": field.formula,
        "cascadeDelete": field.cascade and field.is_custom,
        "compoundFieldName": field.part_of,
        "createable": field.createable,
        "custom": field.is_custom or field.name.endswith(PERSON_CUSTOM),
        "defaultValue": False if field.type == "boolean" else field.default,
        "defaultedOnCreate": _is_defaulted(field),
        "digits": 8 if field.type == "int" else 0,
        "externalId": field.external_id,
        "extraTypeInfo": field.extra,
        "filterable": not field.is_long_text,
        "groupable": field.type not in UNGROUPABLE and not field.is_long_text,
        "idLookup": field.is_key,
        "label": field.label,
        "length": field.length,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": len(field.to) > 1,
        "nillable": field.nillable,
        "permissionable": field.is_custom or (field.nillable and field.updateable),
        "picklistValues": [_picklist_value(field, value) for value in field.values],
        "polymorphicForeignKey": len(field.to) > 1,
        "precision": field.precision,
        "queryByDistance": field.type == "address",
        "referenceTo": list(field.to),
        "relationshipName": field.relationship,
        "restrictedDelete": False,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "soapType": SOAP_TYPES.get(field.type, "xsd:string"),
        "sortable": field.type not in UNSORTED and not field.is_long_text,
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable,
    }


def _is_defaulted(field: Field) -> bool:
    return field.defaulted or field.default is not None or field.type == "boolean"


def _byte_length(field: Field) -> int:
    if field.type in {"id", "reference"}:
        return field.length
    return 0 if field.type in NUMBERS else field.length * UTF8_BYTES


def _picklist_value(field: Field, value: str) -> dict[str, Any]:
    return {
        "active": True,
        "defaultValue": value == field.default,
        "label": value,
        "validFor": None,
        "value": value,
    }


def _child_relationships(schema: Schema, kind: ObjectType) -> list[dict[str, Any]]:
    return [
        {
            "cascadeDelete": link.field.cascade,
            "childSObject": link.child,
            "deprecatedAndHidden": False,
            "field": link.field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": link.field.children,
            "restrictedDelete": link.field.restrict,
        }
        for link in schema.children(kind.name)
    ]
