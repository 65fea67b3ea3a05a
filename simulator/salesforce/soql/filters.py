"""WHERE as a predicate over rows, and as a guess which rows can match at all."""

import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import reduce
from typing import Any

from simulator.salesforce.errors import Refusal
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.schema import NUMBERS, TEXTS, Field
from simulator.salesforce.soql.dates import date_range, midnight, today
from simulator.salesforce.soql.query import (
    Both,
    Comparison,
    Condition,
    Either,
    Literal,
    Not,
    Path,
    SemiJoin,
)
from simulator.salesforce.soql.scope import Resolved, Scope
from simulator.salesforce.store import Row
from simulator.salesforce.values import parse_date, parse_datetime

Predicate = Callable[[Row], bool]
Test = Callable[[Any], bool]
Semi = Callable[[SemiJoin], Collection[str]]
ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
IDS = frozenset({"id", "reference"})
KINDS = {"date": "date", "datetime": "dateTime", "boolean": "boolean"}


def predicate(condition: Condition, scope: Scope, semi: Semi) -> Predicate:
    """Whether a row meets a condition."""
    if isinstance(condition, Both):
        parts = [predicate(part, scope, semi) for part in condition.parts]
        return lambda row: all(part(row) for part in parts)
    if isinstance(condition, Either):
        parts = [predicate(part, scope, semi) for part in condition.parts]
        return lambda row: any(part(row) for part in parts)
    if isinstance(condition, Not):
        inner = predicate(condition.part, scope, semi)
        return lambda row: not inner(row)
    resolved = resolve_operand(condition, scope)
    test, read = test_of(condition, resolved.field, semi), resolved.read
    return lambda row: test(read(row))


def resolve_operand(condition: Comparison, scope: Scope) -> Resolved:
    """The field a WHERE comparison tests."""
    if not isinstance(condition.operand, Path):
        raise Refusal("MALFORMED_QUERY", "Aggregates are compared in HAVING, not in WHERE")
    resolved = scope.resolve(condition.operand)
    if resolved.field.is_long_text or resolved.field.type == "address":
        name = resolved.field.name
        raise Refusal("INVALID_FIELD", f"field '{name}' can not be filtered in a query call")
    return resolved


def test_of(condition: Comparison, field: Field, semi: Semi) -> Test:
    """The test that a comparison puts to a value of a field."""
    if isinstance(condition.values, SemiJoin):
        ids = semi(condition.values)
        return _membership(frozenset(ids), wanted=condition.operator == "in")
    if condition.operator == "like":
        return _like(condition.values[0])
    if condition.operator in {"includes", "excludes"}:
        return _includes(condition.values, wanted=condition.operator == "includes")
    known = [constant(field, each) for each in condition.values]
    if condition.operator in {"in", "not in"}:
        return _in(field, known, wanted=condition.operator == "in")
    literal = condition.values[0]
    if literal.kind == "range":
        return _in_range(field, literal, condition.operator)
    return _compare(field, condition.operator, known[0])


def constant(field: Field, literal: Literal) -> Any:
    """A literal as the field keeps such values, lower-cased for text."""
    if literal.kind in {"null", "range"}:
        return None
    if field.type in TEXTS and literal.kind == "string":
        return literal.value.lower() or None
    if field.type in IDS and literal.kind == "string":
        if literal.value and not is_id(literal.value):
            raise Refusal("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.value}")
        return long_form(literal.value) if literal.value else None
    known = _scalar(field, literal)
    if known is None:
        kind = KINDS.get(field.type, "double" if field.type in NUMBERS else "string")
        quoted = "should be" if field.type in TEXTS | IDS else "should not be"
        raise Refusal(
            "INVALID_FIELD",
            f"value of filter criterion for field '{field.name}' must be of type {kind} and "
            f"{quoted} enclosed in quotes",
        )
    return known


def candidates(condition: Condition | None, scope: Scope) -> Collection[str] | None:
    """Ids among which all matching rows are; None where the whole table must be read."""
    if isinstance(condition, Both):
        found = [candidates(part, scope) for part in condition.parts]
        return min((ids for ids in found if ids is not None), key=len, default=None)
    if isinstance(condition, Either):
        found = [candidates(part, scope) for part in condition.parts]
        ids = [set(each) for each in found if each is not None]
        return reduce(set.union, ids) if len(ids) == len(found) else None
    if isinstance(condition, Comparison) and not isinstance(condition.values, SemiJoin):
        return _candidates(condition, scope)
    return None


def _candidates(condition: Comparison, scope: Scope) -> Collection[str] | None:
    resolved = resolve_operand(condition, scope)
    field, table = resolved.field, scope.store.tables[scope.kind.name]
    if not resolved.is_own or not isinstance(condition.values, Sequence):
        return None
    if field.name == "SystemModstamp" and condition.operator in {"=", ">", ">="}:
        return _changed(condition.values[0], field, scope)
    if condition.operator not in {"=", "in"}:
        return None
    known = [constant(field, each) for each in condition.values]
    if None in known:
        return None
    if field.type == "id":
        return {row_id for row_id in known if row_id in table.rows}
    index = table.indexes.get(field.name)
    return None if index is None else {row_id for each in known for row_id in index.ids(each)}


def _changed(literal: Literal, field: Field, scope: Scope) -> Collection[str] | None:
    since = constant(field, literal)
    if since is None:
        return None
    ids = scope.store.tables[scope.kind.name].changed_since(since)
    if scope.store.current is not None:
        # Rows written earlier in this very transaction are seen by it and not yet in the log.
        ids |= scope.store.current.touched().get(scope.kind.name, {}).keys()
    return ids


def _scalar(field: Field, literal: Literal) -> Any:
    if field.type == "datetime" and literal.kind == "datetime":
        return parse_datetime(literal.value)
    if field.type == "date" and literal.kind == "date":
        return parse_date(literal.value)
    if field.type == "boolean" and literal.kind == "boolean":
        return literal.value
    if field.type in NUMBERS and literal.kind == "number":
        return literal.value
    return None


def _compare(field: Field, sign: str, wanted: Any) -> Test:
    is_text = field.type in TEXTS
    if sign in {"=", "!="}:
        equal = sign == "="
        if is_text and wanted is not None:
            return lambda value: (value is not None and value.lower() == wanted) == equal
        return lambda value: (value == wanted) == equal
    compare = ORDERED[sign]
    if wanted is None:
        return lambda _: False
    if is_text:
        return lambda value: value is not None and compare(value.lower(), wanted)
    return lambda value: value is not None and compare(value, wanted)


def _in(field: Field, known: Sequence[Any], *, wanted: bool) -> Test:
    values = frozenset(known)
    if field.type in TEXTS:
        return lambda value: ((value if value is None else value.lower()) in values) == wanted
    return _membership(values, wanted=wanted)


def _membership(values: frozenset[Any], *, wanted: bool) -> Test:
    return lambda value: (value in values) == wanted


def _like(literal: Literal) -> Test:
    pieces = {"%": ".*", "_": "."}
    pattern = "".join(pieces.get(letter, re.escape(letter)) for letter in str(literal.value))
    matches = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch
    return lambda value: value is not None and matches(value) is not None


def _includes(literals: Sequence[Literal], *, wanted: bool) -> Test:
    groups = [frozenset(str(each.value).split(";")) for each in literals]
    return lambda value: any(group <= set((value or "").split(";")) for group in groups) == wanted


def _in_range(field: Field, literal: Literal, sign: str) -> Test:
    days = date_range(literal.value, today())
    if days is None or field.type not in {"date", "datetime"}:
        raise Refusal("MALFORMED_QUERY", f"unexpected token: '{literal.value}'")
    if field.type == "datetime":
        first, end = midnight(days[0]), midnight(days[1])
    else:
        first, end = days[0].isoformat(), days[1].isoformat()
    tests: Mapping[str, Callable[[str], bool]] = {
        "=": lambda value: first <= value < end,
        "!=": lambda value: not first <= value < end,
        "<": lambda value: value < first,
        "<=": lambda value: value < end,
        ">": lambda value: value >= end,
        ">=": lambda value: value >= first,
    }
    test = tests[sign]
    return lambda value: value is not None and test(value)
