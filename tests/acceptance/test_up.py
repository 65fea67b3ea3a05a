"""`connector up` as a newcomer meets it: how fast, how often, and what it says when it cannot."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.acceptance.commands import Cli
from tests.acceptance.line import Line
from tests.acceptance.org import Org
from tests.acceptance.stack import Up, free_base
from tests.acceptance.waiting import until
from tests.acceptance.world import World

Start = Callable[..., Up]
pytestmark = pytest.mark.timeout(240)


def test_each_start_finds_its_data_however_the_last_one_ended(start: Start) -> None:
    up = start().ready()
    print(f"\ncold start to /readyz: {up.cold_seconds:.1f} s")
    ready = requests.get(f"{up.url}/readyz", timeout=5).json()
    assert ready == {
        "status": "ready",
        "checks": {"postgres": "ok", "migrations": "ok", "redis": "ok"},
    }
    wang = World(up).line.customer("小明")
    wang.follows()
    wang.consents()
    until(lambda: Org(up.org_url).leads(wang.user_id), "the Lead")
    for ending, code in ((signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)):
        before = World(up).settled()["ledger"]
        assert up.end(ending) == code
        until(lambda: not up.processes(), "nothing is left running", 15)
        up = start().ready()
        print(f"start after {ending.name} to /readyz: {up.cold_seconds:.1f} s")
        after = World(up).settled()["ledger"]
        assert after["received"] >= before["received"]
        assert after["by_source"]["line"] == before["by_source"]["line"]
        assert len(Org(up.org_url).leads(wang.user_id)) == 1
        wang.line = Line(up.line_url, up.url)
        assert wang.me()["consents"][0]["purpose"] == "service"


def test_a_stack_that_is_asked_to_end_while_it_starts_leaves_nothing(start: Start) -> None:
    up = start()
    until(lambda: "postgres" in up.said, "the first parts are being started", 20)
    assert up.end(signal.SIGINT) == 0
    assert not up.processes()


@pytest.mark.parametrize("offset", [0, 2, 3, 5])
def test_a_port_in_use_is_one_sentence_and_exit_code_2(
    start: Start, tmp_path: Path, offset: int
) -> None:
    base = free_base()
    with socket.create_server(("127.0.0.1", base + offset)):
        said = Cli(tmp_path / "other").run("up", "--port-base", str(base), as_json=False)
    assert said.code == 2
    assert said.out == ""
    assert f"port {base + offset} is in use" in said.err
    assert "Traceback" not in said.err
    assert len(said.err.strip().splitlines()) <= 2
