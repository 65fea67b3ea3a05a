"""The stack file: what runs on a data folder, where, and with which settings."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from connector.errors import EnvironmentProblem
from connector.ground import child
from connector.ground.secret import write_private

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from connector.ground.supervisor import Standing


@dataclass(frozen=True)
class StackPart:
    """A part of the stack; `state` is a `supervisor.State`."""

    name: str
    state: str
    pid: int | None
    birth: str
    restarts: int
    exit: str | None
    log: str
    stop_signal: int


@dataclass(frozen=True)
class Stack:
    """What `connector up` started; `state` is starting, up, stopping or stopped.

    `environment` holds the settings that `connector up` chose, without those the user gave.
    A simulator's address is None where the real platform is used.
    """

    state: str
    pid: int
    birth: str
    data: str
    connector_url: str
    line_simulator_url: str | None
    salesforce_simulator_url: str | None
    line_credentials_url: str | None
    salesforce_credentials_url: str | None
    database_url: str
    redis_url: str
    environment: dict[str, str] = field(default_factory=dict)
    parts: tuple[StackPart, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether the supervisor that wrote this still runs."""
        return child.birth(self.pid) == self.birth

    def with_parts(self, standings: Sequence[Standing]) -> Stack:
        """The same stack with its parts as they stand now."""
        parts = tuple(StackPart(**{**asdict(s), "log": str(s.log)}) for s in standings)
        return replace(self, parts=parts)

    def ended(self) -> Stack:
        """What is worth keeping of a stack that has stopped: nothing secret."""
        parts = tuple(replace(part, pid=None) for part in self.parts)
        return replace(
            self, state="stopped", environment={}, database_url="", redis_url="", parts=parts
        )


def stack_file(data: Path) -> Path:
    """Where the stack file of a data folder is."""
    return data.expanduser().absolute() / "run" / "stack.json"


def write_stack(stack: Stack, path: Path) -> None:
    """Replace the stack file in one step; only its owner can read it."""
    write_private(path, json.dumps(asdict(stack), indent=1) + "\n")


def load_stack(path: Path) -> Stack | None:
    """The stack file's content, running or not; None where there is none to be read."""
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        parts = tuple(StackPart(**part) for part in content.pop("parts"))
        return Stack(**content, parts=parts)
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def read_stack(data: Path) -> Stack:
    """The stack that runs on this data folder; refuses when none does."""
    try:
        stack = load_stack(stack_file(data))
    except PermissionError:
        raise EnvironmentProblem(
            "data_refused", f"the data folder {data} cannot be read", "use the account that made it"
        ) from None
    if stack is None or stack.state == "stopped" or not stack.alive:
        raise EnvironmentProblem(
            "not_running",
            f"no connector runs on {data}",
            f"start it with: connector up --data {data}",
        )
    return stack


def end_leftovers(stack: Stack | None) -> None:
    """End what an earlier run left behind, where the system did not (the supervisor was killed)."""
    for part in reversed(stack.parts if stack else ()):
        if part.pid is not None and part.pid != os.getpid():
            child.end_stray(part.pid, part.birth, signal.Signals(part.stop_signal), grace=5)
