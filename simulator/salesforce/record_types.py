"""What clients learn of record types: in describes, layouts and the picklists of the UI API."""

from collections.abc import Iterator
from typing import Any

from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.describe import MASTER_RECORD_TYPE
from simulator.salesforce.errors import not_found
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.schema import Field, ObjectType
from simulator.salesforce.session import Session
from simulator.salesforce.store import Row

PICKLISTS = frozenset({"picklist", "multipicklist"})


def record_type_infos(session: Session, call: Call, kind: ObjectType) -> list[dict[str, Any]]:
    """The `recordTypeInfos` of a describe; the master record type comes last."""
    default = session.org.rulebook.record_types.defaults.get(kind.name, MASTER_RECORD_TYPE)
    base = f"/services/data/{call.version}/sobjects/{kind.name}/describe/layouts"
    return [
        {
            "active": row["IsActive"],
            "available": row["IsActive"],
            "defaultRecordTypeMapping": row["Id"] == default,
            "developerName": row["DeveloperName"],
            "master": row["Id"] == MASTER_RECORD_TYPE,
            "name": row["Name"],
            "recordTypeId": row["Id"],
            "urls": {"layout": f"{base}/{row['Id']}"},
        }
        for row in _types(session, kind)
    ]


def layouts(session: Session, call: Call, name: str) -> Answer:
    """`GET /sobjects/X/describe/layouts`: which picklist values each record type offers."""
    kind = session.schema.get(name)
    mappings = [
        {
            **{key: value for key, value in info.items() if key != "urls"},
            "layoutId": None,
            "picklistsForRecordType": [
                {
                    "picklistName": field.name,
                    "picklistValues": [
                        {
                            "active": True,
                            "defaultValue": value == field.default,
                            "label": value,
                            "validFor": None,
                            "value": value,
                        }
                        for value in _offered(session, info["recordTypeId"], field)
                    ],
                }
                for field in _picklists(kind)
            ],
            "urls": info["urls"],
        }
        for info in record_type_infos(session, call, kind)
    ]
    several = len(mappings) > 1
    body = {"layouts": [], "recordTypeMappings": mappings, "recordTypeSelectorRequired": [several]}
    return Answer(200, body)


def picklist_values(session: Session, call: Call, name: str, record_type_id: str) -> Answer:
    """`GET /ui-api/object-info/X/picklist-values/{recordTypeId}`."""
    kind = session.schema.get(name)
    known = {row["Id"] for row in _types(session, kind)}
    if not is_id(record_type_id) or long_form(record_type_id) not in known:
        raise not_found()
    values: dict[str, Any] = {
        field.name: {
            "controllerValues": {},
            "defaultValue": None,
            "url": f"{call.full_path}/{field.name}",
            "values": [
                {"attributes": None, "label": value, "validFor": [], "value": value}
                for value in _offered(session, long_form(record_type_id), field)
            ],
        }
        for field in _picklists(kind)
    }
    return Answer(200, {"picklistFieldValues": values})


def _types(session: Session, kind: ObjectType) -> Iterator[Row]:
    rows = session.store.tables["RecordType"].rows.values()
    for row in rows:
        if row["SobjectType"] == kind.name and "IsDeleted" not in row:
            yield {"IsActive": False, **row}
    yield {
        "Id": MASTER_RECORD_TYPE,
        "Name": "Master",
        "DeveloperName": "Master",
        "IsActive": True,
    }


def _picklists(kind: ObjectType) -> list[Field]:
    return [field for field in kind.fields.values() if field.type in PICKLISTS]


def _offered(session: Session, record_type_id: str, field: Field) -> list[str]:
    offered = session.org.rulebook.record_types.offered(record_type_id, field.name)
    return list(field.values if offered is None else offered)
