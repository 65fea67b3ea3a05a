"""The shape of one row of the fault table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connector.domain.faults import FaultKind


class Way(StrEnum):
    """What is done about a fault; `policy` turns it into a decision with a moment."""

    RETRY = "retry"
    COLLATERAL = "collateral"  # again, without spending an attempt
    REFRESH = "refresh"  # once; parks if it comes again
    LOOK_UP = "look_up"
    FOLLOW = "follow"
    PARK = "park"
    PAUSE = "pause"


@dataclass(frozen=True)
class Backoff:
    """Seconds before the next try: `first`, doubled up to `longest`; `attempts` 0 never ends."""

    first: float
    longest: float
    attempts: int = 0
    then_park: bool = False


@dataclass(frozen=True)
class Rule:
    """One row of the table; `text` is a pattern (ignoring case) that the message must hold."""

    code: str
    kind: FaultKind
    way: Way
    next_step: str
    text: str = ""
    backoff: Backoff = Backoff(5, 300, 8)
    org_wide: bool = False
