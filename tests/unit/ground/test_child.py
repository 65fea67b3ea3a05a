"""Processes: known again, ended with what they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from connector.ground import child
from connector.ground.part import Part, PartFailed, ending, running, tail

if TYPE_CHECKING:
    from pathlib import Path

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
IN_SHELL = ["/bin/sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait"]


def test_a_process_is_known_by_its_birth() -> None:
    mark = child.birth(os.getpid())
    assert mark
    assert child.birth(os.getpid()) == mark
    assert "python" in child.command(os.getpid())


def test_a_process_that_ended_has_no_birth(tmp_path: Path) -> None:
    process = child.spawn(SLEEP, os.environ, tmp_path / "log")
    child.end(process, signal.SIGTERM, grace=5)
    assert child.birth(process.pid) is None
    assert child.command(process.pid) == ""


def test_ending_takes_the_whole_session(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = child.spawn(IN_SHELL, os.environ, log)
    while not log.read_text().endswith("\n"):
        time.sleep(0.01)
    grandchild = int(log.read_text())
    mark = child.birth(grandchild) or ""
    child.end(process, signal.SIGTERM, grace=0.1)
    assert child.wait_gone(grandchild, mark, 5)


def test_a_stray_is_ended_only_while_it_is_that_process(tmp_path: Path) -> None:
    process = child.spawn(SLEEP, os.environ, tmp_path / "log")
    mark = child.birth(process.pid) or ""
    child.end_stray(process.pid, "another", signal.SIGTERM, grace=0)
    assert process.poll() is None
    child.end_stray(process.pid, mark, signal.SIGTERM, grace=5)
    assert process.wait() == -signal.SIGTERM


def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys, time; from connector.ground import child;"
        f"p = child.spawn({SLEEP!r}, os.environ, pathlib.Path({str(tmp_path / 'log')!r}));"
        "print(p.pid, flush=True); time.sleep(600)"
    )
    argv = [sys.executable, "-c", code]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        mark = child.birth(pid) or ""
        parent.kill()
    assert child.wait_gone(pid, mark, 5)


def test_a_program_that_is_not_there_is_said_in_the_log(tmp_path: Path) -> None:
    part = Part("lost", ["/nowhere/program"], env=os.environ, ready=lambda: False)
    with (
        pytest.raises(PartFailed, match="lost ended while starting") as caught,
        running(part, tmp_path / "log"),
    ):
        pass
    assert "cannot run /nowhere/program: No such file" in caught.value.fix


def test_a_part_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    part = Part("slow", SLEEP, env=os.environ, ready=lambda: False, deadline=0.1)
    with (
        pytest.raises(PartFailed, match="slow was not ready after 0 seconds"),
        running(part, tmp_path / "log"),
    ):
        pass


def test_endings_in_words() -> None:
    assert ending(3) == "exit code 3"
    assert ending(-9) == "SIGKILL"
    assert ending(-200) == "signal 200"


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(str(number) for number in range(5000)))
    assert tail(log, lines=2) == "  4998\n  4999"
    assert tail(tmp_path / "none") == ""
