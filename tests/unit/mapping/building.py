"""Short ways to schemas, documents and views for the tests of the mapping language."""

from functools import cache
from pathlib import Path

from connector.domain.records import SCHEMAS
from connector.mapping.compiler import compile_mapping, try_compile
from connector.mapping.documents.reading import read_mapping
from connector.mapping.loader import load, read_folder
from connector.mapping.schema import FieldSchema, ObjectSchema, from_describe
from simulator.salesforce.describe import describe
from simulator.salesforce.schema import load_schema

STARTER = Path(__file__).parents[3] / "mappings"
OBJECTS = ("Account", "Asset", "Case", "Contact", "Lead", "Product2", "WorkOrder")
LINKS = {
    name: f"https://liff.line.me/1-a/{name}" for name in ("bind", "register", "repair", "requests")
}


@cache
def org():
    """The simulated org's objects, as its describe tells them."""
    schema = load_schema()
    return {
        name: from_describe(describe(schema, schema.get(name), "62.0", "http://org"))
        for name in OBJECTS
    }


@cache
def starter():
    """The starter set, compiled against the simulated org."""
    return load(read_folder(STARTER), org())


KEY = FieldSchema("LINE_Key__c", length=36, external_id=True, unique=True)


def thing(*fields, key=True):
    """A small object."""
    named = {field.name: field for field in (*fields, *([KEY] if key else []))}
    return ObjectSchema("Thing__c", named)


def compiled(text, schema=None, name="member-thing", others=None):
    """A mapping of that text; raises what is wrong with it."""
    return compile_mapping(read_mapping(text, name), SCHEMAS, schema, 1, others)


def problems(text, schema=None, name="member-thing", others=None):
    """What is wrong with that text."""
    read = read_mapping(text, name)
    return try_compile(read, SCHEMAS, schema, 1, others)[1]


def line_of(spec, kind="member", schema=None):
    """The one line of a mapping that has only this one."""
    text = f"from: {kind}\nto: Thing__c\nfields:\n  - {spec}\n"
    return compiled(text, schema).lines[0]
