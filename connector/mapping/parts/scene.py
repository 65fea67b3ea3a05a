"""What the parts of one compilation share: the document, what it is checked against, the problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector.domain.records import RecordSchema
from connector.mapping.documents.document import MappingDocument
from connector.mapping.documents.places import Path, Problem, problem_at
from connector.mapping.documents.reading import Read, did_you_mean
from connector.mapping.expressions.cel import ExpressionProblem
from connector.mapping.rules import Rule
from connector.mapping.schema import FieldSchema, ObjectSchema


@dataclass(frozen=True)
class Scene:
    """One document under compilation."""

    read: Read[MappingDocument]
    document: MappingDocument
    schema: RecordSchema
    records: Mapping[str, RecordSchema]
    object: ObjectSchema | None
    others: Mapping[str, MappingDocument]
    problems: list[Problem]
    org: Mapping[str, ObjectSchema] | None = None
    """Every object that was described, by name; None where no org is asked."""

    @property
    def documents(self) -> Mapping[str, MappingDocument]:
        """The whole set, this document among it."""
        return {**self.others, self.read.name: self.document}

    def problem(
        self, path: Path, message: str, hint: str = "", *, rule: Rule, key: bool = False
    ) -> None:
        """Note a problem at the value, or at the key, of a path."""
        place = self.read.key(*path) if key else self.read.at(*path)
        self.problems.append(problem_at(place, message, hint, rule=rule))

    def expression_problem(
        self, path: Path, problem: ExpressionProblem, known: Iterable[str]
    ) -> None:
        """Note a problem inside the text of an expression."""
        place = self.read.placed.inside(self.read.path(path), problem.line, problem.column)
        hint = did_you_mean(problem.unknown, known) if problem.unknown else ""
        self.problems.append(problem_at(place, problem.message, hint, rule=Rule.EXPRESSION))

    def unknown_value(self, path: Path, name: str, known: Iterable[str]) -> None:
        """Note that the record declares no such value."""
        message = f"a {self.document.from_} has no value {name!r}"
        self.problem(path, message, did_you_mean(name, known), rule=Rule.UNKNOWN_VALUE)

    def field(self, name: str, path: Path, *, key: bool = False) -> FieldSchema | None:
        """The org's field of that name; None, with a problem noted, where the org has none."""
        if self.object is None:
            return None
        found = self.object.field(name)
        if found is None:
            hint = did_you_mean(name, self.object.fields)
            message = f"{self.object.name} has no field {name!r} that this user may see"
            self.problem(path, message, hint, key=key, rule=Rule.UNKNOWN_FIELD)
        return found


def guessed_object(field: str) -> tuple[str, ...]:
    """The object that a standard reference is named after, for checks without an org."""
    return (field.removesuffix("Id"),) if field.endswith("Id") else ()


def guessed_relationship(field: str) -> str:
    """How a parent is named through a reference field."""
    if field.endswith("__c"):
        return field.removesuffix("c") + "r"
    return field.removesuffix("Id")
