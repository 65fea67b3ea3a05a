"""`python -m webhooks --host --port`: the web process."""

from __future__ import annotations

import argparse
import errno
import gc
import socket
import sys

import uvicorn

from connector import bootstrap, logs
from connector.errors import ConnectorError, EnvironmentProblem
from connector.settings import load_settings
from jobs.wake import load, wake
from webhooks.app import make_app
from webhooks.web import Web

_GRACE = 8  # seconds for requests under way; LINE waits two
POOL = 12  # and as many again under load: more than the threads that use it


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m webhooks")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8400)
    given = parser.parse_args()
    try:
        logs.configure()
        door = listen(given.host, given.port)
        web = build()
        load()
        serve(web, door)
    except ConnectorError as problem:
        sys.stderr.write(f"{problem.message}; {problem.fix}\n")
        return problem.exit_code
    return 0


def listen(host: str, port: int) -> socket.socket:
    """The socket to serve on, or one sentence on why there is none."""
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as trouble:
        if trouble.errno == errno.EADDRINUSE:
            why = f"port {port} is in use by another program"
        else:
            why = f"{host}:{port} cannot be served on ({trouble.strerror})"
        raise EnvironmentProblem("port_in_use", why, "choose another with --port") from None


def build() -> Web:
    """What the settings of this process make."""
    settings = load_settings()
    return Web(
        store=bootstrap.open_store(settings, wake, pool_size=POOL),
        catalogs=bootstrap.catalogs(),
        accounts=bootstrap.accounts(settings),
        verifier=bootstrap.verifier(settings),
        sms=bootstrap.sms_sender(settings),
        settings=settings,
    )


def serve(web: Web, door: socket.socket) -> None:
    """Run the server on a socket that listens already."""
    config = uvicorn.Config(
        make_app(web),
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools" if sys.platform != "win32" else "h11",
        access_log=False,
        log_config=None,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE,
    )
    # What the start made stays for good; looked through for garbage, it stopped every request for 0.1 s.
    gc.collect()
    gc.freeze()
    uvicorn.Server(config).run(sockets=[door])


if __name__ == "__main__":
    sys.exit(main())
