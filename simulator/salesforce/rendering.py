"""Rows as the API shows them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from simulator.salesforce.formulas import formula_reader
from simulator.salesforce.rules import BORROWED
from simulator.salesforce.schema import Field, ObjectType
from simulator.salesforce.store import Row, Store

Getter = Callable[[Row], Any]
BLOB_VERSION = "v66.0"
ADDRESS_KEYS = {
    "City": "city",
    "Country": "country",
    "GeocodeAccuracy": "geocodeAccuracy",
    "Latitude": "latitude",
    "Longitude": "longitude",
    "PostalCode": "postalCode",
    "State": "state",
    "Street": "street",
}


def getter(store: Store, kind: ObjectType, field: Field) -> Getter:
    """How a field's value is read off a row."""
    name, empty = field.name, field.empty
    if field.type == "address":
        return _address(kind, name)
    borrowed = BORROWED.get(kind.name, {}).get(name)
    if borrowed is not None:
        return _borrowed(store, *borrowed)
    if field.formula is not None:
        return formula_reader(store, kind, field)
    if field.type == "base64":
        return lambda row: blob_address(kind.name, row, name) if name in row else None
    if name == "PhotoUrl":
        return lambda row: f"/services/images/photo/{row['Id']}"
    return lambda row: row.get(name, empty)


def blob_address(kind: str, row: Row, name: str) -> str:
    """Where the content of a blob field is fetched."""
    return f"/services/data/{BLOB_VERSION}/sobjects/{kind}/{row['Id']}/{name}"


def attributes(kind: str, version: str, row_id: str) -> dict[str, str]:
    """The `attributes` of a rendered row."""
    return {"type": kind, "url": f"/services/data/{version}/sobjects/{kind}/{row_id}"}


def render(
    store: Store, kind: ObjectType, row: Row, version: str, fields: Iterable[Field] | None = None
) -> dict[str, Any]:
    """A row with all its fields, or those asked for."""
    chosen = kind.fields.values() if fields is None else fields
    shown: dict[str, Any] = {"attributes": attributes(kind.name, version, row["Id"])}
    for field in chosen:
        shown[field.name] = getter(store, kind, field)(row)
    return shown


def _address(kind: ObjectType, name: str) -> Getter:
    keys = {part: _address_key(part) for part in kind.parts[name]}

    def read(row: Mapping[str, Any]) -> dict[str, Any] | None:
        if not any(part in row for part in keys):
            return None
        return {key: row.get(part) for part, key in sorted(keys.items(), key=lambda kv: kv[1])}

    return read


def _address_key(part: str) -> str:
    return next(key for suffix, key in ADDRESS_KEYS.items() if part.endswith(suffix))


def _borrowed(store: Store, reference: str, kind: str, name: str) -> Getter:
    def read(row: Row) -> Any:
        # The table is looked up late: a reset of the org replaces all tables.
        other = store.tables[kind].rows.get(row.get(reference, ""))
        return None if other is None else other.get(name)

    return read
