"""`/event/eventSchema` and `/sobjects/XChangeEvent/eventSchema`: schemas of events over REST."""

from typing import Any

import orjson

from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.errors import Refusal, not_found
from simulator.salesforce.events.bus import DATA, UnknownTopic
from simulator.salesforce.events.platform import TOPIC, is_event
from simulator.salesforce.session import Session

COMPACT, EXPANDED = "COMPACT", "EXPANDED"


def schema_by_id(session: Session, call: Call, schema_id: str) -> Answer:
    """`GET /event/eventSchema/{schemaId}?payloadFormat=COMPACT`."""
    found = session.org.events.schema(schema_id)
    if found is None:
        raise not_found()
    return Answer(200, _formatted(call, schema_id, orjson.loads(found)))


def schema_of_event(session: Session, call: Call, name: str) -> Answer:
    """`GET /sobjects/LeadChangeEvent/eventSchema`."""
    folder = TOPIC if is_event(name) else DATA
    try:
        schema_id = session.org.events.topic(folder + name).schema_id
    except UnknownTopic:
        raise not_found() from None
    return schema_by_id(session, call, schema_id)


def _formatted(call: Call, schema_id: str, compact: dict[str, Any]) -> dict[str, Any]:
    """The schema, or that of the message in which streaming clients get the event."""
    wanted = call.query.get("payloadFormat", EXPANDED).upper()
    if wanted == COMPACT:
        return {**compact, "uuid": schema_id}
    if wanted != EXPANDED:
        message = f"payloadFormat must be {COMPACT} or {EXPANDED}, not {wanted}"
        raise Refusal("INVALID_INPUT", message)
    payload = {"type": "record", "name": "Payload", "doc": "", "fields": compact["fields"]}
    event = {
        "type": "record",
        "name": "Event",
        "fields": [{"name": "replayId", "type": "long"}],
    }
    data = {
        "type": "record",
        "name": "Data",
        "namespace": "",
        "fields": [
            {"name": "schema", "type": "string"},
            {"name": "payload", "type": payload},
            {"name": "event", "type": event},
        ],
    }
    return {
        "name": compact["name"],
        "namespace": compact["namespace"],
        "type": "expanded-record",
        "fields": [{"name": "data", "type": data}, {"name": "channel", "type": "string"}],
        "uuid": schema_id,
    }
