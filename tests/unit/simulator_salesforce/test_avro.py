"""Our Avro is Avro: what is written reads the same by a library that knows nothing of us."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader

from simulator.salesforce.events.avro import writer_of

NAME = {"type": "record", "name": "Name", "fields": [{"name": "Last", "type": "string"}]}
SCHEMA = {
    "type": "record",
    "name": "Event",
    "fields": [
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
        {"name": "ids", "type": {"type": "array", "items": "string"}},
        {"name": "number", "type": ["null", "long"]},
        {"name": "share", "type": ["null", "double"]},
        {"name": "is_new", "type": ["null", "boolean"]},
        {"name": "name", "type": ["null", "string", NAME]},
        {"name": "other", "type": ["null", "Name"]},
    ],
}
EMPTY: dict[str, Any] = dict.fromkeys(("number", "share", "is_new", "name", "other"))


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "B", "ids": []},
        {"kind": "A", "ids": ["a", "王"], "name": "王", "is_new": False, "share": -0.5},
        {"kind": "A", "ids": ["a"], "name": {"Last": "王"}, "other": {"Last": ""}, "is_new": True},
        *({"kind": "A", "ids": [], "number": n} for n in (0, -1, 63, 64, 2**53, -(2**53))),
    ],
)
def test_what_is_written_reads_the_same(told: dict[str, Any]) -> None:
    content = BytesIO(writer_of(SCHEMA)(told))
    assert schemaless_reader(content, parse_schema(SCHEMA), None) == {**EMPTY, **told}
    assert content.read() == b""


def test_a_field_that_must_be_filled_is_not_left_out() -> None:
    with pytest.raises(TypeError):
        writer_of(SCHEMA)({"kind": "A"})
