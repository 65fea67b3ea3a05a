"""Runs before a part's program and becomes it, so that the part cannot outlive its supervisor.

A file of its own that is executed, not imported: between fork and exec in a process with threads
nothing may run safely, and this way nothing has to.  `python -I -S leash.py SIGNAL PARENT argv...`
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def become(death_signal: int, parent: int, argv: list[str]) -> None:
    """Turn into `argv`, with `death_signal` sent by the kernel when `parent` ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit(1)  # the supervisor ended before the leash was on
    # a shell starts background jobs with SIGINT ignored, and exec hands that on
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except OSError as problem:
        sys.exit(f"cannot run {argv[0]}: {problem.strerror}")


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
