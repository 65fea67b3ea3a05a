"""Whether `values` names values as the record holds them: YAML reads a plain 1 as a number."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from connector.domain.records import ValueType
from connector.domain.values import Value
from connector.mapping.canonical import read_date, read_instant, read_number
from connector.mapping.documents.document import ValuePair
from connector.mapping.documents.places import Path
from connector.mapping.parts.scene import Scene
from connector.mapping.recordshape import record_shape
from connector.mapping.rules import Rule
from connector.mapping.words import kind_named

_READ: Mapping[ValueType, Callable[[Value], object]] = {
    ValueType.INTEGER: read_number,
    ValueType.DATE: read_date,
    ValueType.MOMENT: read_instant,
}


def check(
    scene: Scene, path: Path, source: str, pairs: Sequence[ValuePair], kind: ValueType
) -> None:
    """Note the values that would never be met."""
    for pair in pairs:
        held = record_shape(kind, pair.line)
        if held != pair.line or _is_misshapen(kind, held):
            message = f"{source} is {kind_named(kind)} and never {pair.line!r}"
            near = json.dumps(held, ensure_ascii=False)
            hint = "" if held == pair.line else f"did you mean {near}?"
            scene.problem((*path, "values", pair.line), message, hint, rule=Rule.VALUES_HELD)


def _is_misshapen(kind: ValueType, held: Value) -> bool:
    """Whether a value could not be brought into the shape of its kind."""
    if kind is ValueType.BOOLEAN or isinstance(held, bool):
        return (kind is ValueType.BOOLEAN) != isinstance(held, bool)
    read = _READ.get(kind)
    return read is not None and read(held) is None
