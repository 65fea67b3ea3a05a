"""A stack started with `connector up`, seen from outside: its processes, its files, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import requests

from connector.ground import ports
from connector.ground.stack import Stack, read_stack
from tests.acceptance.waiting import until

ROOT = Path(__file__).parents[2]
CONNECTOR = Path(sys.executable).with_name("connector")
OFFSETS = range(6)
QUICK = {
    # what a crash costs is one lease and one sweep
    "CONNECTOR_LEASE_SECONDS": "10",
    "CONNECTOR_SWEEP_SECONDS": "1",
}
MARK = "ACCEPTANCE_RUN"
START_SECONDS = 60


def plain_environment() -> dict[str, str]:
    """The environment without any setting of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}


def free_base() -> int:
    """A port base of which every port is free."""
    while True:
        base = ports.choose()
        if all(ports.is_free(base + offset) for offset in OFFSETS):
            return base


class Up:
    """One `connector up` in a session of its own."""

    command: Sequence[str] = (str(CONNECTOR), "up")

    def __init__(
        self, data: Path, base: int, settings: Mapping[str, str] | None = None, *flags: str
    ) -> None:
        self.data = data
        self.base = base
        self.mark = uuid4().hex
        self._said = data.with_name(f"{data.name}-{self.mark[:6]}.out")
        self.began = time.monotonic()
        with self._said.open("wb") as out:
            self.process = subprocess.Popen(
                [*self.command, "--data", str(data), "--port-base", str(base), *flags],
                cwd=ROOT,
                env={**plain_environment(), **QUICK, **(settings or {}), MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.cold_seconds: float | None = None

    @property
    def url(self) -> str:
        """The connector's own address."""
        return f"http://127.0.0.1:{self.base}"

    @property
    def line_url(self) -> str:
        """The LINE simulator."""
        return f"http://127.0.0.1:{self.base + 2}"

    @property
    def org_url(self) -> str:
        """The Salesforce simulator."""
        return f"http://127.0.0.1:{self.base + 3}"

    @property
    def said(self) -> str:
        """What it printed so far."""
        return self._said.read_text("utf-8", errors="replace")

    @property
    def stack(self) -> Stack:
        """What it tells other commands."""
        return read_stack(self.data)

    def ready(self) -> Up:
        """Wait for `/readyz` and note the seconds from the start."""
        until(self._ready_or_ended, "/readyz answers 200", START_SECONDS)
        if self.process.poll() is not None:
            raise AssertionError(f"connector up ended with {self.process.returncode}\n{self.said}")
        self.cold_seconds = time.monotonic() - self.began
        until(lambda: self.stack.state == "up", "the stack file says up", 10)
        return self

    def pid(self, part: str) -> int:
        """The process id of a part that runs now."""
        found = next(one for one in self.stack.parts if one.name == part)
        assert found.pid is not None, found
        return found.pid

    def kill(self, *parts: str) -> int:
        """SIGKILL those of these parts that run now; how many."""
        running = [part.pid for part in self.stack.parts if part.name in parts and part.pid]
        for pid in running:
            os.kill(pid, signal.SIGKILL)
        return len(running)

    def workers(self) -> list[str]:
        """The names of the parts that do the work."""
        return [part.name for part in self.stack.parts if part.name.startswith("worker")]

    def processes(self) -> list[psutil.Process]:
        """All that this start has started and that still runs."""
        return [process for process in psutil.process_iter() if self._ours(process)]

    def end(self, kind: signal.Signals = signal.SIGTERM, seconds: float = 40) -> int:
        """Send a signal and give the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(kind)
        return self.process.wait(seconds)

    def sweep(self) -> list[str]:
        """Kill what is left and name it."""
        left = self.processes()
        names = [_named(process) for process in left]
        for process in left:
            process.kill()
        return names

    def logs(self, lines: int = 15) -> str:
        """The last lines of every log."""
        folder = self.data / "logs"
        texts = [f"== connector up\n{_tail(self.said, lines)}"]
        for place in sorted(folder.glob("*.log")) if folder.is_dir() else []:
            text = place.read_text("utf-8", errors="replace")
            texts.append(f"== {place.name}\n{_tail(text, lines)}")
        return "\n".join(texts)

    def _ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            by_word = any(str(self.data) in word for word in process.cmdline())
            return by_word or process.environ().get(MARK) == self.mark
        except psutil.Error:
            return False

    def _ready_or_ended(self) -> bool:
        if self.process.poll() is not None:
            return True
        try:
            return requests.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False


def _named(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:200]
    except psutil.Error:
        return str(process.pid)


def _tail(text: str, lines: int) -> str:
    return "\n".join(text.splitlines()[-lines:])


def said_json(text: str) -> Any:
    """The JSON object a command printed on its last line."""
    return json.loads(text.strip().splitlines()[-1])
