"""Message templates: LINE message objects with `{{ expressions }}` in their texts, one file a locale."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.domain.records import RecordSchema, ValueType
from connector.domain.values import Value, Values
from connector.errors import ConnectorError
from connector.mapping.documents.places import Path, Placed, Problem, problem_at, read_yaml
from connector.mapping.documents.reading import did_you_mean
from connector.mapping.expressions.cel import (
    CheckedExpression,
    ExpressionRefused,
    Scope,
    compile_expression,
    function_names,
)
from connector.mapping.expressions.functions import text as shown
from connector.mapping.messaging.limits import message_problems
from connector.mapping.rules import Rule
from connector.mapping.views import look_up

LOCALES = ("zh-TW", "en", "ja")
LINKS = ("bind", "register", "repair", "requests")
ACCOUNT = ("basic_id", "name")
_FILE = re.compile(r"messages/(?P<template>[\w-]+)\.(?P<locale>[A-Za-z]{2}(-[A-Za-z]{2,4})?)\.yaml")
_PLACEHOLDER = re.compile(r"\{\{(.+?)\}\}", re.DOTALL)
MOST_MESSAGES = 5


class RenderFailed(ConnectorError):
    """A message could not be put together."""

    def __init__(self, template: str, locale: str, reason: str) -> None:
        super().__init__(
            "render_failed",
            f"the message {template} ({locale}) could not be put together: {reason}",
            "Mend the template, publish, then redrive.",
        )


@dataclass(frozen=True)
class Template:
    """The messages of one template in one locale, as they were read."""

    name: str
    locale: str
    placed: Placed


@dataclass(frozen=True)
class Piece:
    """A text cut at its placeholders."""

    parts: tuple[str | CheckedExpression, ...]

    def fill(self, find: Callable[[str], Value]) -> str:
        """The text with every placeholder filled."""
        return "".join(
            part if isinstance(part, str) else shown(part.evaluate(find)) for part in self.parts
        )


@dataclass(frozen=True)
class CompiledTemplate:
    """Messages ready to fill: plain JSON whose texts are `Piece`s."""

    name: str
    locale: str
    messages: tuple[Any, ...]

    def render(self, bindings: Mapping[str, Values]) -> list[dict[str, Value]]:
        """The LINE message objects; raises `RenderFailed`."""

        def find(name: str) -> Value:
            root, _, rest = name.partition(".")
            return self.locale if name == "locale" else look_up(bindings.get(root, {}), rest)

        try:
            filled = [_filled(message, find) for message in self.messages]
        except ConnectorError as failed:
            raise RenderFailed(self.name, self.locale, failed.message) from failed
        wrong = [problem for problem, _ in message_problems(filled)]
        if wrong:
            raise RenderFailed(self.name, self.locale, "; ".join(wrong))
        return filled


def message_scope(schema: RecordSchema) -> Scope:
    """The names that a message about a record may use."""
    names = [
        (f"{moment}.{name}", kind)
        for moment in ("before", "after")
        for name, kind in schema.values.items()
    ]
    names += [(f"links.{link}", ValueType.TEXT) for link in LINKS]
    names += [(f"oa.{name}", ValueType.TEXT) for name in ACCOUNT]
    return Scope((*names, ("locale", ValueType.TEXT)))


def read_messages(
    texts: Mapping[str, str], prefix: str = ""
) -> tuple[dict[tuple[str, str], Template], list[Problem]]:
    """The templates by name and locale, from texts keyed `messages/<template>.<locale>.yaml`."""
    templates: dict[tuple[str, str], Template] = {}
    problems: list[Problem] = []
    for path, text in texts.items():
        placed = read_yaml(text, prefix + path)
        problems += placed.problems
        named = _FILE.fullmatch(path)
        if named is None:
            message = "the file must be called <template>.<locale>.yaml"
            problems.append(problem_at(placed.at(), message, rule=Rule.MESSAGE_FILE))
            continue
        template = Template(named["template"], named["locale"], placed)
        templates[template.name, template.locale] = template
    return templates, problems


def compile_template(
    template: Template, scope: Scope
) -> tuple[CompiledTemplate | None, list[Problem]]:
    """A template ready to fill, or the problems that stand in the way."""
    compiler = _TemplateCompiler(template.placed, scope)
    data = template.placed.data
    if not isinstance(data, list) or not 1 <= len(data) <= MOST_MESSAGES:
        if not template.placed.problems:
            message = f"must be a list of one to {MOST_MESSAGES} messages"
            compiler.problems.append(
                problem_at(template.placed.at(), message, rule=Rule.MESSAGE_FILE)
            )
        return None, compiler.problems
    messages = tuple(compiler.compiled(item, (at,)) for at, item in enumerate(data))
    for message, path in message_problems(_without_placeholders(data)):
        compiler.problems.append(
            problem_at(template.placed.at(*path), message, rule=Rule.MESSAGE_LIMIT)
        )
    if compiler.problems:
        return None, compiler.problems
    return CompiledTemplate(template.name, template.locale, messages), []


class _TemplateCompiler:
    def __init__(self, placed: Placed, scope: Scope) -> None:
        self._placed = placed
        self._scope = scope
        self._known = [*(name for name, _ in scope.names), *function_names()]
        self.problems: list[Problem] = []

    def compiled(self, data: Any, path: Path) -> Any:
        """The same data with every text cut at its placeholders."""
        if isinstance(data, dict):
            return {key: self.compiled(value, (*path, key)) for key, value in data.items()}
        if isinstance(data, list):
            return [self.compiled(value, (*path, at)) for at, value in enumerate(data)]
        if isinstance(data, str):
            return Piece(tuple(self._parts(data, path)))
        return data

    def _parts(self, text: str, path: Path) -> Iterator[str | CheckedExpression]:
        done = 0
        for hit in _PLACEHOLDER.finditer(text):
            yield text[done : hit.start()]
            expression = self._expression(text, hit, path)
            if expression is not None:
                yield expression
            done = hit.end()
        yield text[done:]

    def _expression(self, text: str, hit: re.Match[str], path: Path) -> CheckedExpression | None:
        try:
            return compile_expression(hit[1].strip(), self._scope)
        except ExpressionRefused as refused:
            lead = len(hit[1]) - len(hit[1].lstrip())
            ahead = text[: hit.start(1) + lead]
            line = ahead.count("\n") + 1
            column = len(ahead) - ahead.rfind("\n") - 1
            for problem in refused.problems:
                place = self._placed.inside(path, line, column + problem.column)
                hint = did_you_mean(problem.unknown, self._known) if problem.unknown else ""
                self.problems.append(problem_at(place, problem.message, hint, rule=Rule.EXPRESSION))
            return None


def _filled(data: Any, find: Callable[[str], Value]) -> Any:
    if isinstance(data, Piece):
        return data.fill(find)
    if isinstance(data, dict):
        return {key: _filled(value, find) for key, value in data.items()}
    if isinstance(data, list):
        return [_filled(value, find) for value in data]
    return data


def _without_placeholders(data: Any) -> Any:
    """The data with each placeholder as one letter: what is too long even so can never be sent."""
    if isinstance(data, dict):
        return {key: _without_placeholders(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_without_placeholders(value) for value in data]
    return _PLACEHOLDER.sub("x", data) if isinstance(data, str) else data
