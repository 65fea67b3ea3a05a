"""A LINE host of raw sockets: answers by script, breaks off, or stays silent."""

import json
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from connector.line.accounts import LineHosts, OfficialAccount
from connector.line.exchange import Timeout
from connector.line.sender import LineClient
from tests.doors import free_port

Act = Callable[[socket.socket], None]


def answering(status: int, body: object = None, /, **headers: str) -> Act:
    """Answer with JSON (or text) and headers (`_` stands for `-`)."""
    data = body.encode() if isinstance(body, str) else json.dumps(body or {}).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([*lines, "Content-Type: application/json", "", ""]).encode()
    return lambda connection: connection.sendall(head + data)


def resetting(connection: socket.socket) -> None:
    """Break the connection off without an answer (RST)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Host:
    """Answers each path by its script, whose last act repeats; notes every request."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.scripts: dict[str, list[Act]] = defaultdict(list)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.ended = threading.Event()
        self.on("/oauth2/v3/token", answering(200, {"access_token": "T1", "expires_in": 900}))
        threading.Thread(target=self._accept, daemon=True).start()

    def on(self, path: str, *acts: Act) -> None:
        """Answer this path so, one act a request."""
        self.scripts[path] = list(acts)

    def silent(self, connection: socket.socket) -> None:
        """Never answer."""
        del connection
        self.ended.wait(5)

    def asked(self, path: str) -> list[tuple[dict[str, str], bytes]]:
        """Headers and body of the requests to this path."""
        return [(headers, body) for where, headers, body in self.requests if where == path]

    def close(self) -> None:
        self.ended.set()
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as stream:
            path = stream.readline().split()[1].decode()
            lines = iter(stream.readline, b"\r\n")
            pairs = (line.decode().rstrip().split(": ", 1) for line in lines)
            headers = {name.lower(): value for name, value in pairs}
            body = stream.read(int(headers.get("content-length", "0")))
            self.requests.append((path, headers, body))
            acts = self.scripts[path]
            (acts.pop(0) if len(acts) > 1 else acts[0])(connection)


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


def account_named(name: str, **values: Any) -> OfficialAccount:
    """An official account made up of its name."""
    made = {
        "provider_id": "1",
        "bot_user_id": f"U{name}",
        "basic_id": f"@{name}",
        "channel_id": f"channel-{name}",
        "channel_secret": f"secret-{name}",
        "previous_channel_secret": None,
        "login_channel_id": f"login-{name}",
        "liff_id": f"liff-{name}",
    }
    return OfficialAccount(**{**made, **values})


@pytest.fixture
def new_account() -> Callable[..., OfficialAccount]:
    return account_named


@pytest.fixture
def account() -> OfficialAccount:
    return account_named("shop")


@pytest.fixture
def answers() -> Callable[..., Act]:
    return answering


@pytest.fixture
def reset() -> Act:
    return resetting


@pytest.fixture
def client(host: Host, account: OfficialAccount) -> LineClient:
    return LineClient([account], LineHosts(host.url, host.url), Timeout(1.0, 0.3))


@pytest.fixture
def nowhere() -> str:
    """An address where nobody listens."""
    return f"http://127.0.0.1:{free_port()}"
