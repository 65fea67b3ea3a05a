"""One process of the stack: what it is, and one run of it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector.errors import ConnectorError
from connector.ground import child
from connector.ground.readiness import READY_FILE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

TAIL_LINES = 12


class PartFailed(ConnectorError):
    """A part of the stack ended, or did not become ready in time."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        last = tail(log)
        shown = f", its last lines:\n{last}" if last else ""
        super().__init__("part_failed", f"{name} {what}", f"see {log}{shown}")


@dataclass(frozen=True)
class Part:
    """What to run, how to tell that it is ready and how to stop it; seconds where numbers.

    `argv` and `env` may be functions, called at every start.  Without `ready` the part tells by
    `readiness.tell_ready`; with `once` it is ready when it has ended with exit code 0.
    """

    name: str
    argv: Sequence[str] | Callable[[], Sequence[str]]
    env: Mapping[str, str] | Callable[[], Mapping[str, str]] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    once: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace: float = 10.0
    deadline: float = 60.0


class Run:
    """One run of a part, from its start to its end."""

    def __init__(self, part: Part, log: Path) -> None:
        argv = part.argv() if callable(part.argv) else part.argv
        env = part.env() if callable(part.env) else part.env
        self.part = part
        self.log = log
        self._told = log.with_suffix(".ready")
        self._told.unlink(missing_ok=True)
        self._over = False
        self.started = time.monotonic()
        env = {**env, READY_FILE: str(self._told)}
        self.process: subprocess.Popen[bytes] = child.spawn(argv, env, log, part.death_signal)
        self.birth = child.birth(self.process.pid) or ""

    @property
    def pid(self) -> int:
        """The process id, also after its end."""
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self.process.poll()

    @property
    def late(self) -> bool:
        """Whether its deadline to become ready has passed."""
        return time.monotonic() - self.started > self.part.deadline

    def ready(self) -> bool:
        """Whether it does its work now (or has done it)."""
        if self.part.once:
            return self.exit_code == 0
        return self.part.ready() if self.part.ready else self._told.exists()

    def failure(self) -> PartFailed | None:
        """Why it will not become ready any more, None while it may."""
        code = self.exit_code
        if code is not None and not (self.part.once and code == 0):
            return PartFailed(self.part.name, f"ended while starting ({ending(code)})", self.log)
        if self.late:
            waited = f"was not ready after {self.part.deadline:.0f} seconds"
            return PartFailed(self.part.name, waited, self.log)
        return None

    def end(self, grace: float | None = None) -> None:
        """Stop it as the part wants to be stopped, with all it started; once is enough."""
        if self._over:
            return  # by now its id may be another's
        self._over = True
        child.end(self.process, self.part.stop_signal, self.part.grace if grace is None else grace)
        self._told.unlink(missing_ok=True)


@contextmanager
def running(part: Part, log: Path) -> Iterator[Run]:
    """Run one part alone: ready inside the block, ended after it."""
    run = Run(part, log)
    try:
        while not run.ready():
            if problem := run.failure():
                raise problem
            time.sleep(child.TICK)
        yield run
    finally:
        run.end()


def ending(code: int) -> str:
    """How a process ended, in words: its exit code or the signal's name."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log file, each indented."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
