"""What the names in a query mean: fields of the queried object and of its parents."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.salesforce.errors import Refusal
from simulator.salesforce.rendering import Getter, getter
from simulator.salesforce.schema import Field, ObjectType
from simulator.salesforce.soql.parse import placed
from simulator.salesforce.soql.query import Path, Source
from simulator.salesforce.store import Row, Store

WSDL = "Please reference your WSDL or the describe call for the appropriate names."
ParentOf = Callable[[Row], tuple[ObjectType, Row] | None]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A path with its meaning: the field at its end and how to read it off a row."""

    steps: tuple[Field, ...]
    field: Field
    read: Getter

    @property
    def is_own(self) -> bool:
        """Whether the field is the queried object's own."""
        return not self.steps


class Scope:
    """The names that a query over one object may use."""

    def __init__(self, store: Store, text: str, source: Source) -> None:
        kind = store.schema.find(source.name)
        if kind is None:
            raise Refusal("INVALID_TYPE", placed(text, source.at, _unsupported(source.name)))
        self.store = store
        self.text = text
        self.kind = kind
        self._alias = (source.alias or source.name).lower()

    def resolve(self, path: Path) -> Resolved:
        """The meaning of a path."""
        names = list(path.names)
        if len(names) > 1 and names[0].lower() in {self._alias, self.kind.name.lower()}:
            del names[0]
        kinds: Sequence[ObjectType] = (self.kind,)
        steps = []
        for name in names[:-1]:
            step = _find_relationship(kinds, name)
            kinds = [] if step is None else [*self._targets(step)]
            if step is None or not kinds:
                raise self._refusal(path, _unknown_relationship(name))
            steps.append(step)
        field = _find_field(kinds, names[-1])
        if field is None:
            raise self._refusal(path, _unknown_column(names[-1], kinds[0].name))
        return Resolved(tuple(steps), field, self._reader(steps, kinds, field))

    def parent_of(self, step: Field) -> ParentOf:
        """How to go from a row to the row a reference leads to, with its object."""
        schema, name = self.store.schema, step.name

        def go(row: Row) -> tuple[ObjectType, Row] | None:
            row_id = row.get(name)
            kind = schema.of_id(row_id) if row_id else None
            found = self.store.tables[kind.name].rows.get(row_id or "") if kind else None
            return None if kind is None or found is None else (kind, found)

        return go

    def _reader(self, steps: Sequence[Field], kinds: Sequence[ObjectType], field: Field) -> Getter:
        by_kind = {
            kind.name: getter(self.store, kind, kind.fields[field.name])
            for kind in kinds
            if field.name in kind.fields
        }
        if not steps:
            return by_kind[kinds[0].name]
        walk = [self.parent_of(step) for step in steps]

        def read(row: Row) -> Any:
            kind = self.kind
            for go in walk:
                found = go(row)
                if found is None:
                    return None
                kind, row = found
            if kind.name not in by_kind:
                # `Owner.Type` names the object where the owner has no type of its own.
                return kind.name if field.name == "Type" else None
            return by_kind[kind.name](row)

        return read

    def _targets(self, step: Field) -> Iterator[ObjectType]:
        for name in step.to:
            kind = self.store.schema.find(name)
            if kind is not None:
                yield kind

    def _refusal(self, path: Path, message: str) -> Refusal:
        return Refusal("INVALID_FIELD", placed(self.text, path.at, message))


def _find_relationship(kinds: Sequence[ObjectType], name: str) -> Field | None:
    return next(filter(None, (kind.by_relationship.get(name.lower()) for kind in kinds)), None)


def _find_field(kinds: Sequence[ObjectType], name: str) -> Field | None:
    return next(filter(None, (kind.find(name) for kind in kinds)), None)


def _unsupported(name: str) -> str:
    return (
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, "
        f"be sure to append the '__c' after the entity name. {WSDL}"
    )


def _unknown_column(name: str, kind: str) -> str:
    return (
        f"No such column '{name}' on entity '{kind}'. If you are attempting to use a custom field, "
        f"be sure to append the '__c' after the custom field name. {WSDL}"
    )


def _unknown_relationship(name: str) -> str:
    return (
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a "
        "custom relationship, be sure to append the '__r' after the custom relationship name. "
        f"{WSDL}"
    )
