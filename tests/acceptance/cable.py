"""A cable between connector and org that loses the answer of every write once, after the commit."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

LINGER_NOT = struct.pack("ii", 1, 0)
NOT_PASSED_ON = {"connection", "content-length", "transfer-encoding", "content-encoding", "host"}
SIGN_IN = "/services/oauth2/token"


class Cable(ThreadingHTTPServer):
    """Passes calls on to `org`; `lost` names the writes whose answers were lost, `again` holds repeats."""

    daemon_threads = True

    def __init__(self, org: str) -> None:
        super().__init__(("127.0.0.1", 0), _End)
        self.org = org
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.lost: set[str] = set()
        self.again: list[list[Any]] = []
        self._lock = threading.Lock()

    def loses(self, path: str, body: bytes) -> bool:
        """Whether the answer to this call is lost: it writes something for the first time."""
        written = writes_of(path, body)
        if not written:
            return False
        name = hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()
        with self._lock:
            if name in self.lost:
                self.again.append(written)
                return False
            self.lost.add(name)
            return True

    @contextlib.contextmanager
    def laid(self) -> Iterator[Cable]:
        """Pass calls on for the length of a block."""
        serving = threading.Thread(target=self.serve_forever, daemon=True)
        serving.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            serving.join()


def writes_of(path: str, body: bytes) -> list[Any]:
    """The subrequests of a composite call that write."""
    if not path.endswith("/composite"):
        return []
    asked = json.loads(body)["compositeRequest"]
    return [[one["method"], one["url"], one.get("body")] for one in asked if not _only_reads(one)]


def _only_reads(one: Any) -> bool:
    """Reading many rows by Id is a POST too: its body names ids, not records."""
    return one["method"] == "GET" or "ids" in (one.get("body") or {})


class _End(BaseHTTPRequestHandler):
    server: Cable
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {n: v for n, v in self.headers.items() if n.lower() not in NOT_PASSED_ON}
        with requests.Session() as org:
            org.trust_env = False
            answer = org.request(
                self.command, self.server.org + self.path, data=body, headers=headers, timeout=60
            )
        if self.server.loses(self.path.partition("?")[0], body):
            self._cut()
            return
        self._answer(answer)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _pass

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.connection.close()

    def _answer(self, answer: requests.Response) -> None:
        content = answer.content
        if self.path.startswith(SIGN_IN):  # the org names its own address: what follows goes there
            content = content.replace(self.server.org.encode(), self.server.url.encode())
        self.send_response_only(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in NOT_PASSED_ON:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def finish(self) -> None:
        """Nothing more to write on a connection that was cut."""
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
