"""What a story may show: personal values are masked unless somebody asks to see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector.domain.records import SCHEMAS, RecordSchema
from connector.domain.values import Fields, Value, Values
from connector.mapping.documents.forms import CREATED
from connector.mapping.parts.compiled import CompiledMapping, Line
from connector.sync.masking import masked, without

PERSONAL: Mapping[str, frozenset[str]] = {kind: schema.personal for kind, schema in SCHEMAS.items()}


def is_personal(kind: str, name: str, schema: RecordSchema | None = None) -> bool:
    """Whether a value says something of a person; a form's does unless its schema is there to deny it."""
    if kind in PERSONAL:
        return name in PERSONAL[kind]
    return name != CREATED if schema is None else name in schema.personal


# What a body says of itself, which names nobody.
_PLAIN = frozenset(
    {"type", "mode", "timestamp", "webhookEventId", "isRedelivery", "Id", "SystemModstamp", "url"}
)


@dataclass(frozen=True)
class Veil:
    """Masks what is personal; with `reveal` it hides nothing."""

    reveal: bool = False

    def values(
        self, kind: str, values: Values, schema: RecordSchema | None = None
    ) -> dict[str, Value]:
        """A record's values."""
        return {name: self.value(kind, name, value, schema) for name, value in values.items()}

    def value(
        self, kind: str, name: str, value: Value, schema: RecordSchema | None = None
    ) -> Value:
        """One value of a record."""
        hidden = not self.reveal and is_personal(kind, name, schema)
        return masked({name: value})[name] if hidden else value

    def body(self, body: Value, name: str = "") -> Value:
        """A body as it came: whatever may name somebody is masked."""
        if isinstance(body, dict):
            return {inner: self.body(value, inner) for inner, value in body.items()}
        if isinstance(body, list):
            return [self.body(each, name) for each in body]
        return body if self.reveal or name in _PLAIN else masked({name: body})[name]

    def text(self, text: str | None, hidden: Iterable[Value]) -> str | None:
        """A text that may repeat personal values: an error often does."""
        return text if text is None or self.reveal else without(text, hidden)

    def fields(self, mapping: CompiledMapping | None, fields: Fields | None) -> Value:
        """Fields of a Salesforce row; without the mapping they came through, all are hidden."""
        if fields is None:
            return None
        if self.reveal:
            return dict(fields)
        hidden = fields.keys() if mapping is None else personal_fields(mapping)
        veiled = masked({name: value for name, value in fields.items() if name in hidden})
        return {name: veiled.get(name, value) for name, value in fields.items()}


def personal_fields(mapping: CompiledMapping) -> frozenset[str]:
    """The fields of a mapping that hold, or are made from, personal values."""
    return frozenset(
        name for line in mapping.lines if _is_personal(mapping, line) for name in line.fields
    )


def _is_personal(mapping: CompiledMapping, line: Line) -> bool:
    if line.personal is not None:
        return line.personal
    names = {*line.inputs, *([line.source] if line.source else [])}
    return any(_names_a_person(mapping, name) for name in names)


def _names_a_person(mapping: CompiledMapping, name: str) -> bool:
    if name in mapping.schema.values:
        return is_personal(mapping.kind, name, mapping.schema)
    relation, _, rest = name.partition(".")
    return rest in PERSONAL.get(mapping.schema.relations.get(relation, ""), ())
