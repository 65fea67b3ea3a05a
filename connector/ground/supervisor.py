"""Starts the parts of the stack in order, restarts what dies, stops all in reverse order.

One thread, no locks: everything happens in `start`, `watch` and `stop`, a tenth of a second apart.
"""

from __future__ import annotations

import enum
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.errors import ConnectorError
from connector.ground import child
from connector.ground.part import Part, Run, ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

PAUSE = 0.1
BACKOFF_FIRST = 0.5
BACKOFF_LONGEST = 30.0
# a part that ran this long has recovered, and its next end is a first one
HEALTHY_AFTER = 60.0
KEPT_LOGS = 3


class State(enum.StrEnum):
    """Where a part is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    DONE = "done"  # a part that runs once, and has
    WAITING = "waiting"  # it ended by itself and is started again after a pause
    STOPPED = "stopped"


class StopAsked(Exception):
    """Somebody wants the stack to end while it is still starting."""


class Stop:
    """How often the stack was asked to end: once is politely, twice is now."""

    def __init__(self) -> None:
        self.asked = 0

    @contextmanager
    def on_signals(self) -> Iterator[Stop]:
        """Take SIGINT, SIGTERM and SIGHUP as the wish to end, for the length of a block."""
        kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {kind: signal.signal(kind, self._ask) for kind in kinds}
        try:
            yield self
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked += 1


@dataclass(frozen=True)
class Standing:
    """How a part stands, for those outside."""

    name: str
    state: State
    pid: int | None
    birth: str
    restarts: int
    exit: str | None
    log: Path
    stop_signal: int


class Member:
    """A part under supervision: its present run, and what happened to the earlier ones."""

    def __init__(self, part: Part, log: Path) -> None:
        self.part = part
        self.log = log
        self.state = State.STARTING
        self.restarts = 0
        self.last_exit: str | None = None
        self._failures = 0
        self._next = 0.0
        self.run = Run(part, log)

    def standing(self) -> Standing:
        """How it stands now."""
        alive = self.state in {State.STARTING, State.RUNNING}
        return Standing(
            name=self.part.name,
            state=self.state,
            pid=self.run.pid if alive else None,
            birth=self.run.birth,
            restarts=self.restarts,
            exit=self.last_exit,
            log=self.log,
            stop_signal=int(self.part.stop_signal),
        )

    def begin(self) -> bool:
        """Whether the first start is over; raises `PartFailed` when it never will be."""
        if self.state is State.STARTING and self.run.ready():
            self.state = State.RUNNING
            if self.part.once:
                self.state = State.DONE
                self.run.end()
        elif self.state is State.STARTING and (problem := self.run.failure()):
            self.last_exit = problem.message
            raise problem
        return self.state is not State.STARTING

    def tend(self) -> str | None:
        """Do what is due after the start; give a sentence when something happened."""
        match self.state:
            case State.WAITING if time.monotonic() >= self._next:
                return self._again()
            case State.STARTING | State.RUNNING if self.run.exit_code is not None:
                return self._fell()
            case State.STARTING if self.run.ready():
                self.state = State.RUNNING
                return f"{self.part.name} is back"
            case State.STARTING if self.run.late:
                return self._fell()
            case State.RUNNING if self._failures and self._old():
                self._failures = 0
        return None

    def _old(self) -> bool:
        return time.monotonic() - self.run.started > HEALTHY_AFTER

    def _again(self) -> str:
        try:
            self.run = Run(self.part, self.log)
        except (OSError, ConnectorError) as problem:  # a full disk, say: it may be mended meanwhile
            return self._wait(f"could not start: {problem}")
        self.state = State.STARTING
        return f"{self.part.name} starts again"

    def _fell(self) -> str:
        code = self.run.exit_code
        self.run.end(grace=0)
        return self._wait("was not ready in time" if code is None else ending(code))

    def _wait(self, why: str) -> str:
        self.last_exit = why
        delay = min(BACKOFF_LONGEST, BACKOFF_FIRST * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        self.restarts += 1
        self.state, self._next = State.WAITING, time.monotonic() + delay
        return f"{self.part.name} ended ({self.last_exit}), next start in {delay:g} s"


class Supervisor:
    """Keeps the parts running until it is asked to stop."""

    def __init__(
        self,
        logs: Path,
        stop: Stop,
        changed: Callable[[Sequence[Standing]], None],
        say: Callable[[str], None],
    ) -> None:
        self._logs = logs
        self._stop = stop
        self._changed = changed
        self._say = say
        self._stages: list[list[Member]] = []

    @property
    def members(self) -> list[Member]:
        """Every part started so far, in order."""
        return [member for stage in self._stages for member in stage]

    def start(self, parts: Sequence[Part]) -> None:
        """Start parts side by side and return when all are ready."""
        self._say(f"starting {', '.join(part.name for part in parts)}")
        stage: list[Member] = []
        earlier = self.members
        self._stages.append(stage)
        for part in parts:
            if self._stop.asked:
                raise StopAsked
            log = self._logs / f"{part.name}.log"
            rotate(log)
            stage.append(Member(part, log))
            self._tell()
        waiting = stage
        while waiting:
            waiting = self._still_starting(waiting)
            self._tend(earlier)
            if waiting:
                self._pause()
        self._tell()

    def _still_starting(self, members: Sequence[Member]) -> list[Member]:
        return [member for member in members if not member.begin()]

    def wait_for(self, done: Callable[[], bool], seconds: float) -> bool:
        """Keep the parts running until `done`; say whether that came in time."""
        until = time.monotonic() + seconds
        while not done():
            if time.monotonic() > until:
                return False
            self._tend(self.members)
            self._pause()
        return True

    def watch(self) -> None:
        """Keep the parts running until somebody asks to stop."""
        while not self._stop.asked:
            self._tend(self.members)
            time.sleep(PAUSE)

    def stop(self) -> None:
        """End every part, the last started first; a second request ends them at once."""
        for stage in reversed(self._stages):
            self._end(stage)
            self._tell()

    def _end(self, stage: Sequence[Member]) -> None:
        began = time.monotonic()
        alive = [member for member in stage if member.run.exit_code is None]
        for member in alive:
            member.run.process.send_signal(member.part.stop_signal)
        while alive:
            waited = time.monotonic() - began
            alive = [m for m in alive if m.run.exit_code is None]
            if self._stop.asked > 1 or all(waited > m.part.grace for m in alive):
                break
            time.sleep(child.TICK)
        for member in stage:
            member.run.end(grace=0)
            if member.state is not State.DONE:
                member.state = State.STOPPED

    def _pause(self) -> None:
        if self._stop.asked:
            raise StopAsked
        time.sleep(child.TICK)

    def _tend(self, members: Sequence[Member]) -> None:
        for member in members:
            if said := member.tend():
                self._say(said)
                self._tell()

    def _tell(self) -> None:
        self._changed([member.standing() for member in self.members])


def rotate(log: Path) -> None:
    """Set the log of the last start aside, keeping a few."""
    for number in range(KEPT_LOGS - 1, 0, -1):
        older = log.with_suffix(f".{number}.log")
        if older.exists():
            older.replace(log.with_suffix(f".{number + 1}.log"))
    if log.exists():
        log.replace(log.with_suffix(".1.log"))
