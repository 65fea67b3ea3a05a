"""What an error means for us, and what is done about it. Errors become values at the edges; only sync acts on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

# The next step of whatever mends itself.
BY_ITSELF = "Nothing to do: it is tried again by itself."


class FaultKind(StrEnum):
    """The eight things an error can mean."""

    RETRY = "retry"  # the same call may succeed soon
    WAIT = "wait"  # nothing goes through until something outside changes; queues keep filling
    CONFIG = "config"  # an admin has to change a permission, a field or a mapping
    DATA = "data"  # this value will never be accepted as it is
    IDENTITY = "identity"  # the row is deleted, merged or converted
    CONFLICT = "conflict"  # the other side holds something that contradicts ours
    COLLATERAL = "collateral"  # refused only because another row of the call was
    UNKNOWN = "unknown_outcome"  # the call may or may not have been carried out


@dataclass(frozen=True)
class Fault:
    """One error, translated once. `message` is the remote text; `org_wide` stops the whole org, not one row."""

    kind: FaultKind
    code: str
    message: str
    fields: tuple[str, ...] = ()
    retry_after: float | None = None
    org_wide: bool = False
    next_step: str = ""


@dataclass(frozen=True)
class RetryAt:
    """Try again at this moment."""

    at: datetime


@dataclass(frozen=True)
class GiveUp:
    """Dead: tried often enough; an operator's redrive brings it back."""

    reason: str


@dataclass(frozen=True)
class Park:
    """Waits for a person, who is told why and what to do."""

    reason: str
    next_step: str


@dataclass(frozen=True)
class Pause:
    """The whole org (or official account) rests until this moment."""

    reason: str
    until: datetime


@dataclass(frozen=True)
class Refresh:
    """What we knew of the org is stale (session, describe): fetch it anew, then go on."""


@dataclass(frozen=True)
class LookUp:
    """Read the row by its key before anything else is written to it."""

    at: datetime


@dataclass(frozen=True)
class Follow:
    """The row lives on elsewhere (merged, converted) or not at all: find out before writing."""


Decision: TypeAlias = RetryAt | GiveUp | Park | Pause | Refresh | LookUp | Follow
