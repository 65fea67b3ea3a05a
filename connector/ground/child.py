"""Processes as the operating system sees them: started on a leash, known again, ended for sure."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEASH = Path(__file__).with_name("leash.py")
TICK = 0.02


def spawn(
    argv: Sequence[str],
    env: Mapping[str, str],
    log: Path,
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `argv` in a session of its own, from the main thread: the leash follows the thread."""
    with log.open("ab") as out:
        return subprocess.Popen(
            leashed(argv, death_signal),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def leashed(argv: Sequence[str], death_signal: signal.Signals) -> list[str]:
    """The command that runs `argv` and sends it `death_signal` when this process ends."""
    leash = [sys.executable, "-I", "-S", str(LEASH), str(int(death_signal)), str(os.getpid())]
    return [*leash, *argv]


def end(process: subprocess.Popen[bytes], stop_signal: signal.Signals, grace: float) -> None:
    """Ask a process to stop, wait `grace` seconds, then kill it with all it started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    sweep(process)


def sweep(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of a process's session and collect it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def birth(pid: int) -> str | None:
    """A mark that tells this process from a later one with the same id, None when it is gone."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks
        return None if fields[0] in "ZX" else fields[19]
    return _ps(pid, "lstart=") or None


def command(pid: int) -> str:
    """The command line of a process, empty when it is gone."""
    if sys.platform == "linux":
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return raw.replace(b"\0", b" ").decode(errors="replace").strip()
    return _ps(pid, "command=")


def _ps(pid: int, column: str) -> str:
    argv = ["/bin/ps", "-ww", "-p", str(pid), "-o", column]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def end_stray(pid: int, mark: str, stop_signal: signal.Signals, grace: float) -> None:
    """End a process left by an earlier run, if `pid` still is that process."""
    for attempt in (stop_signal, signal.SIGKILL):
        if birth(pid) != mark:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, attempt)
        wait_gone(pid, mark, grace)


def wait_gone(pid: int, mark: str, seconds: float) -> bool:
    """Wait until a process that need not be our child has ended."""
    until = time.monotonic() + seconds
    while birth(pid) == mark:
        if time.monotonic() > until:
            return False
        time.sleep(TICK)
    return True
