"""A started small stack, ended whatever the test did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connector.ground import child, ports
from connector.ground.stack import Stack, StackPart, read_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCRIPT = Path(__file__).with_name("small_stack.py")
ROOT = Path(__file__).parents[3]


class SmallStack:
    """One `run_up` in a process of its own, and what it printed."""

    def __init__(self, data: Path, base: int, *flags: str) -> None:
        self.data = data
        self.base = base
        argv = [sys.executable, str(SCRIPT), "--data", str(data), "--port-base", str(base), *flags]
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "CONNECTOR_LINE_API_URL": "http://127.0.0.1:1",
            "CONNECTOR_SALESFORCE_LOGIN_URL": "http://127.0.0.1:1",
        }
        self.process = subprocess.Popen(
            argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        assert self.process.stderr
        self.line = self.process.stdout.readline()

    @property
    def said(self) -> dict[str, Any]:
        """The line of JSON it printed: the addresses, or the error."""
        said: dict[str, Any] = json.loads(self.line)
        return said

    @property
    def stack(self) -> Stack:
        """What other commands find."""
        return read_stack(self.data)

    def part(self, name: str) -> StackPart:
        """How one part stands now."""
        return next(part for part in self.stack.parts if part.name == name)

    def marks(self) -> list[tuple[int, str]]:
        """Ids and marks of the processes that run now."""
        return [(part.pid, part.birth) for part in self.stack.parts if part.pid]

    def end(self, kind: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit code."""
        self.process.send_signal(kind)
        self.process.communicate(timeout=30)
        return self.process.returncode


@pytest.fixture
def base() -> int:
    """A port base whose ports are free."""
    while True:
        first = ports.choose()
        if all(ports.is_free(first + offset) for offset in range(1, 6)):
            return first


@pytest.fixture
def up(tmp_path: Path, base: int) -> Iterator[Callable[..., SmallStack]]:
    """Start a small stack on this test's folder; a second call starts it again."""
    started: list[SmallStack] = []

    def start(*flags: str) -> SmallStack:
        stack = SmallStack(tmp_path / "data", base, *flags)
        started.append(stack)
        return stack

    yield start
    for stack in started:
        if stack.process.poll() is None:
            stack.end()
        assert stack.process.stdout
        assert stack.process.stderr
        stack.process.stdout.close()
        stack.process.stderr.close()


def gone(marks: list[tuple[int, str]], seconds: float = 10) -> bool:
    """Whether all these processes end in time."""
    until = time.monotonic() + seconds
    return all(child.wait_gone(pid, mark, until - time.monotonic()) for pid, mark in marks)


def eventually(true: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something becomes true in time."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
