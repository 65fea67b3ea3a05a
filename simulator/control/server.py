"""HTTP servers for simulators: bound before anything else, ended within a second."""

import asyncio
import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from simulator.control.reset import ResettableProtocol

GRACE_SECONDS = 0.15
STARTED_POLL_SECONDS = 0.005
BACKLOG = 2048


class AddressInUse(Exception):
    """The address is taken or may not be bound."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"Cannot listen on {host}:{port}: {reason}.")
        self.host = host
        self.port = port


@dataclass(frozen=True, slots=True)
class Listener:
    """One address with the app that answers there; with certificate and key it speaks TLS."""

    app: ASGIApp
    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to its owner and cuts open streams when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: several servers share one process."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, giving running answers a moment and streams no more than that."""
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._cut)
        await super().shutdown(sockets)

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, or `AddressInUse` with one clear sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as problem:
        listening.close()
        raise AddressInUse(host, port, (problem.strerror or str(problem)).lower()) from problem
    return listening


def run(listeners: Sequence[Listener]) -> int:
    """Serve until SIGTERM or SIGINT; the exit code is 0, or 2 when an address is taken."""
    bound: list[socket.socket] = []
    try:
        bound.extend(bind(listener.host, listener.port) for listener in listeners)
    except AddressInUse as problem:
        for listening in bound:
            listening.close()
        sys.stderr.write(f"{problem}\n")
        return 2
    servers = [_server(listener, first=not index) for index, listener in enumerate(listeners)]
    with asyncio.Runner(loop_factory=servers[0].config.get_loop_factory()) as runner:
        runner.run(_serve(servers, bound))
    return 0


@contextlib.contextmanager
def serving(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an app from a thread while the block runs; gives its base URL."""
    listening = bind(host, port)
    server = _server(Listener(app, host, port), first=True)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(STARTED_POLL_SECONDS)
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _server(listener: Listener, *, first: bool) -> Server:
    return Server(
        uvicorn.Config(
            listener.app,
            http=ResettableProtocol,
            ws="none",
            lifespan="auto" if first else "off",
            ssl_certfile=listener.certificate,
            ssl_keyfile=listener.key,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            date_header=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
    )


async def _serve(servers: Sequence[Server], bound: Sequence[socket.socket]) -> None:
    def end() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    pairs = zip(servers, bound, strict=True)
    await asyncio.gather(*(server.serve(sockets=[listening]) for server, listening in pairs))
