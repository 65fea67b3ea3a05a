"""What can be asked of an org in one call, and what comes back.

A step is one subrequest of a composite call (REST API, "Composite"); its `ref` is the
caller's own name for it. Written rows answer one by one and in order, because Salesforce
says 200 even where rows failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from connector.domain.faults import Fault

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """A SOQL query; its further pages are followed."""

    ref: str
    soql: str
    deleted: bool = False  # queryAll: rows of the recycle bin and archive too


@dataclass(frozen=True)
class Read:
    """Up to 2,000 rows of one object by Id (collections read, POST form)."""

    ref: str
    object: str
    ids: Sequence[str]
    fields: Sequence[str]


@dataclass(frozen=True)
class Upsert:
    """Up to 200 rows of one object, created or updated by an external id that each row holds."""

    ref: str
    object: str
    key_field: str
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Update:
    """Up to 200 rows of one object, each with its `Id`."""

    ref: str
    object: str
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Insert:
    """Up to 200 new rows of one object that has no key of ours: told twice, they are made twice."""

    ref: str
    object: str
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Delete:
    """Up to 200 rows to be deleted."""

    ref: str
    object: str
    ids: Sequence[str]


@dataclass(frozen=True)
class Node:
    """One new row of a graph; `links` are fields that name an earlier row of it, by its place."""

    object: str
    key_field: str
    key: str
    row: Mapping[str, Any]
    links: Mapping[str, int]
    assign: bool = False


@dataclass(frozen=True)
class Graphs:
    """A call of its own: up to 75 graphs of 500 rows in all. Of each, all rows are made or none.

    Its rows are told one by one, graph after graph.
    """

    ref: str
    graphs: Sequence[Sequence[Node]]

    @property
    def nodes(self) -> list[Node]:
        """The rows of all graphs, in order."""
        return [node for graph in self.graphs for node in graph]


Part: TypeAlias = Query | Read | Upsert | Update
Lone: TypeAlias = Insert | Delete  # always a call of their own
Step: TypeAlias = Part | Graphs
Write: TypeAlias = Upsert | Update | Graphs


@dataclass(frozen=True)
class RowOk:
    """A row was written; `created` is None where Salesforce does not say."""

    id: str
    created: bool | None = None


@dataclass(frozen=True)
class RowFailed:
    """A row was refused, for one reason or several."""

    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Rows:
    """What was found; a read has None for a missing row, `total` is the count of a `COUNT()`."""

    rows: list[Row | None]
    total: int

    @property
    def found(self) -> list[Row]:
        """The rows that exist."""
        return [row for row in self.rows if row is not None]


@dataclass(frozen=True)
class StepFailed:
    """A whole step was refused."""

    fault: Fault


Result: TypeAlias = list[RowOk | RowFailed] | Rows | StepFailed


@dataclass(frozen=True)
class Answer:
    """The results of one call by step ref; `date` is the org's own clock (header `Date`)."""

    date: datetime
    results: Mapping[str, Result]
    calls: int = 1
    elapsed: float = field(default=0.0, compare=False)

    @property
    def asked_at(self) -> datetime:
        """Org time not later than the moment the call was carried out."""
        return self.date - timedelta(seconds=self.elapsed)


@dataclass(frozen=True)
class Rehearsal:
    """What an org said to writes that were undone: faults by step ref.

    A refused write halts the rest, so one call names one culprit. `undone` is False where nothing
    stopped the call, so that its rows are there.
    """

    refused: Mapping[str, tuple[Fault, ...]]
    undone: bool


def objects_of(step: Step) -> list[str]:
    """The object of each row that a step writes, in order."""
    if isinstance(step, Graphs):
        return [node.object for node in step.nodes]
    return [step.object] * len(step.rows) if isinstance(step, Upsert | Update) else []
