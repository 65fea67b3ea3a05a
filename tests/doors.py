"""Ports for servers that tests start themselves."""

from __future__ import annotations

from connector.ground import ports


def free_ports(count: int) -> list[int]:
    """Different ports that no outgoing connection can take before the server listens on them."""
    found: dict[int, None] = {}
    while len(found) < count:
        found[ports.choose()] = None
    return list(found)


def free_port() -> int:
    """One such port."""
    return free_ports(1)[0]
