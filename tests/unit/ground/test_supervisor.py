"""The supervisor with processes that do nothing: order, pauses between starts, ends, logs."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from connector.ground import supervisor as under_test
from connector.ground.part import Part, PartFailed
from connector.ground.supervisor import Member, State, Stop, StopAsked, Supervisor, rotate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from connector.ground.supervisor import Standing

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]


def always() -> bool:
    return True


def sleeper(name: str, ready: Callable[[], bool] = always) -> Part:
    return Part(name, SLEEP, env=os.environ, ready=ready, grace=2)


def step(name: str, code: int) -> Part:
    return Part(name, [sys.executable, "-S", "-c", f"raise SystemExit({code})"], once=True)


class Watched:
    """A supervisor and what it told."""

    def __init__(self, logs: Path) -> None:
        self.stop = Stop()
        self.said: list[str] = []
        self.standings: Sequence[Standing] = ()
        self.supervisor = Supervisor(logs, self.stop, self._changed, self.said.append)

    def _changed(self, standings: Sequence[Standing]) -> None:
        self.standings = standings

    def states(self) -> dict[str, str]:
        """Name and state of every part."""
        return {standing.name: standing.state.value for standing in self.standings}


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    yield watched
    watched.supervisor.stop()


def test_a_step_is_done_before_the_next_stage_starts(watched: Watched) -> None:
    watched.supervisor.start([step("prepare", 0)])
    watched.supervisor.start([sleeper("web"), sleeper("worker")])
    assert watched.states() == {"prepare": "done", "web": "running", "worker": "running"}
    assert watched.said == ["starting prepare", "starting web, worker"]


def test_a_failed_step_stops_the_start(watched: Watched) -> None:
    with pytest.raises(PartFailed, match=r"prepare ended while starting \(exit code 3\)"):
        watched.supervisor.start([step("prepare", 3)])


def test_a_wish_to_end_interrupts_the_start(watched: Watched) -> None:
    def never() -> bool:
        watched.stop.asked = 1
        return False

    with pytest.raises(StopAsked):
        watched.supervisor.start([sleeper("web", never)])


def test_the_last_started_ends_first(watched: Watched) -> None:
    seen: list[dict[str, str]] = []
    watched.supervisor.start([sleeper("postgres")])
    watched.supervisor.start([sleeper("web")])
    watched.supervisor._changed = lambda s: seen.append({x.name: x.state.value for x in s})  # noqa: SLF001
    watched.supervisor.stop()
    assert seen == [
        {"postgres": "running", "web": "stopped"},
        {"postgres": "stopped", "web": "stopped"},
    ]


def test_each_further_fall_waits_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "BACKOFF_FIRST", 0.01)
    member = Member(sleeper("worker"), tmp_path / "worker.log")
    said = []
    for _ in range(3):
        while member.begin() is False or member.state is not State.RUNNING:
            said.append(member.tend())
            time.sleep(0.01)
        member.run.process.kill()
        member.run.process.wait()
        said.append(member.tend())
    falls = [words for words in said if words and "ended" in words]
    assert [words.rpartition("next start in ")[2] for words in falls] == [
        "0.01 s",
        "0.02 s",
        "0.04 s",
    ]
    assert member.restarts == 3


def test_a_start_that_the_machine_refuses_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "BACKOFF_FIRST", 0.0)
    (tmp_path / "logs.d").mkdir()
    member = Member(sleeper("worker"), tmp_path / "logs.d" / "worker.log")
    member.begin()
    member.run.end(grace=0)
    member.tend()
    (tmp_path / "logs.d").rename(tmp_path / "away")
    assert "could not start" in str(member.tend())
    (tmp_path / "away").rename(tmp_path / "logs.d")
    assert member.tend() == "worker starts again"
    member.run.end(grace=0)


def test_a_part_that_stayed_up_begins_its_count_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "HEALTHY_AFTER", 0.0)
    member = Member(sleeper("worker"), tmp_path / "worker.log")
    member.begin()
    member._failures = 5  # noqa: SLF001
    member.tend()
    member.run.end(grace=0)
    assert str(member.tend()).endswith("next start in 0.5 s")


def test_signals_are_counted_and_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Stop().on_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.asked == 2
    assert signal.getsignal(signal.SIGTERM) is before


def test_logs_of_earlier_starts_are_kept_for_a_while(tmp_path: Path) -> None:
    log = tmp_path / "worker-urgent.log"
    for number in range(6):
        rotate(log)
        log.write_text(str(number))
    kept = {place.name: place.read_text() for place in tmp_path.iterdir()}
    assert kept == {
        "worker-urgent.log": "5",
        "worker-urgent.1.log": "4",
        "worker-urgent.2.log": "3",
        "worker-urgent.3.log": "2",
    }
