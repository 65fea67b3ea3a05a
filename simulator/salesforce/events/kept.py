"""Events as they are kept: facts about a commit and the values that changed, not yet encoded."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from simulator.salesforce.schema import ObjectType

Values = dict[str, Any]
CREATE, UPDATE, DELETE, UNDELETE = "CREATE", "UPDATE", "DELETE", "UNDELETE"
GAP_PREFIX, OVERFLOW = "GAP_", "GAP_OVERFLOW"
NO_ROW = "000000000000000AAA"
NOWHERE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Commit:
    """What the events of one transaction share; `kept_at` is milliseconds of the bus's clock."""

    first: int
    count: int
    kept_at: int
    at: int = 0
    number: int = 0
    key: str = ""
    user_id: str = ""
    origin: str = ""

    @property
    def last(self) -> int:
        """The number of its last event."""
        return self.first + self.count - 1


class ChangeEvent(NamedTuple):
    """One change event: of one row, or of several that changed alike.

    `values` holds what the event tells (the whole row where it is new, the changed values of an
    update), None where it has nothing but a header. `shape` is None after a restart: the object
    as it is now.
    """

    commit: Commit
    sequence: int
    entity: str
    shape: ObjectType | None
    type: str
    ids: tuple[str, ...]
    values: Values | None
    diffs: tuple[str, ...] = ()
    # Channels whose filter the rows did not pass.
    hidden: frozenset[str] = NOWHERE

    @property
    def number(self) -> int:
        """Its place among all events."""
        return self.commit.first + self.sequence - 1


class PlatformEvent(NamedTuple):
    """One published platform event."""

    commit: Commit
    sequence: int
    id: str
    schema_id: str
    payload: bytes

    @property
    def number(self) -> int:
        """Its place among all events."""
        return self.commit.first + self.sequence - 1


Kept = ChangeEvent | PlatformEvent
