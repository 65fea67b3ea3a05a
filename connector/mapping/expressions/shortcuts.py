"""Expressions made of names, constants, lists, comparisons, logic and our own functions, as plain Python.

Most expressions in mappings and notices are: working them out here costs a fraction of the way through
the runtime. Whatever goes wrong, and whatever Python would see differently (`true == 1`), is left to the
runtime, so that its words are the ones people see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.domain.values import Value, Values
from connector.mapping.expressions.checkedtree import Call, Constant, Listed, Name, Node

Shortcut = Callable[[Values], Value]
_ALIKE = (str, int, bool)  # two of one of these are equal in CEL when they are in Python


class _LeftToTheRuntime(Exception):
    """What this comes to, only the runtime can say."""


def shortcut(node: Node, functions: Mapping[str, Callable[..., Value]]) -> Shortcut | None:
    """The expression over its bound names; None where only the runtime can work it out."""
    match node:
        case Name(name):
            return lambda bound: bound[name]
        case Constant(value):
            return lambda _: value
        case Listed(elements):
            made = _all(elements, functions)
            return None if made is None else (lambda bound: [each(bound) for each in made])
        case Call(function, arguments) if function in functions:
            run, given = functions[function], _all(arguments, functions)
            return None if given is None else (lambda bound: run(*[each(bound) for each in given]))
        case Call(operator, arguments) if operator in _OPERATORS:
            operands = _all(arguments, functions)
            return None if operands is None else _OPERATORS[operator](*operands)
    return None


def _all(
    nodes: tuple[Node, ...], functions: Mapping[str, Callable[..., Value]]
) -> tuple[Shortcut, ...] | None:
    made = tuple(shortcut(node, functions) for node in nodes)
    known = tuple(each for each in made if each is not None)
    return known if len(known) == len(made) else None


def _equal(left: Shortcut, right: Shortcut) -> Shortcut:
    return lambda bound: _same(left(bound), right(bound))


def _unequal(left: Shortcut, right: Shortcut) -> Shortcut:
    return lambda bound: not _same(left(bound), right(bound))


def _both(left: Shortcut, right: Shortcut) -> Shortcut:
    return lambda bound: _flag(left(bound)) and _flag(right(bound))


def _either(left: Shortcut, right: Shortcut) -> Shortcut:
    return lambda bound: _flag(left(bound)) or _flag(right(bound))


def _not(of: Shortcut) -> Shortcut:
    return lambda bound: not _flag(of(bound))


def _choice(condition: Shortcut, then: Shortcut, otherwise: Shortcut) -> Shortcut:
    return lambda bound: then(bound) if _flag(condition(bound)) else otherwise(bound)


_OPERATORS: Mapping[str, Callable[..., Shortcut]] = {
    "_==_": _equal,
    "_!=_": _unequal,
    "_&&_": _both,
    "_||_": _either,
    "!_": _not,
    "_?_:_": _choice,
}


def _same(left: Value, right: Value) -> bool:
    if left is None or right is None:
        return left is right
    if type(left) is type(right) and isinstance(left, _ALIKE):
        return left == right
    raise _LeftToTheRuntime


def _flag(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    raise _LeftToTheRuntime
