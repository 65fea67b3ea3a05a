"""A running LINE simulator, and a webhook receiver that remembers what came."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from simulator.control.server import serving
from simulator.line.app import line_app
from simulator.line.platform import Platform, Settings

from .stage import LIFF_ENDPOINT, Line, Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            kept.requests.append((headers, body))
            self.send_response(kept.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/webhooks/line"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield kept
        server.shutdown()


@pytest.fixture
def line(receiver: Receiver) -> Iterator[Line]:
    platform = Platform(Settings(receiver.url, LIFF_ENDPOINT, monthly_quota=100))
    with serving(line_app(platform)) as url:
        yield Line(url, platform)
