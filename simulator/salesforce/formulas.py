"""Formula fields: worked out from the row and its parents whenever they are read."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from simulator.salesforce.schema import Field, ObjectType
from simulator.salesforce.store import Row, Store

PATH = re.compile(r"\{([\w.]+)\}")


def formula_reader(store: Store, kind: ObjectType, field: Field) -> Callable[[Row], Any]:
    """How the value of a formula field is read off a row."""
    text = field.formula or ""
    if field.type == "boolean":
        # The conditions of rules are built on queries, which are built on this.
        from simulator.salesforce.conditions import Condition

        return Condition(store, kind.name, text).holds
    whole = PATH.fullmatch(text)
    if whole is not None:
        path = whole[1].split(".")
        return lambda row: _value(store, kind.name, row, path)

    def read(row: Row) -> str | None:
        def filled(found: re.Match[str]) -> str:
            value = _value(store, kind.name, row, found[1].split("."))
            return "" if value is None else str(value)

        return PATH.sub(filled, text).strip() or None

    return read


def _value(store: Store, kind: str, row: Row, path: Sequence[str]) -> Any:
    """The value at the end of a path of relationships."""
    for name in path[:-1]:
        step = store.full_schema.objects[kind].by_relationship[name.lower()]
        parent_id = row.get(step.name)
        parent = store.full_schema.of_id(parent_id) if parent_id else None
        if parent is None or parent_id is None:
            return None
        kind, row = parent.name, store.tables[parent.name].rows.get(parent_id, {})
    field = store.full_schema.objects[kind].fields[path[-1]]
    return row.get(field.name)
