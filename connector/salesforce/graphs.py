"""New rows that stand or fall together, as graphs: one for each bond, many in one call; pure.

Source: REST API Developer Guide, "Composite Graph". A graph takes no queries, so what is to be read
back is read by a later call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import groupby

from connector.salesforce.order import ancestry_of, levels_of
from connector.salesforce.plans import (
    KEY_FIELD,
    Ancestry,
    Call,
    Limits,
    WriteIntent,
    row_of,
)
from connector.salesforce.steps import Graphs, Node

_Bond = list[WriteIntent]


def bonded(intents: Sequence[WriteIntent]) -> dict[str, str]:
    """Bonds by ref, of the new rows that are not alone in theirs."""
    tied = {intent.ref: intent.bond for intent in intents if intent.salesforce_id is None}
    several = Counter(tied.values())
    return {ref: bond for ref, bond in tied.items() if bond is not None and several[bond] > 1}


def graph_calls(
    intents: Sequence[WriteIntent], levels: Mapping[str, int], limits: Limits, ancestry: Ancestry
) -> Iterator[tuple[int, Call]]:
    """The calls that make these rows, each with the level that it stands at."""
    bonds: dict[str, _Bond] = {}
    for intent in intents:
        bonds.setdefault(intent.bond or "", []).append(intent)

    def kind(bond: _Bond) -> tuple[int, bool]:
        return levels[bond[0].ref], _assigns(bond)

    number = 0
    for (level, assign), group in groupby(sorted(bonds.values(), key=kind), key=kind):
        for several in _portions(list(group), limits):
            yield level, _call(several, ancestry, f"g{number}", assign=assign)
            number += 1


def graphs_without(
    step: Graphs, refs: Sequence[str], held: AbstractSet[str]
) -> tuple[Graphs | None, tuple[str, ...]]:
    """The step less the graphs that hold any of these intents, and the intents that are left."""
    graphs: list[Sequence[Node]] = []
    kept: list[str] = []
    at = 0
    for graph in step.graphs:
        own = refs[at : at + len(graph)]
        at += len(graph)
        if held.isdisjoint(own):
            graphs.append(graph)
            kept += own
    return (replace(step, graphs=tuple(graphs)) if graphs else None), tuple(kept)


def _assigns(bond: _Bond) -> bool:
    return any(intent.assigns for intent in bond)


def _portions(bonds: Sequence[_Bond], limits: Limits) -> Iterator[list[_Bond]]:
    held: list[_Bond] = []
    for bond in bonds:
        names = {intent.object for each in (*held, bond) for intent in each}
        most = min(limits.graphs, *(limits.step_rows(name) for name in names))
        nodes = sum(len(each) for each in (*held, bond))
        if held and (len(held) >= most or nodes > limits.nodes):
            yield held
            held = []
        held.append(bond)
    if held:
        yield held


def _call(bonds: Sequence[_Bond], ancestry: Ancestry, ref: str, *, assign: bool) -> Call:
    ordered = [_parents_first(bond) for bond in bonds]
    intents = [intent for bond in ordered for intent in bond]
    return Call(
        steps=(Graphs(ref, tuple(_graph(bond) for bond in ordered)),),
        rows={ref: tuple(intent.ref for intent in intents)},
        parents={intent.ref: ancestry[intent.ref] for intent in intents if ancestry[intent.ref]},
        assign=assign,
        bonds={intent.ref: intent.bond or "" for intent in intents},
    )


def _parents_first(bond: _Bond) -> _Bond:
    levels = levels_of(bond, ancestry_of(bond), {})
    return sorted(bond, key=lambda intent: levels[intent.ref])


def _graph(bond: _Bond) -> tuple[Node, ...]:
    places = {(intent.object, intent.key): at for at, intent in enumerate(bond)}
    return tuple(_node(intent, places) for intent in bond)


def _node(intent: WriteIntent, places: Mapping[tuple[str, str], int]) -> Node:
    links = {
        parent.field: places[parent.object, parent.key]
        for parent in intent.parents
        if parent.id is None and parent.key and (parent.object, parent.key) in places
    }
    outside = tuple(parent for parent in intent.parents if parent.field not in links)
    row = row_of(replace(intent, parents=outside))
    return Node(intent.object, KEY_FIELD, intent.key, row, links, intent.assigns)
