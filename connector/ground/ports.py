"""TCP ports of this machine: which are free, which of ours are taken."""

from __future__ import annotations

import contextlib
import random
import socket

from connector.errors import EnvironmentProblem

HOST = "127.0.0.1"
# below the range from which systems take ports for outgoing connections
CHOICE = range(20000, 32000)
HIGHEST_BASE = 65000


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with contextlib.closing(socket.socket()) as knock:
        # a listener on every address does not stop the bind below on all systems
        knock.settimeout(1)
        if knock.connect_ex((HOST, port)) == 0:
            return False
    with contextlib.closing(socket.socket()) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except PermissionError:
            raise EnvironmentProblem(
                "port_refused",
                f"port {port} may not be used by this account",
                "use --port-base with a number above 1024",
            ) from None
        except OSError:
            return False
    return True


def choose(avoid: range = range(0)) -> int:
    """A free port outside `avoid`."""
    dice = random.SystemRandom()
    candidates = [port for port in CHOICE if port not in avoid]
    for port in dice.sample(candidates, min(len(candidates), 200)):
        if is_free(port):
            return port
    raise EnvironmentProblem(
        "no_port", "no free port was found", "stop other servers on this machine"
    )


def require_free(base: int, offsets: tuple[int, ...]) -> None:
    """Refuse a port base of which one port is in use, naming that port and a base that is free."""
    if not 1 <= base <= HIGHEST_BASE:
        raise EnvironmentProblem(
            "bad_port_base",
            f"--port-base {base} is out of range",
            f"give one from 1024 to {HIGHEST_BASE}",
        )
    for offset in offsets:
        if not is_free(base + offset):
            other = _free_base(base, offsets)
            raise EnvironmentProblem(
                "port_in_use",
                f"port {base + offset} is in use by another program",
                f"stop it or use --port-base {other}",
            )


def _free_base(base: int, offsets: tuple[int, ...]) -> int:
    candidates = [p for p in range(base + 100, base + 2000, 100) if p <= HIGHEST_BASE] or [8400]
    for other in candidates:
        if all(is_free(other + offset) for offset in offsets):
            return other
    return candidates[0]
