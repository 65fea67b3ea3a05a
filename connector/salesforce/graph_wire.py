"""Graphs as the body of one call, and its answer read back.

Source: REST API Developer Guide, "Composite Graph".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from connector.mapping.canonical import long_id
from connector.salesforce.composite import REFERENCE
from connector.salesforce.faults import fault_of, faults_of, unknown_outcome
from connector.salesforce.steps import Graphs, Node, RowFailed, RowOk, Step

MOST_GRAPHS, MOST_NODES = 75, 500


def alone(steps: Sequence[Step]) -> Graphs | None:
    """The graphs of a call; None where it has none. Raises `ValueError` for what the API refuses."""
    graphs = [step for step in steps if isinstance(step, Graphs)]
    if not graphs:
        return None
    step = graphs[0]
    if len(steps) > 1:
        raise ValueError("graphs go in a call of their own")
    if not 0 < len(step.graphs) <= MOST_GRAPHS or len(step.nodes) > MOST_NODES:
        raise ValueError(f"a call takes 1 to {MOST_GRAPHS} graphs of {MOST_NODES} rows in all")
    if any(REFERENCE in orjson.dumps(node.row) for node in step.nodes):
        raise ValueError("a value of a graph holds @{, a reference to it")
    return step


def body(step: Graphs, version: str) -> bytes:
    """The call's body."""
    graphs = [
        {"graphId": f"g{at}", "compositeRequest": _graph(graph, version)}
        for at, graph in enumerate(step.graphs)
    ]
    return orjson.dumps({"graphs": graphs})


def results(step: Graphs, answered: Mapping[str, Any]) -> list[RowOk | RowFailed]:
    """What became of each row, in order; one that the answer lacks is of unknown outcome."""
    graphs = {graph["graphId"]: graph for graph in answered.get("graphs", ())}
    told: list[RowOk | RowFailed] = []
    for at, graph in enumerate(step.graphs):
        response = graphs.get(f"g{at}", {}).get("graphResponse") or {}
        parts = {part["referenceId"]: part for part in response.get("compositeResponse", ())}
        told += [_row(node, parts.get(f"n{number}")) for number, node in enumerate(graph)]
    return told


def _graph(graph: Sequence[Node], version: str) -> list[dict[str, Any]]:
    return [
        {
            "method": "PATCH",
            "url": (
                f"/services/data/v{version}/sobjects/{node.object}/{node.key_field}/"
                f"{quote(node.key, safe='')}"
            ),
            "referenceId": f"n{at}",
            "body": {**node.row, **{name: f"@{{n{to}.id}}" for name, to in node.links.items()}},
            "httpHeaders": {"Sforce-Auto-Assign": "TRUE" if node.assign else "FALSE"},
        }
        for at, node in enumerate(graph)
    ]


def _row(node: Node, part: Mapping[str, Any] | None) -> RowOk | RowFailed:
    if part is None:
        fault = fault_of("HTTP_500", f"the answer lacks this {node.object}")
        return RowFailed((unknown_outcome(fault),))
    status, told = part["httpStatusCode"], part["body"]
    if status < 300:
        return RowOk(long_id(str(told["id"])), told.get("created"))
    faults = faults_of(told, status, object_name=node.object)
    return RowFailed(tuple(map(unknown_outcome, faults)) if status >= 500 else faults)
