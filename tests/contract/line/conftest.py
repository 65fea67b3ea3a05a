"""The LINE simulator as its own process, and a place for its webhooks to arrive."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from connector.line.accounts import LineHosts, OfficialAccount
from connector.line.exchange import Timeout
from connector.line.sender import LineClient
from tests.doors import free_port

STARTED_WITHIN = 20


class Inbox(ThreadingHTTPServer):
    """Takes webhooks, answers 200 and keeps body and signature."""

    def __init__(self) -> None:
        self.arrived: list[tuple[bytes, str]] = []
        super().__init__(("127.0.0.1", 0), _Receiver)


class _Receiver(BaseHTTPRequestHandler):
    server: Inbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.arrived.append((body, self.headers["x-line-signature"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@dataclass
class Simulator:
    """What a test does on the far side."""

    url: str
    inbox: Inbox
    credentials: dict[str, Any] = field(default_factory=dict)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/_simulator{path}", json=body, timeout=5)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def person(self, name: str = "安") -> str:
        """A new LINE user, not yet a friend."""
        return self.post("/users", display_name=name, language="zh-TW")["user_id"]

    def event(self, user_id: str, **event: Any) -> tuple[bytes, str]:
        """Let something happen; body and signature of its webhook."""
        self.post(f"/users/{user_id}/events", **event)
        return self.inbox.arrived[-1]

    def chat(self, user_id: str) -> list[dict[str, Any]]:
        """What stands in the person's chat from the oa."""
        items = requests.get(f"{self.url}/_simulator/users/{user_id}/chat", timeout=5).json()
        return [item for item in items if item["direction"] == "out"]

    def calls(self, path: str) -> list[dict[str, Any]]:
        """The calls to a path since the last reset."""
        calls = requests.get(f"{self.url}/_simulator/calls?since=0", timeout=5).json()
        return [call for call in calls if call["path"] == path]


@pytest.fixture(scope="module")
def inbox() -> Iterator[Inbox]:
    inbox = Inbox()
    threading.Thread(target=inbox.serve_forever, daemon=True).start()
    yield inbox
    inbox.shutdown()
    inbox.server_close()


@pytest.fixture(scope="module")
def running(inbox: Inbox) -> Iterator[Simulator]:
    port = free_port()
    webhooks = f"http://127.0.0.1:{inbox.server_address[1]}/webhooks/line"
    command = [sys.executable, "-m", "simulator", "line", "--port", str(port)]
    process = subprocess.Popen([*command, "--webhook-url", webhooks])  # noqa: S603
    simulator = Simulator(f"http://127.0.0.1:{port}", inbox)
    try:
        simulator.credentials = _credentials(simulator.url, process)
        yield simulator
    finally:
        process.terminate()
        process.wait(10)


def _credentials(url: str, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    end = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < end and process.poll() is None:
        try:
            return requests.get(f"{url}/_simulator/credentials", timeout=2).json()
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail("the LINE simulator did not start")


@pytest.fixture
def simulator(running: Simulator) -> Simulator:
    requests.delete(f"{running.url}/_simulator/faults", timeout=5).raise_for_status()
    running.post("/reset")
    running.inbox.arrived.clear()
    return running


@pytest.fixture
def account(simulator: Simulator) -> OfficialAccount:
    said = simulator.credentials["official_accounts"][0]
    names = ("bot_user_id", "basic_id", "channel_id", "channel_secret", "login_channel_id")
    return OfficialAccount(
        provider_id=simulator.credentials["provider_id"],
        previous_channel_secret=None,
        liff_id=said["liff_id"],
        **{name: said[name] for name in names},
    )


@pytest.fixture
def hosts(simulator: Simulator) -> LineHosts:
    return LineHosts(simulator.url, simulator.url)


@pytest.fixture
def client(account: OfficialAccount, hosts: LineHosts) -> LineClient:
    return LineClient([account], hosts, Timeout(2.0, 2.0))
