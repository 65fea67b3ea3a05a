"""The names of what can be woken, and which lane of work each belongs to."""

from __future__ import annotations

from connector.domain.lines import Lane

READ = "read"
SEND = "send"


def deliver(lane: Lane) -> str:
    """The queue that brings pairs of a lane up to date."""
    return f"deliver.{lane.value}"


ALL = (READ, SEND, *(deliver(lane) for lane in Lane))
