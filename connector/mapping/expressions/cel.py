"""CEL, behind one door: the only module that knows which runtime evaluates expressions.

An expression is checked against typed names (an unknown name or a wrong type is found when the
mapping is checked) and run against the same names untyped, since blank values are null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from inspect import signature
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional

from connector.domain.records import RecordSchema, ValueType
from connector.domain.values import Value, Values, moment
from connector.errors import ConnectorError
from connector.mapping.expressions import functions
from connector.mapping.expressions.checkedtree import references, tree
from connector.mapping.expressions.shortcuts import Shortcut, shortcut

_DYN = cel.Type.DYN
_TEXT = cel.Type("google.protobuf.StringValue")
_NUMBER = cel.Type("google.protobuf.Int64Value")
_TYPES: Mapping[ValueType, cel.Type] = {
    ValueType.BOOLEAN: cel.Type.BOOL,
    ValueType.INTEGER: _NUMBER,
    ValueType.SET: cel.Type.List(cel.Type.STRING),
}
_RESULTS: Mapping[str, ValueType] = {
    "STRING": ValueType.TEXT,
    "BOOL": ValueType.BOOLEAN,
    "INT": ValueType.INTEGER,
    "UINT": ValueType.INTEGER,
    "DOUBLE": ValueType.INTEGER,
    "TIMESTAMP": ValueType.MOMENT,
}
_BLANKS: Mapping[ValueType, Value] = {ValueType.BOOLEAN: False, ValueType.SET: []}
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_MOST_COALESCED = 6


class ExpressionFailed(ConnectorError):
    """An expression could not be worked out; it names the expression and the values it saw."""

    def __init__(self, expression: str, values: Values, reason: str) -> None:
        seen = ", ".join(f"{name} = {value!r}" for name, value in sorted(values.items()))
        super().__init__(
            "expression_failed",
            f"{expression!r} failed: {reason}; with {seen or 'no values'}",
            "Mend the expression or the value, publish, then redrive.",
        )
        self.expression = expression
        self.values = values
        self.reason = reason


@dataclass(frozen=True)
class ExpressionProblem:
    """Why an expression does not compile, with line and column in its text, from 1."""

    message: str
    line: int = 1
    column: int = 1
    unknown: str | None = None


class ExpressionRefused(ConnectorError):
    """An expression does not compile."""

    def __init__(self, problems: tuple[ExpressionProblem, ...]) -> None:
        super().__init__("expression_refused", "; ".join(each.message for each in problems))
        self.problems = problems


@dataclass(frozen=True)
class Scope:
    """The names an expression may use, with what they hold; hashable, so that environments are shared."""

    names: tuple[tuple[str, ValueType], ...]


@dataclass(frozen=True)
class CheckedExpression:
    """An expression that compiled. `returns` is None where only running it tells."""

    text: str
    inputs: frozenset[str]
    returns: ValueType | None
    _program: cel.Expression
    _scope: Scope
    _shortcut: Shortcut | None = None

    def evaluate(self, look_up: Callable[[str], Value]) -> Value:
        """The result over the values that `look_up` gives by name; raises `ExpressionFailed`."""
        bound = {
            name: blank if (value := look_up(name)) is None else value
            for name, blank in self._blanks
        }
        if self._shortcut is not None:
            try:
                return _plain(self._shortcut(bound))
            except Exception:  # noqa: BLE001, S110 - the runtime says it in its own words
                pass
        try:
            result = self._program.eval(data=bound)
            if result.type() != cel.Type.ERROR:
                return _plain(result.plain_value())
            reason = str(result.value())
        except (RuntimeError, TypeError) as error:  # it ran too long, or gave what no field holds
            reason = str(error)
        raise ExpressionFailed(self.text, bound, _reason(reason))

    @cached_property
    def rootless(self) -> Mapping[str, str]:
        """The inputs, each without the name it begins with (`line`, `before`)."""
        return {name: name.partition(".")[2] for name in self.inputs}

    @cached_property
    def _blanks(self) -> tuple[tuple[str, Value], ...]:
        """Each input with what a blank one is: flags are false, sets empty, all others null."""
        types = _by_name(self._scope)
        return tuple((name, _BLANKS.get(types[name])) for name in sorted(self.inputs))


def record_names(
    prefix: str, schema: RecordSchema, schemas: Mapping[str, RecordSchema]
) -> Iterator[tuple[str, ValueType]]:
    """The names of a record's values and of those one relation away, under a prefix."""
    for name, kind in schema.values.items():
        yield f"{prefix}.{name}", kind
    for relation, related in schema.relations.items():
        for name, kind in schemas[related].values.items():
            yield f"{prefix}.{relation}.{name}", kind


def compile_expression(text: str, scope: Scope) -> CheckedExpression:
    """Check and compile; raises `ExpressionRefused` with every problem found."""
    try:
        checked = _checking(scope).compile(text)
        program = _running(scope).compile(text)
    except RuntimeError as error:
        raise ExpressionRefused(tuple(_refusals(str(error), text))) from None
    name = str(checked.return_type().name())
    if name.startswith(("MAP", "BYTES", "TYPE", "DURATION", "optional_type")):
        problem = ExpressionProblem(f"the result would be a {name.lower()}, which no field holds")
        raise ExpressionRefused((problem,))
    returns = ValueType.SET if name.startswith("LIST") else _RESULTS.get(name)
    serialised = checked.serialize()
    inputs = frozenset(references(serialised)) & _by_name(scope).keys()
    quick = shortcut(tree(serialised), {each.name: each.run for each in _FUNCTIONS})
    return CheckedExpression(text, inputs, returns, program, scope, quick)


def function_names() -> tuple[str, ...]:
    """The names of our own functions."""
    return tuple(dict.fromkeys(function.name for function in _FUNCTIONS))


def function_texts() -> Iterator[tuple[str, str, str]]:
    """Each function as it is called, an example, and what it gives; their docstrings say it."""
    for run in dict.fromkeys(function.run for function in _FUNCTIONS):
        gives, _, example = (run.__doc__ or "").partition("\n\n")
        taken = ", ".join(
            str(each).partition(":")[0] for each in signature(run).parameters.values()
        )
        yield f"{run.__name__}({taken})", example.strip().removeprefix("Example: "), gives


@dataclass(frozen=True)
class _Function:
    name: str
    takes: tuple[cel.Type, ...]
    gives: cel.Type
    run: Callable[..., Any]


_FUNCTIONS = (
    _Function("text", (_DYN,), cel.Type.STRING, functions.text),
    *(
        _Function("coalesce", (_DYN,) * count, _DYN, functions.coalesce)
        for count in range(1, _MOST_COALESCED + 1)
    ),
    _Function("join", (cel.Type.List(_DYN), _TEXT), cel.Type.STRING, functions.join),
    _Function("add_days", (_TEXT, _NUMBER), _TEXT, functions.add_days),
    _Function("add_months", (_TEXT, _NUMBER), _TEXT, functions.add_months),
    _Function("local_time", (_TEXT, _TEXT, _TEXT), cel.Type.STRING, functions.local_time),
    _Function("local_date", (_TEXT, _TEXT), cel.Type.STRING, functions.local_date),
)


def _declared(*, typed: bool) -> list[cel.FunctionDecl]:
    overloads: dict[str, list[cel.Overload]] = {}
    for function in _FUNCTIONS:
        takes = list(function.takes) if typed else [_DYN] * len(function.takes)
        gives = function.gives if typed else _DYN
        name = f"{function.name}_{len(takes)}"
        overload = cel.Overload(name, return_type=gives, parameters=takes, impl=function.run)
        overloads.setdefault(function.name, []).append(overload)
    return [cel.FunctionDecl(name, each) for name, each in overloads.items()]


@lru_cache(maxsize=64)
def _checking(scope: Scope) -> cel.Env:
    """Nullable types are only known to plain declarations, never to an extension."""
    typed = {name: _TYPES.get(kind, _TEXT) for name, kind in scope.names}
    return cel.NewEnv(
        variables=typed, functions=_declared(typed=True), extensions=[ext_optional.ExtOptional()]
    )


@lru_cache(maxsize=64)
def _running(scope: Scope) -> cel.Env:
    """Untyped arguments are only passed to functions of an extension, never to plain ones."""
    untyped = {name: _DYN for name, _ in scope.names}
    ours = cel.CelExtension("connector", _declared(typed=False))
    return cel.NewEnv(variables=untyped, extensions=[ext_optional.ExtOptional(), ours])


@lru_cache(maxsize=64)
def _by_name(scope: Scope) -> dict[str, ValueType]:
    return dict(scope.names)


def _plain(value: Any) -> Value:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"it gave a {type(value).__name__}, which no field holds")


def _refusals(error: str, text: str) -> Iterator[ExpressionProblem]:
    """The runtime's error text, one problem for each `<input>:line:column: message` in it."""
    found = list(_ERROR.finditer(error))
    if not found:
        yield ExpressionProblem(error.splitlines()[0])
    for hit in found:
        line, column = int(hit[1]), int(hit[2])
        message = hit[3].removesuffix(" [INVALID_ARGUMENT]").replace(" (in container '')", "")
        message = message.partition(" expecting {")[0]
        message = message.replace("mismatched input '<EOF>'", "the expression ends too soon")
        unknown = _UNDECLARED.search(message)
        if unknown is None:
            yield ExpressionProblem(message, line, column)
        else:
            start = _start_of_name(text, line, column)
            yield ExpressionProblem(f"unknown name {unknown[1]!r}", line, start, unknown[1])


def _start_of_name(text: str, line: int, column: int) -> int:
    """The runtime points at a dotted name's last dot or at a call's bracket; people look for its beginning."""
    lines = text.splitlines()
    shown = lines[line - 1] if line <= len(lines) else ""
    start = min(column, len(shown)) - 1
    while start > 0 and re.match(r"[\w.]", shown[start - 1]):
        start -= 1
    return start + 1


def _reason(error: str) -> str:
    """Without the runtime's own classification in front."""
    kind, _, rest = error.partition(": ")
    return rest if kind.isupper() and rest else error
