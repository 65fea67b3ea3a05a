"""Other people's clients, installed once into this folder from the lock files beside it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES, PACKAGES = HERE / "node_modules", HERE / ".venv"
OLDEST_NODE = (20, 18)
INSTALLED_WITHIN = 220


def require_node() -> Path:
    """The folder of the installed Node.js clients."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _lacking("Node.js and npm are not on PATH (Debian: apt-get install nodejs npm)")
    version = subprocess.run([str(node), "--version"], capture_output=True, text=True, check=True)
    numbers = tuple(int(number) for number in re.findall(r"\d+", version.stdout)[:2])
    if numbers < OLDEST_NODE:
        _lacking(f"Node.js {version.stdout.strip()} is older than the clients ask for (v20.18)")
    lock = HERE / "package-lock.json"
    _once(MODULES, lock, [[str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]])
    return MODULES


def require_python() -> Path:
    """The interpreter of an environment with the Python clients, apart from our own."""
    lock, python = HERE / "requirements.lock", PACKAGES / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _once(
        PACKAGES,
        lock,
        [
            [sys.executable, "-m", "venv", "--clear", str(PACKAGES)],
            [*install, "--require-hashes", "--no-deps", "-r", str(lock)],
        ],
    )
    return python


def _once(place: Path, lock: Path, commands: Sequence[Sequence[str]]) -> None:
    """Install what a lock file names, unless that has been done."""
    wanted, mark = hashlib.sha256(lock.read_bytes()).hexdigest(), place / ".installed-lock"
    with _alone():
        if mark.is_file() and mark.read_text() == wanted:
            return
        for command in commands:
            try:
                done = subprocess.run(
                    command, cwd=HERE, capture_output=True, text=True, timeout=INSTALLED_WITHIN
                )
            except subprocess.TimeoutExpired:
                _lacking(f"{Path(command[0]).name} did not end within {INSTALLED_WITHIN} s")
            if done.returncode:
                _lacking(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-300:]}")
        mark.write_text(wanted)


@contextmanager
def _alone() -> Iterator[None]:
    """One installation at a time, whichever process of the test run does it."""
    with (HERE / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lacking(reason: str) -> None:
    """Skip with the reason; where continuous integration can install it, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"required with CI=true: {reason}")
    pytest.skip(reason)
