"""What a plan is made of: intents, the limits of one call, and the calls it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from connector.domain.values import Fields
from connector.errors import ConnectorError
from connector.salesforce.steps import Step

KEY_FIELD = "LINE_Key__c"
ASSIGNED_OBJECTS = frozenset(
    {"Account", "Case", "Lead"}
)  # those the Sforce-Auto-Assign header speaks of


@dataclass(frozen=True)
class Limits:
    """What one call may hold; `object_rows` narrows the steps of an object that is slow."""

    steps: int = 5
    rows: int = 200
    read_rows: int = 2000
    graphs: int = 75
    nodes: int = 500
    object_rows: Mapping[str, int] = field(default_factory=dict)

    def step_rows(self, object_name: str) -> int:
        """The most rows of one step on this object, at least one."""
        return max(1, min(self.rows, self.object_rows.get(object_name, self.rows)))


STANDARD = Limits()


@dataclass(frozen=True)
class ParentRef:
    """A reference field, by the parent's Salesforce id when known, else by the parent's key."""

    field: str
    relationship: str
    object: str
    id: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class WriteIntent:
    """One row to be made true.

    `group` keeps rows of one parent Account together; `level` is a floor for the order. New rows of
    one `bond` are made together or not at all.
    """

    ref: str
    object: str
    key: str
    salesforce_id: str | None
    fields: Fields
    parents: tuple[ParentRef, ...] = ()
    read_back: tuple[str, ...] = ()
    group: str | None = None
    level: int = 0
    assign: bool = False
    bond: str | None = None

    @property
    def atomic(self) -> bool:
        """Whether it is made together with others, which only a graph does."""
        return self.bond is not None

    @property
    def assigns(self) -> bool:
        """Whether an assignment rule is to run for it."""
        return self.assign and self.salesforce_id is None and self.object in ASSIGNED_OBJECTS


@dataclass(frozen=True)
class Call:
    """One composite call, or one of graphs.

    `rows`: intent refs by step ref, in row order; `read_backs`: intent refs by query ref.

    `parents` names each intent's parents among the same plan's intents; `bonds` the bonds of those
    that go in graphs.
    """

    steps: tuple[Step, ...]
    rows: Mapping[str, tuple[str, ...]]
    read_backs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assign: bool = False
    bonds: Mapping[str, str] = field(default_factory=dict)

    @property
    def written(self) -> int:
        """How many rows the call writes."""
        return sum(len(refs) for refs in self.rows.values())


class ParentCycle(ConnectorError):
    """Rows that name each other as parents can never be created."""

    def __init__(self, refs: Iterable[str]) -> None:
        super().__init__(
            "parent_cycle",
            f"these rows are each other's parents: {', '.join(sorted(refs))}",
            "Take one of the parents out of the mapping.",
        )


Ancestry: TypeAlias = Mapping[str, tuple[str, ...]]


def row_of(intent: WriteIntent) -> dict[str, object]:
    """An intent's fields and parents as they are sent."""
    row: dict[str, object] = dict(intent.fields)
    for parent in intent.parents:
        if parent.id is not None:
            row[parent.field] = parent.id
        elif parent.key is not None:
            row[parent.relationship] = {KEY_FIELD: parent.key}
    return row
