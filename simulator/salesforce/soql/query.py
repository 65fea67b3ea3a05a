"""A SOQL query as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Path:
    """`Account.Name`, with the place of its last name in the text."""

    names: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`COUNT(Id) total`; without a path it is `COUNT()`."""

    function: str
    path: Path | None
    alias: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Selected:
    """A selected field, with the alias that grouped queries allow."""

    path: Path
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class FieldSet:
    """`FIELDS(ALL)`."""

    name: str
    at: int


Operand = Path | Aggregate


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: string, number, boolean, null, date, datetime, or a date range such as TODAY."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """`(SELECT AccountId FROM Contact …)` after IN."""

    path: Path
    source: "Source"
    where: "Condition | None"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test; `operator` is a sign, or one of like, in, not in, includes, excludes."""

    operand: Operand
    operator: str
    values: Sequence[Literal] | SemiJoin


@dataclass(frozen=True, slots=True)
class Both:
    """All of the parts hold."""

    parts: Sequence["Condition"]


@dataclass(frozen=True, slots=True)
class Either:
    """One of the parts holds."""

    parts: Sequence["Condition"]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition = Comparison | Both | Either | Not


@dataclass(frozen=True, slots=True)
class Source:
    """What stands after FROM."""

    name: str
    at: int
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One ORDER BY item."""

    operand: Operand
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query, or the query of a child relationship."""

    text: str
    selected: Sequence["Selected | Aggregate | FieldSet | Query"]
    source: Source
    where: Condition | None = None
    group: Sequence[Operand] = ()
    having: Condition | None = None
    order: Sequence[Order] = ()
    limit: int | None = None
    offset: int = 0
