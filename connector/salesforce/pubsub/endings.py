"""Why a subscription ended, and what that means: by the trailer `error-code` first, the gRPC status second."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import grpc

from connector.errors import ConnectorError

_PREFIX = "sfdc.platform.eventbus.grpc."


class Ending(StrEnum):
    """The things that the end of a stream can mean."""

    LOST = "lost"  # the place is not kept any more: read the window again
    SPENT = "spent"  # the org's deliveries are used up: poll until there are some again
    SESSION = "session"  # sign in again, then go on
    REFUSED = "refused"  # an admin has to change something
    BROKEN = "broken"  # the connection: go on after a rest


@dataclass(frozen=True)
class _Meaning:
    ending: Ending
    reason: str
    next_step: str = "Nothing to do: it is tried again, and the org is polled meanwhile."


_PERMISSION = (
    "Give the integration user View All on the captured objects (permission set LINE Connector)."
)

# Trailer `error-code` without its prefix, or a part of it.
_BY_CODE: tuple[tuple[str, _Meaning], ...] = (
    ("replayid.corrupted", _Meaning(Ending.LOST, "the org no longer keeps the stored place")),
    ("replayid.validation", _Meaning(Ending.LOST, "the org does not know the stored place")),
    (
        "subscription.limit.exceeded",
        _Meaning(
            Ending.SPENT,
            "the org's deliveries of events in 24 hours are used up",
            "See Setup > Platform Events > usage; the org is polled until there are some again.",
        ),
    ),
    (
        "concurrent.client.limit",
        _Meaning(Ending.BROKEN, "too many clients subscribe to this org at once"),
    ),
    ("service.auth", _Meaning(Ending.SESSION, "the session has ended")),
    (
        "topic.not.found",
        _Meaning(
            Ending.REFUSED,
            "the org has no such topic",
            "Run `connector salesforce install`, which makes the channel.",
        ),
    ),
)
_BY_STATUS: dict[grpc.StatusCode, _Meaning] = {
    grpc.StatusCode.UNAUTHENTICATED: _Meaning(Ending.SESSION, "the session has ended"),
    grpc.StatusCode.PERMISSION_DENIED: _Meaning(
        Ending.REFUSED, "the integration user may not subscribe", _PERMISSION
    ),
    grpc.StatusCode.NOT_FOUND: _BY_CODE[-1][1],
    grpc.StatusCode.RESOURCE_EXHAUSTED: _Meaning(
        Ending.BROKEN, "the Pub/Sub API takes no more calls for the moment"
    ),
}
_OTHER = _Meaning(Ending.BROKEN, "the connection to the Pub/Sub API broke")


class StreamEnded(ConnectorError):
    """A subscription, or the call that prepares it, ended."""

    def __init__(self, ending: Ending, reason: str, next_step: str) -> None:
        super().__init__(f"stream_{ending}", reason, next_step)
        self.ending = ending


def ended(error: grpc.RpcError) -> StreamEnded:
    """What a gRPC error means for us; its text may hold ids and is left out."""
    status = error.code() if isinstance(error, grpc.Call) else None
    told = _error_code(error)
    for code, meaning in _BY_CODE:
        if code in told:
            return _ended(meaning, told or str(status))
    meaning = _BY_STATUS.get(status, _OTHER) if status is not None else _OTHER
    return _ended(meaning, told or (status.name if status is not None else "no status"))


def _ended(meaning: _Meaning, code: str) -> StreamEnded:
    return StreamEnded(meaning.ending, f"{meaning.reason} ({code})", meaning.next_step)


def _error_code(error: grpc.RpcError) -> str:
    trailers: Any = error.trailing_metadata() if isinstance(error, grpc.Call) else None
    for key, value in trailers or ():
        if key == "error-code":
            return str(value).removeprefix(_PREFIX)
    return ""
