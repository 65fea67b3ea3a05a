"""Change events as they come over the wire, and what they mean."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import grpc
import pytest

from connector.mapping.schema import FieldSchema, ObjectSchema
from connector.salesforce.pubsub import bitmaps
from connector.salesforce.pubsub.endings import Ending, ended
from connector.salesforce.pubsub.events import ChangeEvent, Decoder, row_of


def optional(kind: Any) -> list[Any]:
    return ["null", kind]


def record(name: str, *fields: str) -> dict[str, Any]:
    inner = [{"name": each, "type": optional("string"), "default": None} for each in fields]
    return {"type": "record", "name": name, "fields": inner}


TEXTS = {"type": "array", "items": "string"}
HEADER = {
    "type": "record",
    "name": "ChangeEventHeader",
    "fields": [
        {"name": "entityName", "type": "string"},
        {"name": "recordIds", "type": TEXTS},
        {"name": "changeType", "type": "string"},
        {"name": "changeOrigin", "type": "string"},
        {"name": "transactionKey", "type": "string"},
        {"name": "sequenceNumber", "type": "int"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "commitNumber", "type": "long"},
        {"name": "commitUser", "type": "string"},
        {"name": "nulledFields", "type": TEXTS},
        {"name": "diffFields", "type": TEXTS},
        {"name": "changedFields", "type": TEXTS},
    ],
}
SCHEMA = {
    "type": "record",
    "name": "ContactChangeEvent",
    "namespace": "com.sforce.eventbus",
    "fields": [
        {"name": "ChangeEventHeader", "type": HEADER},
        {"name": "AccountId", "type": optional("string"), "default": None},
        {
            "name": "Name",
            "type": optional(
                record("Switchable_PersonName", "Salutation", "FirstName", "LastName")
            ),
            "default": None,
        },
        {
            "name": "MailingAddress",
            "type": optional(record("Address", "Street", "City")),
            "default": None,
        },
        {"name": "Birthdate", "type": optional("long"), "default": None},
        {"name": "LINE_Bound_At__c", "type": optional("long"), "default": None},
        {"name": "Description", "type": optional("string"), "default": None},
        # the same record a second time is only named
        {
            "name": "OtherAddress",
            "type": optional("com.sforce.eventbus.Address"),
            "default": None,
        },
    ],
}
CONTACT = ObjectSchema(
    "Contact",
    {
        name: FieldSchema(name, type=kind)
        for name, kind in (
            ("Birthdate", "date"),
            ("LINE_Bound_At__c", "datetime"),
            ("FirstName", "string"),
        )
    },
)
ROW = "0035g00000000GAAAY"


def event(
    change: str = "UPDATE", *, body: dict[str, Any] | None = None, **header: Any
) -> ChangeEvent:
    told = {
        "entityName": "Contact",
        "recordIds": [ROW],
        "changeType": change,
        "changeOrigin": "com/salesforce/api/rest/62.0;client=line-connector/0.1",
        "transactionKey": "0001",
        "sequenceNumber": 1,
        "commitTimestamp": 1_764_300_000_123,
        "commitNumber": 9,
        "commitUser": "005",
        "nulledFields": [],
        "diffFields": [],
        "changedFields": [],
        **header,
    }
    out = io.BytesIO()
    fastavro.schemaless_writer(
        out, fastavro.parse_schema(SCHEMA), {"ChangeEventHeader": told, **(body or {})}
    )
    return Decoder(json.dumps(SCHEMA)).event(out.getvalue(), b"\x01")


@pytest.mark.parametrize(
    ("marks", "names"),
    [
        (["0x02"], {"AccountId"}),
        (["0x42"], {"AccountId", "Description"}),
        (["2-0x06"], {"Name.FirstName", "Name.LastName"}),
        (["0x10", "3-0x02"], {"Birthdate", "MailingAddress.City"}),
        (["0x0"], set()),
        ([], set()),
        (["99-0x01"], set()),
    ],
)
def test_a_bitmap_names_fields_by_their_place(marks: list[str], names: set[str]) -> None:
    assert bitmaps.names(marks, bitmaps.shape_of(SCHEMA)) == names


def test_an_update_tells_what_changed_and_nothing_else() -> None:
    body = {"Name": {"FirstName": "小明", "LastName": None, "Salutation": None}, "AccountId": "001"}
    told = row_of(event(body=body, changedFields=["2-0x02"]), ROW, CONTACT)
    assert told == {"Id": ROW, "FirstName": "小明"}


def test_a_value_that_was_cleared_is_told_as_none() -> None:
    told = row_of(event(changedFields=["0x40"], nulledFields=["0x40"]), ROW, CONTACT)
    assert told == {"Id": ROW, "Description": None}


def test_an_address_that_was_cleared_clears_its_parts() -> None:
    told = row_of(event(nulledFields=["0x08"]), ROW, CONTACT)
    assert told == {"Id": ROW, "MailingStreet": None, "MailingCity": None}


def test_a_record_that_is_only_named_has_parts_all_the_same() -> None:
    body = {"OtherAddress": {"City": "台北", "Street": None}}
    told = row_of(event(body=body, changedFields=["7-0x02"]), ROW, CONTACT)
    assert told == {"Id": ROW, "OtherCity": "台北"}


def test_dates_come_in_the_shapes_that_a_query_answers() -> None:
    body = {"Birthdate": 631_152_000_000, "LINE_Bound_At__c": 1_764_300_000_000}
    told = row_of(event(body=body, changedFields=["0x30"]), ROW, CONTACT)
    assert told["Birthdate"] == "1990-01-01"
    assert told["LINE_Bound_At__c"] == "2025-11-28T03:20:00.000+00:00"


def test_a_new_row_is_told_whole() -> None:
    told = row_of(event("CREATE", body={"Description": "x"}), ROW, CONTACT)
    assert told["Description"] == "x"
    assert told["AccountId"] is None


def test_a_text_that_comes_as_a_difference_is_not_told() -> None:
    changed = event(
        body={"Description": "--- a\n+++ b"}, changedFields=["0x40"], diffFields=["0x40"]
    )
    assert row_of(changed, ROW, CONTACT) == {"Id": ROW}
    assert changed.diffed == {"Description"}


def test_the_client_tag_is_read_from_the_origin() -> None:
    assert event().client == "line-connector/0.1"
    assert event(changeOrigin="com/salesforce/api/rest/62.0").client == ""


@pytest.mark.parametrize(
    ("change", "ids", "overflow"),
    [
        ("GAP_UPDATE", [ROW], False),
        ("GAP_OVERFLOW", ["000000000000000AAA"], True),
        ("GAP_UPDATE", ["001*"], True),
    ],
)
def test_a_gap_says_whether_it_can_name_its_rows(
    change: str, ids: list[str], overflow: bool
) -> None:
    told = event(change, recordIds=ids)
    assert told.is_gap
    assert told.is_overflow is overflow


class Refusal(grpc.RpcError, grpc.Call):
    def __init__(self, status: grpc.StatusCode, code: str | None = None) -> None:
        self._status, self._code = status, code

    def code(self) -> grpc.StatusCode:
        return self._status

    def trailing_metadata(self) -> Any:
        return (("error-code", self._code),) if self._code else ()


_FETCH = "sfdc.platform.eventbus.grpc.subscription"


@pytest.mark.parametrize(
    ("status", "code", "ending"),
    [
        ("INVALID_ARGUMENT", f"{_FETCH}.fetch.replayid.corrupted", Ending.LOST),
        ("INVALID_ARGUMENT", f"{_FETCH}.fetch.replayid.validation.failed", Ending.LOST),
        ("RESOURCE_EXHAUSTED", f"{_FETCH}.limit.exceeded", Ending.SPENT),
        ("RESOURCE_EXHAUSTED", None, Ending.BROKEN),
        ("UNAUTHENTICATED", "sfdc.platform.eventbus.grpc.service.auth.error", Ending.SESSION),
        ("UNAUTHENTICATED", None, Ending.SESSION),
        ("PERMISSION_DENIED", None, Ending.REFUSED),
        ("NOT_FOUND", None, Ending.REFUSED),
        ("UNAVAILABLE", "sfdc.platform.eventbus.grpc.service.unavailable", Ending.BROKEN),
        ("INTERNAL", None, Ending.BROKEN),
    ],
)
def test_the_end_of_a_stream_is_read_by_code_then_by_status(
    status: str, code: str | None, ending: Ending
) -> None:
    told = ended(Refusal(grpc.StatusCode[status], code))
    assert told.ending is ending
    assert told.message


@pytest.mark.parametrize(
    ("schema", "entity"), [("ContactChangeEvent", "Contact"), ("Visit__ChangeEvent", "Visit__c")]
)
def test_an_event_that_cannot_be_read_says_that_its_entity_changed(
    schema: str, entity: str
) -> None:
    told = Decoder(json.dumps({**SCHEMA, "name": schema})).event(b"\xff\xff", b"\x07")
    assert (told.entity, told.is_overflow, told.replay_id) == (entity, True, b"\x07")
