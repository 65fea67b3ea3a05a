"""Aggregates and GROUP BY."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from simulator.salesforce.errors import Refusal
from simulator.salesforce.soql.filters import test_of
from simulator.salesforce.soql.parse import placed
from simulator.salesforce.soql.query import (
    Aggregate,
    Both,
    Condition,
    Either,
    Not,
    Operand,
    Path,
    Query,
    Selected,
)
from simulator.salesforce.soql.scope import Scope
from simulator.salesforce.store import Row

Values = list[Any]
OfGroup = Callable[[Sequence[Row]], Any]
FUNCTIONS: Mapping[str, Callable[[Values], Any]] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda values: len(set(values)),
    "MIN": lambda values: min(values, default=None),
    "MAX": lambda values: max(values, default=None),
    "SUM": lambda values: sum(values) if values else None,
    "AVG": lambda values: sum(values) / len(values) if values else None,
}
# Date functions speak of UTC, as the API's spelling of a datetime does.
DATE_PARTS: Mapping[str, Callable[[str], Any]] = {
    "DAY_ONLY": lambda value: value[:10],
    "CALENDAR_YEAR": lambda value: int(value[:4]),
    "CALENDAR_MONTH": lambda value: int(value[5:7]),
    "DAY_IN_MONTH": lambda value: int(value[8:10]),
    "HOUR_IN_DAY": lambda value: int(value[11:13]),
}


def is_grouped(query: Query) -> bool:
    """Whether a query answers with groups instead of rows."""
    return bool(query.group) or any(isinstance(each, Aggregate) for each in query.selected)


def groups(query: Query, scope: Scope, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The groups of a query over rows, in order, as the API shows them."""
    keys = [_of_row(operand, scope) for operand in query.group]
    members: dict[tuple[Any, ...], list[Row]] = {} if query.group else {(): []}
    for row in rows:
        members.setdefault(tuple(key(row) for key in keys), []).append(row)
    found = [each for each in members.values() if _is_kept(query.having, scope, each)]
    for item in reversed(query.order):
        value = _of_group(item.operand, scope)
        filled = [each for each in found if value(each) is not None]
        empty = [each for each in found if value(each) is None]
        filled.sort(key=value, reverse=item.descending)
        found = filled + empty if item.nulls_last else empty + filled
    columns = list(_columns(query, scope))
    return [
        {"attributes": {"type": "AggregateResult"}, **{name: of(each) for name, of in columns}}
        for each in found
    ]


def _columns(query: Query, scope: Scope) -> Iterable[tuple[str, OfGroup]]:
    unnamed = 0
    for item in query.selected:
        if isinstance(item, Aggregate):
            name = item.alias or f"expr{unnamed}"
            unnamed += item.alias is None
            yield name, _of_group(item, scope)
        elif isinstance(item, Selected):
            field = scope.resolve(item.path).field
            if not any(str(item.path).lower() == str(each).lower() for each in query.group):
                message = f"Field must be grouped or aggregated: {item.path}"
                raise Refusal("MALFORMED_QUERY", placed(scope.text, item.path.at, message))
            yield item.alias or field.name, _of_group(item.path, scope)


def _of_group(operand: Operand, scope: Scope) -> OfGroup:
    if isinstance(operand, Aggregate) and operand.function in FUNCTIONS:
        function = FUNCTIONS[operand.function]
        if operand.path is None:
            return len
        read = scope.resolve(operand.path).read
        return lambda rows: function([each for each in map(read, rows) if each is not None])
    value = _of_row(operand, scope)
    return lambda rows: value(rows[0])


def _of_row(operand: Operand, scope: Scope) -> Callable[[Row], Any]:
    if isinstance(operand, Path):
        return scope.resolve(operand).read
    part = DATE_PARTS.get(operand.function)
    if part is None or operand.path is None:
        message = f"Invalid Aggregate function: {operand.function}"
        raise Refusal("MALFORMED_QUERY", placed(scope.text, operand.at, message))
    read = scope.resolve(operand.path).read

    def of_row(row: Row) -> Any:
        value = read(row)
        return None if value is None else part(value)

    return of_row


def _is_kept(having: Condition | None, scope: Scope, rows: Sequence[Row]) -> bool:
    if having is None:
        return True
    if isinstance(having, Both):
        return all(_is_kept(part, scope, rows) for part in having.parts)
    if isinstance(having, Either):
        return any(_is_kept(part, scope, rows) for part in having.parts)
    if isinstance(having, Not):
        return not _is_kept(having.part, scope, rows)
    operand = having.operand
    path = operand if isinstance(operand, Path) else operand.path
    if isinstance(operand, Aggregate) and operand.function.startswith("COUNT"):
        # A count is a number, whatever it counts.
        literals = having.values if isinstance(having.values, Sequence) else ()
        return _count_test(having.operator, literals)(_of_group(operand, scope)(rows))
    field = scope.resolve(path or Path(("Id",), 0)).field
    return test_of(having, field, lambda _: ())(_of_group(operand, scope)(rows))


def _count_test(sign: str, literals: Sequence[Any]) -> Callable[[Any], bool]:
    numbers = [each.value for each in literals]
    tests: Mapping[str, Callable[[Any], bool]] = {
        "=": lambda count: count == numbers[0],
        "!=": lambda count: count != numbers[0],
        "<": lambda count: count < numbers[0],
        "<=": lambda count: count <= numbers[0],
        ">": lambda count: count > numbers[0],
        ">=": lambda count: count >= numbers[0],
        "in": lambda count: count in numbers,
        "not in": lambda count: count not in numbers,
    }
    return tests[sign]
