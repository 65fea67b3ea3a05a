"""SOQL text to `Query`."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path as File
from typing import Any

from lark import Lark, Token, Transformer, Tree, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from simulator.salesforce.errors import Refusal
from simulator.salesforce.soql.query import (
    Aggregate,
    Both,
    Comparison,
    Condition,
    Either,
    FieldSet,
    Literal,
    Not,
    Order,
    Path,
    Query,
    Selected,
    SemiJoin,
    Source,
)

LONGEST = 100_000
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
COMPARISONS = {"<>": "!="}


def parse(text: str) -> Query:
    """The query of a text, or the MALFORMED_QUERY that it deserves."""
    if len(text) > LONGEST:
        raise Refusal(
            "MALFORMED_QUERY", f"SOQL statements can not be longer than {LONGEST} characters"
        )
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as problem:
        raise _malformed(text, problem) from None
    query: Query = _Builder(text).transform(tree)
    return query


def placed(text: str, at: int, message: str) -> str:
    """A message with the place it speaks of, as SOQL errors show it."""
    line_start = text.rfind("\n", 0, at) + 1
    line_end = text.find("\n", at)
    line = text[line_start : len(text) if line_end < 0 else line_end]
    column = at - line_start
    row = text.count("\n", 0, at) + 1
    return f"\n{line}\n{' ' * column}^\nERROR at Row:{row}:Column:{column + 1}\n{message}"


@cache
def _parser() -> Lark:
    grammar = File(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


def _malformed(text: str, problem: UnexpectedInput) -> Refusal:
    at = problem.pos_in_stream or 0
    word = "<EOF>"
    if isinstance(problem, UnexpectedToken) and problem.token.type != "$END":
        word = str(problem.token)
    elif isinstance(problem, UnexpectedCharacters):
        found = re.compile(r"\w+|\S").match(text, at)
        word = found.group() if found else text[at : at + 1]
    if word == "<EOF>" or isinstance(problem, UnexpectedEOF):
        at, word = len(text), "<EOF>"
    return Refusal("MALFORMED_QUERY", placed(text, at, f"unexpected token: '{word}'"))


def _one(parts: Sequence[Any], kind: type[Any]) -> Any:
    return next((part for part in parts if isinstance(part, kind)), None)


class _Clause:
    """A clause on its way into a query."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    """Turns the parse tree into `Query`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def start(self, selected: Any, source: Source, *clauses: _Clause) -> Query:
        known = {clause.name: clause.value for clause in clauses if clause.name != "for"}
        return Query(self._text, selected, source, **known)

    subquery = start
    children = staticmethod(lambda query: query)

    def select_list(self, *items: Any) -> tuple[Any, ...]:
        return items

    def field(self, path: Path, alias: str | None = None) -> Selected:
        return Selected(path, alias)

    def field_set(self, name: Token) -> FieldSet:
        return FieldSet(str(name).upper(), name.start_pos or 0)

    def alias(self, name: Token) -> str:
        return str(name)

    def aggregate(self, function: Token, *rest: Any) -> Aggregate:
        return Aggregate(
            str(function).upper(), _one(rest, Path), _one(rest, str), function.start_pos or 0
        )

    aggregate_operand = aggregate

    def path(self, *names: Token) -> Path:
        return Path(tuple(str(name) for name in names), names[0].start_pos or 0)

    def source(self, name: Token, alias: Token | None = None) -> Source:
        return Source(str(name), name.start_pos or 0, None if alias is None else str(alias))

    def where(self, condition: Condition) -> _Clause:
        return _Clause("where", condition)

    def having(self, condition: Condition) -> _Clause:
        return _Clause("having", condition)

    def or_condition(self, *parts: Condition) -> Condition:
        return Either(parts)

    def and_condition(self, *parts: Condition) -> Condition:
        return Both(parts)

    def not_condition(self, part: Condition) -> Condition:
        return Not(part)

    def comparison(self, operand: Any, operator: Token, literal: Literal) -> Comparison:
        return Comparison(operand, COMPARISONS.get(operator, str(operator)), (literal,))

    def like(self, operand: Any, literal: Literal) -> Comparison:
        return Comparison(operand, "like", (literal,))

    def is_in(self, operand: Any, *values: Any) -> Comparison:
        return Comparison(operand, "in", _one(values, SemiJoin) or values)

    def not_in(self, operand: Any, *values: Any) -> Comparison:
        return Comparison(operand, "not in", _one(values, SemiJoin) or values)

    def includes(self, operand: Any, *values: Literal) -> Comparison:
        return Comparison(operand, "includes", values)

    def excludes(self, operand: Any, *values: Literal) -> Comparison:
        return Comparison(operand, "excludes", values)

    def semi_join(self, path: Path, source: Source, where: _Clause | None = None) -> SemiJoin:
        return SemiJoin(path, source, None if where is None else where.value)

    def group(self, *operands: Any) -> _Clause:
        return _Clause("group", operands)

    def order(self, *items: Order) -> _Clause:
        return _Clause("order", items)

    def order_item(self, operand: Any, *words: Token) -> Order:
        said = {word.type: str(word).lower() for word in words}
        descending = said.get("DIRECTION") == "desc"
        nulls_last = said["NULLS"].endswith("last") if "NULLS" in said else descending
        return Order(operand, descending, nulls_last)

    def limit(self, count: Token) -> _Clause:
        return _Clause("limit", int(count))

    def offset(self, count: Token) -> _Clause:
        return _Clause("offset", int(count))

    def for_clause(self, *_: Token) -> _Clause:
        return _Clause("for", None)

    def string(self, token: Token) -> Literal:
        text = re.sub(r"\\(.)", lambda at: ESCAPES.get(at[1], at[1]), token[1:-1], flags=re.DOTALL)
        return Literal("string", text)

    def datetime(self, token: Token) -> Literal:
        return Literal("datetime", str(token))

    def date(self, token: Token) -> Literal:
        return Literal("date", str(token))

    def number(self, token: Token) -> Literal:
        return Literal("number", float(token))

    def true(self, _: Token) -> Literal:
        return Literal("boolean", value=True)

    def false(self, _: Token) -> Literal:
        return Literal("boolean", value=False)

    def null(self, _: Token) -> Literal:
        return Literal("null", None)

    def date_range(self, token: Token) -> Literal:
        return Literal("range", str(token).upper())

    def date_range_n(self, token: Token) -> Literal:
        return Literal("range", str(token).upper())

    def __default__(self, data: Any, children: Any, meta: Any) -> Any:
        return Tree(data, children, meta)
