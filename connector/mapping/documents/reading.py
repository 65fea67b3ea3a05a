"""From YAML text to a document model, reporting everything wrong with its shape at once.

What cannot be read is left out and the rest is read all the same, so that a document's deeper
problems are found in the same run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connector.errors import ConnectorError
from connector.mapping.documents.document import (
    AdoptSpec,
    ChildSpec,
    FieldLine,
    LookupSpec,
    MappingDocument,
    MatchSpec,
    OwnerSpec,
    ParentSpec,
    QueueSpec,
    RowOfSpec,
)
from connector.mapping.documents.places import Path, Place, Placed, Problem, problem_at, read_yaml
from connector.mapping.rules import Rule

Model = TypeVar("Model", bound=BaseModel)
_ROUNDS = 5
_TOP_LEVEL_ENTRY = 2  # as in ("fields", 3)
_MODELS: Mapping[tuple[str, ...], type[BaseModel]] = {
    ("fields",): FieldLine,
    ("fields", "lookup"): LookupSpec,
    ("match",): MatchSpec,
    ("parents",): ParentSpec,
    ("children",): ChildSpec,
    ("adopt",): AdoptSpec,
    ("row_of",): RowOfSpec,
    ("owner",): OwnerSpec,
    ("owner", "queue"): QueueSpec,
}


class MappingProblems(ConnectorError):
    """Everything that is wrong with one or more documents."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        shown = "\n".join(str(problem) for problem in self.problems)
        super().__init__("mapping_problems", shown, "Mend the places named, then check again.")


@dataclass(frozen=True)
class Read(Generic[Model]):
    """A document as far as it could be read, where its parts stand, and what is wrong with its shape."""

    name: str
    placed: Placed
    document: Model | None
    problems: tuple[Problem, ...]
    root: Path = ()
    kept: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def at(self, *path: str | int | float) -> Place:
        """The place of a value, by its path in the model."""
        return self.placed.at(*self.path(path))

    def key(self, *path: str | int | float) -> Place:
        """The place of a key, by its path in the model."""
        return self.placed.key(*self.path(path))

    def path(self, path: Path) -> Path:
        """A path in the model as it is in the file, where entries that could not be read still stand."""
        return (*self.root, *_original(path, self.kept))


def read_mapping(text: str, name: str, file: str = "") -> Read[MappingDocument]:
    """Read a mapping document; `name` is `<kind>-<object>` as in its file name."""
    placed = read_yaml(text, file or f"{name}.yaml")
    return read_model(MappingDocument, placed, name)


def read_model(model: type[Model], placed: Placed, name: str, root: Path = ()) -> Read[Model]:
    """Read what stands at `root` of a YAML file as this model."""
    problems = [] if root else list(placed.problems)
    part = placed.data
    for step in root:
        part = part[step]
    if not isinstance(part, dict):
        if not problems:
            problems.append(
                problem_at(
                    placed.at(*root), "must be a set of `key: value` lines", rule=Rule.WRONG_SHAPE
                )
            )
        return Read(name, placed, None, tuple(problems), root)
    return _Attempt(model, placed, name, root, deepcopy(part), problems).read()


class _Attempt(Generic[Model]):
    """Validates, reports, leaves out what was wrong and validates again."""

    def __init__(
        self,
        model: type[Model],
        placed: Placed,
        name: str,
        root: Path,
        data: dict[Any, Any],
        problems: list[Problem],
    ) -> None:
        self._model = model
        self._placed = placed
        self._name = name
        self._root = root
        self._data = data
        self._problems = problems
        lists = {key: value for key, value in data.items() if isinstance(value, list)}
        self._kept = {key: list(range(len(value))) for key, value in lists.items()}

    def read(self) -> Read[Model]:
        """The document, or None where what is left out was needed."""
        for _ in range(_ROUNDS):
            try:
                return self._answer(self._model.model_validate(self._data))
            except ValidationError as error:
                details = error.errors()
            self._problems += [self._problem(detail) for detail in details if self._new(detail)]
            if not self._leave_out(details):
                break
        return self._answer(None)

    def _answer(self, document: Model | None) -> Read[Model]:
        problems = tuple(dict.fromkeys(self._problems))
        return Read(self._name, self._placed, document, problems, self._root, self._kept)

    def _path(self, detail: ErrorDetails) -> Path:
        return (*self._root, *_original(detail["loc"], self._kept))

    def _new(self, detail: ErrorDetails) -> bool:
        """A key that is there in the file is missing only because its value was left out."""
        return detail["type"] != "missing" or self._path(detail) not in self._placed.keys

    def _problem(self, detail: ErrorDetails) -> Problem:
        path = self._path(detail)
        if detail["type"] == "extra_forbidden":
            hint = did_you_mean(str(path[-1]), _known_keys(self._model, detail["loc"][:-1]))
            return problem_at(
                self._placed.key(*path), f"unknown key {path[-1]!r}", hint, rule=Rule.UNKNOWN_KEY
            )
        if detail["type"] == "missing":
            return problem_at(
                self._placed.at(*path[:-1]),
                f"the key {path[-1]!r} is missing",
                rule=Rule.MISSING_KEY,
            )
        return problem_at(self._placed.at(*path), *_wrong_value(detail), rule=Rule.WRONG_SHAPE)

    def _leave_out(self, details: list[ErrorDetails]) -> bool:
        """Drop the parts that were wrong, last list entries first; say whether all could be dropped."""
        spots = {self._spot(detail) for detail in details}
        ordered = sorted(
            spots, key=lambda spot: [str(step).zfill(9) for step in spot], reverse=True
        )
        dropped = [self._drop(spot) for spot in ordered]
        return all(dropped)

    def _spot(self, detail: ErrorDetails) -> Path:
        """What to leave out: the holder of a missing key, else the innermost key with the wrong value."""
        loc = detail["loc"][:-1] if detail["type"] == "missing" else detail["loc"]
        here: Any = self._data
        deepest: Path = ()
        for at, step in enumerate(loc):
            if not _has(here, step):
                return deepest
            if isinstance(here, dict):
                deepest = loc[: at + 1]
            here = here[step]
        return loc if detail["type"] == "missing" else deepest

    def _drop(self, spot: Path) -> bool:
        if not spot:
            return False
        holder: Any = self._data
        for step in spot[:-1]:
            if not _has(holder, step):
                return True  # an outer part is gone already
            holder = holder[step]
        if _has(holder, spot[-1]):
            del holder[spot[-1]]
            if isinstance(holder, list) and len(spot) == _TOP_LEVEL_ENTRY:
                del self._kept[str(spot[0])][int(spot[-1])]
        return True


def _has(holder: Any, step: str | int | float) -> bool:
    if isinstance(holder, list):
        return isinstance(step, int) and step < len(holder)
    return isinstance(holder, dict) and step in holder


def _original(path: Path, kept: Mapping[str, Sequence[int]]) -> Path:
    match path:
        case (str(name), int(at), *rest) if name in kept and at < len(kept[name]):
            return (name, kept[name][at], *rest)
    return path


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or all of them where none is near."""
    words = sorted(set(known))
    near = get_close_matches(word, words, n=1, cutoff=0.6)
    if not near:
        lower = {known_word.lower(): known_word for known_word in words}
        near = [lower[hit] for hit in get_close_matches(word.lower(), list(lower), n=1, cutoff=0.6)]
    if near:
        return f"did you mean {near[0]}?"
    return f"known: {', '.join(words)}" if words else ""


def _wrong_value(detail: ErrorDetails) -> tuple[str, str]:
    given = detail["input"]
    if detail["type"] == "enum":
        known = detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return f"{given!r} is not possible here", did_you_mean(str(given), known)
    expected = {
        "string_type": "a text",
        "bool_parsing": "true or false",
        "bool_type": "a text, a number, true or false",
        "int_type": "a text, a number, true or false",
        "float_type": "a text, a number, true or false",
        "tuple_type": "a list",
        "dict_type": "a set of `key: value` lines",
        "model_type": "a set of `key: value` lines",
        "int_parsing": "a whole number",
    }.get(detail["type"])
    if expected:
        return f"must be {expected}, not {given!r}", ""
    return detail["msg"].removeprefix("Value error, "), ""


def _known_keys(model: type[BaseModel], loc: Path) -> list[str]:
    names = tuple(step for step in loc if isinstance(step, str))
    if names[:1] in (("parents",), ("children",)):
        names = names[:1]
    parts: Mapping[tuple[str, ...], type[BaseModel]] = getattr(model, "PARTS", _MODELS)
    found = parts.get(names) if names else model
    if found is None:
        return []
    return [item.alias or name for name, item in found.model_fields.items()]
