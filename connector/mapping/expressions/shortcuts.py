"""Expressions made only of names, constants, lists and our own functions, as plain Python.

Most expressions in mappings are: calling the functions where they are costs a fraction of the way through
the runtime. Whatever goes wrong is left to the runtime, so that its words are the ones people see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.domain.values import Value, Values
from connector.mapping.expressions.checkedtree import Call, Constant, Listed, Name, Node

Shortcut = Callable[[Values], Value]


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
    return None


def _all(
    nodes: tuple[Node, ...], functions: Mapping[str, Callable[..., Value]]
) -> tuple[Shortcut, ...] | None:
    made = tuple(shortcut(node, functions) for node in nodes)
    known = tuple(each for each in made if each is not None)
    return known if len(known) == len(made) else None
