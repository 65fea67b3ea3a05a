"""As many calls as a sender has under way share kept connections."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Thread

import pytest

from connector.line.exchange import CALLS_AT_ONCE
from connector.line.messaging import Messaging, Request

PUSH = Request("POST", "/v2/bot/message/push", body={})


class Crowded(ThreadingHTTPServer):
    """Answers only when as many are asked at once as a sender may ask; counts connections."""

    daemon_threads = True
    request_queue_size = 2 * CALLS_AT_ONCE

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.all_there = Barrier(CALLS_AT_ONCE)
        self.connections = 0

    def get_request(self):
        """One more."""
        self.connections += 1
        return super().get_request()


class Answering(BaseHTTPRequestHandler):
    """Keeps its connection."""

    protocol_version = "HTTP/1.1"
    server: Crowded

    def do_POST(self) -> None:
        """Wait for the others."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.all_there.wait(20)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def crowded() -> Iterator[Crowded]:
    server = Crowded()
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_no_call_of_a_full_hand_opens_a_connection_twice(crowded, caplog):
    messaging = Messaging(f"http://127.0.0.1:{crowded.server_port}")
    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        for _ in range(3):
            answers = list(pool.map(lambda _: messaging.call("T1", PUSH), range(CALLS_AT_ONCE)))
            assert {answer.status for answer in answers} == {200}
    assert crowded.connections == CALLS_AT_ONCE
    assert "pool is full" not in caplog.text
