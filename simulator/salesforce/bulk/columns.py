"""What the columns of an upload mean: fields of the object, and keys of the rows it refers to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.salesforce.bulk.upload import BadContent, Cells
from simulator.salesforce.errors import Refusal
from simulator.salesforce.schema import Field, ObjectType, Schema
from simulator.salesforce.values import coerce

NULL = "#N/A"
TRUTH = {"1": "true", "0": "false"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `key` is the field by which a relationship column finds the other row."""

    name: str
    field: Field
    key: str | None = None
    target: str | None = None

    def put(self, body: dict[str, Any], text: str) -> None:
        """Put a value of the column into a write body; an empty one says nothing."""
        if text == "":
            return
        if text == NULL:
            body[self.name] = None
        elif self.key is not None:
            typed = {"attributes": {"type": self.target}} if self.target else {}
            body[self.name] = {**typed, self.key: text}
        else:
            body[self.name] = TRUTH.get(text, text) if self.field.type == "boolean" else text


def columns_of(header: Sequence[str], kind: ObjectType, schema: Schema) -> list[Column]:
    """The columns of a header, or the failure of a job that names one the object lacks."""
    columns = [_column(name, kind, schema) for name in header]
    seen: set[tuple[str, str | None]] = set()
    for name, each in zip(header, columns, strict=True):
        if (each.name, each.key) in seen:
            raise BadContent(f"InvalidBatch : Duplicate field name in the header : {name}")
        seen.add((each.name, each.key))
    return columns


def require(columns: Iterable[Column], name: str) -> None:
    """Fail a job whose header lacks a column that the operation cannot do without."""
    if not any(each.name == name and each.key is None for each in columns):
        raise not_found(name)


def body_of(columns: Sequence[Column], cells: Cells) -> dict[str, Any]:
    """The write body that a row says."""
    body: dict[str, Any] = {}
    for column, text in zip(columns, cells, strict=True):
        column.put(body, text)
    return body


def not_found(name: str) -> BadContent:
    """The failure of a job that names a field the object does not have."""
    return BadContent(f"InvalidBatch : Field name not found : {name}")


def in_csv_words(refusal: Refusal, columns: Sequence[Column], cells: Cells) -> Refusal:
    """A refusal that speaks of JSON, as it is put to those who sent CSV."""
    if refusal.code != "JSON_PARSER_ERROR":
        return refusal
    for column, text in zip(columns, cells, strict=True):
        if column.key is None and text not in ("", NULL):
            try:
                coerce(column.field, TRUTH.get(text, text))
            except Refusal as problem:
                if problem.code == refusal.code:
                    field = column.field
                    message = f"{field.label}: value not of required type: {text}"
                    return Refusal("INVALID_TYPE_ON_FIELD_IN_RECORD", message, [field.name])
    return refusal


def _column(name: str, kind: ObjectType, schema: Schema) -> Column:
    field = kind.find(name)
    if field is not None:
        return Column(field.name, field)
    target, _, path = name.rpartition(":")
    relationship, _, key = path.partition(".")
    field = kind.by_relationship.get(relationship.lower())
    if field is None or not _leads_to(field, target, key, schema):
        raise not_found(name)
    return Column(str(field.relationship), field, key, target or None)


def _leads_to(field: Field, target: str, key: str, schema: Schema) -> bool:
    for name in field.to:
        kind = schema.find(name)
        found = kind.find(key) if kind and target.lower() in ("", name.lower()) else None
        if found is not None and found.is_key:
            return True
    return False
