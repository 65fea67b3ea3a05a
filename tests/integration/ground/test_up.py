"""`connector up` from its start to each of its ends, with real servers and small processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from connector.errors import EnvironmentProblem
from connector.ground import probe
from connector.ground.stack import load_stack, read_stack, stack_file
from tests.integration.ground.conftest import SmallStack, eventually, gone

Up = Callable[..., SmallStack]


def sql(stack: SmallStack, statement: str) -> list[tuple[object, ...]]:
    url = stack.stack.database_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_started_stack_says_where_it_is(up: Up, base: int) -> None:
    stack = up()
    assert stack.said["connector"] == f"http://127.0.0.1:{base}"
    assert probe.answers(f"{stack.stack.connector_url}/readyz")
    assert stack.stack.state == "up"
    states = {part.name: part.state for part in stack.stack.parts}
    running = dict.fromkeys(["redis", "postgres", "web", "ticker"], "running")
    assert states == {**running, "prepare": "done"}


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_cleanly(up: Up, kind: signal.Signals) -> None:
    stack = up()
    marks = stack.marks()
    assert len(marks) == 4
    assert stack.end(kind) == 0
    assert gone(marks, seconds=0)
    with pytest.raises(EnvironmentProblem, match="no connector runs"):
        read_stack(stack.data)


def test_a_killed_supervisor_leaves_nothing_behind(up: Up) -> None:
    stack = up()
    marks = stack.marks()
    stack.end(signal.SIGKILL)
    assert gone(marks, seconds=10)
    with pytest.raises(EnvironmentProblem, match="no connector runs"):
        read_stack(stack.data)


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGKILL])
def test_a_second_start_finds_its_data(up: Up, kind: signal.Signals) -> None:
    first = up()
    sql(first, "CREATE TABLE kept AS SELECT 7 AS number")
    first.end(kind)
    second = up()
    assert sql(second, "SELECT number FROM kept") == [(7,)]
    assert second.stack.environment["CONNECTOR_SECRET_KEY"]


def test_a_fresh_start_has_forgotten(up: Up) -> None:
    first = up()
    sql(first, "CREATE TABLE kept AS SELECT 7 AS number")
    first.end()
    assert sql(up("--fresh"), "SELECT to_regclass('kept')") == [(None,)]


def test_what_dies_is_started_again(up: Up) -> None:
    stack = up()
    before = stack.part("ticker")
    assert before.pid
    os.kill(before.pid, signal.SIGKILL)
    assert eventually(lambda: stack.part("ticker").restarts == 1)
    assert eventually(lambda: stack.part("ticker").state == "running")
    assert stack.part("ticker").pid != before.pid
    assert stack.part("ticker").exit == "SIGKILL"
    assert stack.part("web").restarts == 0


def test_a_killed_database_comes_back_with_its_rows(up: Up) -> None:
    stack = up()
    sql(stack, "CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(stack.part("postgres").pid or 0, signal.SIGKILL)
    assert eventually(lambda: stack.part("postgres").restarts == 1)
    assert eventually(lambda: stack.part("postgres").state == "running")
    assert sql(stack, "SELECT number FROM kept") == [(7,)]


def test_a_part_that_will_not_end_is_killed_with_its_children(up: Up) -> None:
    stack = up("--stubborn")
    marks = stack.marks()
    assert stack.end() == 0
    assert gone(marks, seconds=0)
    assert not sessions_of([pid for pid, _ in marks])


def read_or_empty(place: Path) -> str:
    """A status file of /proc, or that of nothing when its process has just gone."""
    try:
        return place.read_text()
    except OSError:
        return ") Z 0 0 0"


def sessions_of(leaders: list[int]) -> list[str]:
    """Processes that still belong to one of these sessions."""
    stats = [read_or_empty(place) for place in Path("/proc").glob("[0-9]*/stat")]
    fields = [text.rpartition(")")[2].split() for text in stats]
    return [" ".join(field) for field in fields if int(field[3]) in leaders and field[0] != "Z"]


def test_a_second_start_on_the_same_folder_is_refused(up: Up) -> None:
    first, second = up(), up()
    assert second.process.wait(10) == 2
    assert second.said["error"]["code"] == "already_running"
    assert str(first.process.pid) in second.said["error"]["message"]
    assert first.stack.state == "up"


def test_a_port_in_use_is_one_sentence(up: Up, base: int) -> None:
    with socket.create_server(("127.0.0.1", base)):
        stack = up()
        assert stack.process.wait(10) == 2
    error = stack.said["error"]
    assert error["message"] == f"port {base} is in use by another program"
    assert error["fix"] == f"stop it or use --port-base {base + 100}"


def test_a_failed_step_shows_its_last_words_and_stops_the_rest(up: Up) -> None:
    stack = up("--broken")
    assert stack.process.wait(20) == 1
    error = stack.said["error"]
    assert error["message"] == "prepare ended while starting (exit code 1)"
    assert "the word on the broken step" in error["fix"]
    ended = load_stack(stack_file(stack.data))
    assert ended
    assert ended.state == "stopped"


def test_the_stack_file_is_private_and_keeps_no_secret(up: Up) -> None:
    stack = up()
    path = stack_file(stack.data)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = stack.stack.environment["CONNECTOR_SECRET_KEY"]
    password = stack.stack.database_url.split(":")[2].split("@")[0]
    stack.end()
    text = path.read_text()
    assert secret not in text
    assert password not in text
    assert json.loads(text)["state"] == "stopped"


def test_settings_of_the_user_win_and_stay_out_of_the_stack_file(up: Up) -> None:
    stack = up()
    environment = stack.stack.environment
    assert "CONNECTOR_SALESFORCE_LOGIN_URL" not in environment
    assert "CONNECTOR_POLL_SECONDS" not in environment
    assert environment["CONNECTOR_DATABASE_URL"] == stack.stack.database_url
