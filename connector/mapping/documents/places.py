"""YAML with the place of every key and value, so that each problem can be shown where it stands.

Plainer than YAML 1.1: only `true` and `false` are booleans (`no` and `on` are words), dates stay text,
and anchors with their aliases are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from connector.mapping.rules import Rule

Path: TypeAlias = tuple[str | int | float, ...]


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands; lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with a document, where it stands, and what may mend it."""

    file: str
    line: int
    column: int
    message: str
    rule: Rule
    hint: str = ""

    def __str__(self) -> str:
        shown = f"{self.file}:{self.line}:{self.column}: {self.message}"
        return f"{shown} ({self.hint})" if self.hint else shown


def problem_at(place: Place, message: str, hint: str = "", *, rule: Rule) -> Problem:
    """A problem standing at a place."""
    return Problem(place.file, place.line, place.column, message, rule, hint)


@dataclass(frozen=True)
class Placed:
    """A YAML value with the places of its parts; `keys` and `values` are looked up by path."""

    file: str
    data: Any
    keys: Mapping[Path, Place] = field(default_factory=dict)
    values: Mapping[Path, Place] = field(default_factory=dict)
    texts: Mapping[Path, tuple[Place, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def at(self, *path: str | int | float) -> Place:
        """The place of the value at this path, or of its nearest part that exists."""
        return self._nearest(self.values, path)

    def key(self, *path: str | int | float) -> Place:
        """The place of the key this path ends with, or of its nearest part that exists."""
        return self.keys.get(path) or self._nearest(self.values, path)

    def inside(self, path: Path, line: int, column: int) -> Place:
        """The place of a position (from 1) inside the text at this path."""
        starts = self.texts.get(path, ())
        if not starts:
            return self.at(*path)
        start = starts[min(line, len(starts)) - 1]
        return Place(self.file, start.line, start.column + column - 1)

    def _nearest(self, places: Mapping[Path, Place], path: Path) -> Place:
        for length in range(len(path), -1, -1):
            if path[:length] in places:
                return places[path[:length]]
        return Place(self.file)


def read_yaml(text: str, file: str) -> Placed:
    """Read one document; what is wrong with it is in `problems`, and `data` is what could be read."""
    try:
        node = _compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file) if mark is None else Place(file, mark.line + 1, mark.column + 1)
        return Placed(
            file,
            None,
            problems=(problem_at(place, f"not YAML: {error.problem}", rule=Rule.NOT_YAML),),
        )
    except yaml.YAMLError as error:
        return Placed(
            file,
            None,
            problems=(problem_at(Place(file), f"not YAML: {error}", rule=Rule.NOT_YAML),),
        )
    if node is None:
        return Placed(
            file, None, problems=(problem_at(Place(file), "the file is empty", rule=Rule.NOT_YAML),)
        )
    return _Reader(file, text.splitlines()).read(node)


def _compose(text: str) -> yaml.Node | None:
    """Read by libyaml, seven times as fast; what it refuses is read again, for Python's error says more."""
    try:
        return yaml.compose(text, Loader=_QuickLoader)
    except yaml.YAMLError:
        return yaml.compose(text, Loader=_Loader)


class _Loader(yaml.SafeLoader):
    """SafeLoader with the few plain scalars that JSON has."""


class _QuickLoader(yaml.CSafeLoader):
    """The same over libyaml."""


_PLAIN = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_Loader.yaml_implicit_resolvers = _QuickLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag in _PLAIN]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Reader:
    """Turns composed nodes into values, noting the place of each."""

    def __init__(self, file: str, lines: list[str]) -> None:
        self._file = file
        self._lines = lines
        self._keys: dict[Path, Place] = {}
        self._values: dict[Path, Place] = {}
        self._texts: dict[Path, tuple[Place, ...]] = {}
        self._problems: list[Problem] = []
        self._seen: set[int] = set()

    def read(self, node: yaml.Node) -> Placed:
        """The value of a node and all beneath it."""
        data = self._value(node, ())
        return Placed(
            self._file, data, self._keys, self._values, self._texts, tuple(self._problems)
        )

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._values[path] = self._start(node)
        if id(node) in self._seen:
            self._problems.append(
                problem_at(self._start(node), "aliases (*name) are not allowed", rule=Rule.NOT_YAML)
            )
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, at)) for at, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[Any, Any]:
        read: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node, (*path, "<key>"))
            place = self._start(key_node)
            if key in read:
                self._problems.append(
                    problem_at(place, f"the key {key!r} is given twice", rule=Rule.KEY_TWICE)
                )
            self._keys[*path, key] = place
            read[key] = self._value(value_node, (*path, key))
        return read

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            self._problems.append(
                problem_at(self._start(node), "a key must be a single word", rule=Rule.NOT_YAML)
            )
            return str(node.value)
        if not node.style and node.value in ("true", "false"):
            return node.value == "true"
        try:
            value = _construct(node)
        except (yaml.YAMLError, ValueError) as error:
            why = getattr(error, "problem", None) or str(error)
            self._problems.append(
                problem_at(self._start(node), f"cannot be read: {why}", rule=Rule.NOT_YAML)
            )
            return None
        if isinstance(value, str):
            self._texts[path] = tuple(self._text_starts(node))
        return value

    def _text_starts(self, node: yaml.ScalarNode) -> Iterator[Place]:
        """Where each line of a text begins in the file; later lines of folded texts are near enough."""
        first, last = node.start_mark, node.end_mark
        if node.style not in ("|", ">"):
            quoted = 1 if node.style else 0
            yield Place(self._file, first.line + 1, first.column + 1 + quoted)
        for number in range(first.line + 1, min(last.line + 1, len(self._lines))):
            line = self._lines[number]
            indent = len(line) - len(line.lstrip())
            yield Place(self._file, number + 1, indent + 1)

    def _start(self, node: yaml.Node) -> Place:
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)


def _construct(node: yaml.ScalarNode) -> Any:
    return yaml.constructor.SafeConstructor().construct_object(node)
