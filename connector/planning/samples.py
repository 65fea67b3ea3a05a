"""A record that somebody writes down to see what a mapping makes of it.

The file holds the record's values, each relation as a block of its own, and under `salesforce:` the
fields of a row where the way back is to be seen, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.domain.records import SCHEMAS, RecordSchema
from connector.domain.values import Fields, Value, Values
from connector.mapping.documents.places import Path, Placed, Problem, problem_at, read_yaml
from connector.mapping.documents.reading import MappingProblems, did_you_mean
from connector.mapping.parts.compiled import CompiledMapping
from connector.mapping.recordshape import record_shape
from connector.mapping.rules import Rule

ROW = "salesforce"


@dataclass(frozen=True)
class Sample:
    """A record as a mapping sees it, and perhaps its row."""

    view: Values
    row: Fields | None


def read_sample(mapping: CompiledMapping, text: str, file: str) -> Sample:
    """Read a sample of the mapping's record kind; raises `MappingProblems` with all that is wrong."""
    placed = read_yaml(text, file)
    reader = _Reader(placed, mapping)
    sample = reader.read()
    if sample is None or reader.problems:
        raise MappingProblems(reader.problems)
    return sample


class _Reader:
    def __init__(self, placed: Placed, mapping: CompiledMapping) -> None:
        self._placed = placed
        self._mapping = mapping
        self.problems: list[Problem] = list(placed.problems)

    def read(self) -> Sample | None:
        """The sample, as far as it can be read."""
        data = self._block(())
        if data is None:
            return None
        schema = self._mapping.schema
        row = self._row() if ROW in data else None
        own = {name: value for name, value in data.items() if name not in schema.relations}
        own.pop(ROW, None)
        view = self._values(schema, own, (), [*schema.relations, ROW])
        for name, kind in schema.relations.items():
            block = (self._block((name,)) or {}) if name in data else {}
            view[name] = self._values(SCHEMAS[kind], block, (name,), [])
        return Sample(view, row)

    def _block(self, path: Path) -> Mapping[Any, Any] | None:
        data = self._placed.data
        for step in path:
            data = data[step]
        if isinstance(data, dict):
            return data
        if not self._placed.problems:
            message = "must be a set of `name: value` lines"
            self.problems.append(problem_at(self._placed.at(*path), message, rule=Rule.WRONG_SHAPE))
        return None

    def _values(
        self, schema: RecordSchema, data: Mapping[Any, Any], path: Path, more: list[str]
    ) -> dict[str, Value]:
        view: dict[str, Value] = dict.fromkeys(schema.values)
        for name, value in data.items():
            if name in schema.values:
                view[name] = record_shape(schema.values[name], value)
                continue
            hint = did_you_mean(str(name), [*schema.values, *more])
            message = f"a {schema.kind} has no value {name!r}"
            self.problems.append(
                problem_at(self._placed.key(*path, name), message, hint, rule=Rule.UNKNOWN_VALUE)
            )
        return view

    def _row(self) -> Fields:
        data = self._block((ROW,)) or {}
        known = {name.lower(): name for name in self._mapping.fields}
        for name in data:
            if str(name).lower() not in known:
                hint = did_you_mean(str(name), known.values())
                message = f"no line of {self._mapping.name} names the field {name!r}"
                self.problems.append(
                    problem_at(self._placed.key(ROW, name), message, hint, rule=Rule.UNKNOWN_FIELD)
                )
        return {known.get(str(name).lower(), str(name)): value for name, value in data.items()}
