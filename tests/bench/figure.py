"""What a figure of the benchmark is: a name, what it must reach, and a way to measure it at some size."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Trial:
    """One measurement as it is asked for: how much work, and how often each way takes its turn."""

    size: int
    rounds: int = 1
    small: bool = False


@dataclass(frozen=True)
class Measured:
    """One line of the table; `reached` is None where a line only explains another."""

    what: str
    unit: str
    ours: float
    alternative: float | None = None
    against: str = ""  # what the alternative is
    ratio: float | None = None
    reached: bool | None = None
    conditions: Mapping[str, Any] = field(default_factory=dict)


Run: TypeAlias = Callable[[Trial], Sequence[Measured]]


@dataclass(frozen=True)
class Figure:
    """A figure of the design; `small` are the sizes for trying the benchmark itself out."""

    name: str
    reach: str
    sizes: Sequence[int]
    small: Sequence[int]
    of: str  # what the size counts
    run: Run
    rounds: int = 3

    def trials(self, *, small: bool, sizes: Sequence[int] = ()) -> list[Trial]:
        """The measurements that make up this figure, small ones first."""
        wanted = sizes or (self.small if small else self.sizes)
        return [Trial(size, 1 if small else self.rounds, small) for size in wanted]


def load() -> float:
    """How busy the machine is: its average number of running processes in the last minute."""
    return round(os.getloadavg()[0], 1)


def cores() -> int:
    """The processors of this machine."""
    return os.cpu_count() or 1


def percentile(found: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all do not exceed."""
    ordered = sorted(found)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
