"""When a change is worth a message, and which one: `notices.yaml` and the message templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from connector.domain.records import RecordSchema, ValueType
from connector.domain.values import Value, Values
from connector.mapping.documents.places import Placed, Problem, problem_at, read_yaml
from connector.mapping.documents.reading import Read, did_you_mean, read_model
from connector.mapping.expressions.cel import (
    CheckedExpression,
    ExpressionFailed,
    ExpressionRefused,
    Scope,
    compile_expression,
    function_names,
)
from connector.mapping.messaging.messages import (
    LOCALES,
    CompiledTemplate,
    RenderFailed,
    Template,
    compile_template,
    message_scope,
)
from connector.mapping.rules import Rule
from connector.mapping.views import look_up
from connector.mapping.words import kind_named

DEFAULT_LOCALE = "zh-TW"
_AGE = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Purpose(StrEnum):
    """Which consent a message rests on."""

    SERVICE = "service"
    MARKETING = "marketing"


def _age(written: Any) -> timedelta:
    hit = _AGE.fullmatch(written) if isinstance(written, str) else None
    if hit is None:
        raise ValueError(f"must be a time such as 30m, 2h or 1d, not {written!r}")
    return timedelta(**{_UNITS[hit[2]]: int(hit[1])})


class NoticeSpec(BaseModel):
    """One rule: a change of this kind, when this holds, owes the record's person this message."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    id: str
    """The rule's own name."""
    kind: str
    """The record kind whose changes it looks at."""
    when: str
    """CEL over `before.*` and `after.*`."""
    purpose: Purpose
    """Which consent the message rests on."""
    max_age: Annotated[timedelta, BeforeValidator(_age, json_schema_input_type=str)]
    """Changes older than this (`30m`, `2h`, `1d`) are not told any more."""
    template: str
    """The message, by the name of its files in `messages/`."""
    reply_within: int | None = Field(default=None, ge=1, le=50)
    """For how many seconds the message may wait for a reply token, which makes it free."""
    description: str | None = None
    """For people."""


@dataclass(frozen=True)
class CompiledNotice:
    """One rule, ready to ask."""

    id: str
    kind: str
    purpose: Purpose
    max_age: timedelta
    template: str
    reply_within: timedelta | None
    when: CheckedExpression

    def matches(self, before: Values, after: Values) -> bool:
        """Whether a change from `before` to `after` is worth the message; a failing rule says no."""
        seen = {"before": before, "after": after}

        def find(name: str) -> Value:
            root, _, rest = name.partition(".")
            return look_up(seen[root], rest)

        try:
            return self.when.evaluate(find) is True
        except ExpressionFailed:
            return False


@dataclass(frozen=True)
class CompiledNotices:
    """All rules and all messages."""

    rules: tuple[CompiledNotice, ...] = ()
    templates: Mapping[tuple[str, str], CompiledTemplate] = field(default_factory=dict)

    def of_kind(self, kind: str) -> tuple[CompiledNotice, ...]:
        """The rules that look at records of a kind."""
        return self._by_kind.get(kind, ())

    def rule(self, rule_id: str) -> CompiledNotice | None:
        """The rule of that id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def render(
        self,
        template: str,
        locale: str | None,
        before: Values,
        after: Values,
        links: Mapping[str, str],
        oa: Mapping[str, str] | None = None,
    ) -> list[dict[str, Value]]:
        """The LINE message objects of a template, in the nearest locale there is; raises `RenderFailed`."""
        for name in _locales(locale):
            found = self.templates.get((template, name))
            if found is not None:
                bound = {
                    "before": before,
                    "after": after,
                    "links": dict(links),
                    "oa": dict(oa or {}),
                }
                return found.render(bound)
        raise RenderFailed(template, locale or DEFAULT_LOCALE, "there is no such template")

    @cached_property
    def _by_kind(self) -> dict[str, tuple[CompiledNotice, ...]]:
        kinds = {rule.kind for rule in self.rules}
        return {kind: tuple(rule for rule in self.rules if rule.kind == kind) for kind in kinds}


def _locales(locale: str | None) -> tuple[str, ...]:
    """The locale asked for, one of the same language, then the default."""
    asked = (locale or DEFAULT_LOCALE).replace("_", "-")
    near = [known for known in LOCALES if known.split("-")[0] == asked.split("-")[0].lower()]
    return (asked, *near, DEFAULT_LOCALE)


def compile_notices(
    text: str | None,
    file: str,
    messages: tuple[Mapping[tuple[str, str], Template], list[Problem]],
    schemas: Mapping[str, RecordSchema],
) -> tuple[CompiledNotices, list[Problem]]:
    """Compile the rules and the messages they name; problems stand beside what could be compiled."""
    templates, problems = messages[0], list(messages[1])
    if text is None:
        return CompiledNotices((), {}), problems
    placed = read_yaml(text, file)
    problems += placed.problems
    if not isinstance(placed.data, list):
        if not placed.problems:
            problems.append(problem_at(placed.at(), "must be a list of notices", rule=Rule.NOTICE))
        return CompiledNotices((), {}), problems
    compiler = _Compiler(placed, templates, schemas, problems)
    return compiler.compile(), problems


class _Compiler:
    def __init__(
        self,
        placed: Placed,
        templates: Mapping[tuple[str, str], Template],
        schemas: Mapping[str, RecordSchema],
        problems: list[Problem],
    ) -> None:
        self._placed = placed
        self._templates = templates
        self._schemas = schemas
        self._problems = problems

    def compile(self) -> CompiledNotices:
        """The rules and their messages."""
        rules: list[CompiledNotice] = []
        for at in range(len(self._placed.data)):
            read = read_model(NoticeSpec, self._placed, "notices", (at,))
            self._problems += read.problems
            rule = self._rule(read) if read.document is not None else None
            if rule is not None:
                self._refuse_second(rule, rules, read)
                rules.append(rule)
        return CompiledNotices(tuple(rules), self._messages(rules))

    def _rule(self, read: Read[NoticeSpec]) -> CompiledNotice | None:
        spec = read.document
        if spec is None or not self._known_kind(read, spec) or not self._known_template(read, spec):
            return None
        when = self._when(read, spec)
        if when is None:
            return None
        wait = None if spec.reply_within is None else timedelta(seconds=spec.reply_within)
        return CompiledNotice(
            spec.id, spec.kind, spec.purpose, spec.max_age, spec.template, wait, when
        )

    def _known_kind(self, read: Read[NoticeSpec], spec: NoticeSpec) -> bool:
        if spec.kind not in self._schemas:
            hint = did_you_mean(spec.kind, self._schemas)
            message = f"there is no record kind {spec.kind!r}"
            self._problems.append(
                problem_at(read.at("kind"), message, hint, rule=Rule.UNKNOWN_KIND)
            )
        return spec.kind in self._schemas

    def _known_template(self, read: Read[NoticeSpec], spec: NoticeSpec) -> bool:
        lacking = [name for name in LOCALES if (spec.template, name) not in self._templates]
        if lacking:
            message = f"the message {spec.template} is missing in {', '.join(lacking)}"
            hint = f"write messages/{spec.template}.{lacking[0]}.yaml"
            self._problems.append(
                problem_at(read.at("template"), message, hint, rule=Rule.MESSAGE_MISSING)
            )
        return not lacking

    def _when(self, read: Read[NoticeSpec], spec: NoticeSpec) -> CheckedExpression | None:
        scope = _rule_scope(self._schemas[spec.kind])
        try:
            compiled = compile_expression(spec.when, scope)
        except ExpressionRefused as refused:
            known = [*(name for name, _ in scope.names), *function_names()]
            for problem in refused.problems:
                place = self._placed.inside(read.path(("when",)), problem.line, problem.column)
                hint = did_you_mean(problem.unknown, known) if problem.unknown else ""
                self._problems.append(
                    problem_at(place, problem.message, hint, rule=Rule.EXPRESSION)
                )
            return None
        if compiled.returns not in (ValueType.BOOLEAN, None):
            message = f"must come to true or false, not to {kind_named(compiled.returns)}"
            self._problems.append(problem_at(read.at("when"), message, rule=Rule.CONDITION))
        return compiled

    def _refuse_second(
        self, rule: CompiledNotice, rules: list[CompiledNotice], read: Read[NoticeSpec]
    ) -> None:
        if any(other.id == rule.id for other in rules):
            message = f"there is another notice {rule.id!r}"
            self._problems.append(problem_at(read.at("id"), message, rule=Rule.NOTICE))
        if any(o.template == rule.template and o.kind != rule.kind for o in rules):
            message = f"the message {rule.template} belongs to records of another kind"
            self._problems.append(problem_at(read.at("template"), message, rule=Rule.MESSAGE_KIND))

    def _messages(self, rules: list[CompiledNotice]) -> dict[tuple[str, str], CompiledTemplate]:
        kinds = {rule.template: rule.kind for rule in rules}
        compiled: dict[tuple[str, str], CompiledTemplate] = {}
        for key, template in self._templates.items():
            kind = kinds.get(template.name)
            if kind is None:
                continue
            made, problems = compile_template(template, message_scope(self._schemas[kind]))
            self._problems += problems
            if made is not None:
                compiled[key] = made
        return compiled


def _rule_scope(schema: RecordSchema) -> Scope:
    return Scope(
        tuple(
            (f"{moment}.{name}", kind)
            for moment in ("before", "after")
            for name, kind in schema.values.items()
        )
    )
