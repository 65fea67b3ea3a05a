"""Behaviours of the org that differ between real orgs, or that nobody could confirm: switchable."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


class InvalidSwitch(ValueError):
    """There is no such switch, or the value does not fit it."""


@dataclass(slots=True)
class Switches:
    """How this org is set up; `GET` and `PATCH /_simulator/switches` show and change it."""

    # A session ends after so long without a call (real orgs: 15 minutes to 24 hours).
    session_seconds: int = 2 * 3600
    # A refresh gives a new refresh token and makes the old one useless.
    rotate_refresh_tokens: bool = False
    # An asset needs an account or a contact: the asset sharing "Controlled by Parent".
    asset_needs_owner: bool = True
    # Accounts may be persons; like in a real org this adds fields and record types.
    person_accounts: bool = False
    # Writes to children of one account wait for each other: a call keeps its locks for so long
    # after its work, and one that would wait longer than the bound is refused.
    row_locks: bool = False
    lock_hold_ms: int = 150
    lock_wait_ms: int = 10_000
    # Change events: equal changes of several rows in one transaction come as one event.
    merge_change_events: bool = True
    # How many objects all channels together may hold (an add-on lifts it).
    event_entities: int = 5
    # Events that may be delivered within 24 hours (by edition: 10,000 to 50,000).
    event_allowance: int = 50_000
    # A job of the Bulk API takes at least so long from its start to its end.
    bulk_seconds: float = 0.0
    # Users may delete rows past the recycle bin: the permission "Bulk API Hard Delete".
    bulk_hard_delete: bool = True
    # A subscription without news gets a sign of life so often (real orgs: up to 270 s).
    keepalive_seconds: float = 1.0
    # A stream whose client asks for nothing is closed after so long.
    stream_idle_seconds: float = 60.0
    # Streams of the Pub/Sub API that may be open at once.
    concurrent_streams: int = 1_000

    def as_json(self) -> dict[str, Any]:
        """Every switch with its value."""
        return asdict(self)

    def change(self, wanted: Any) -> None:
        """Set the switches that a JSON object names, all or none of them."""
        if not isinstance(wanted, Mapping):
            raise InvalidSwitch("switches come as a JSON object")
        known = {each.name: type(getattr(self, each.name)) for each in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise InvalidSwitch(f"unknown switch {name!r}; known: {', '.join(sorted(known))}")
            if not _fits(value, known[name]):
                raise InvalidSwitch(f"{name} must be of type {known[name].__name__}, at least 0")
        for name, value in wanted.items():
            setattr(self, name, known[name](value))

    def restore(self, other: "Switches") -> None:
        """Take over the values of other switches."""
        self.change(other.as_json())


def _fits(value: Any, kind: type) -> bool:
    """Whether a JSON value is of a switch's kind; a fraction may be written as a whole number."""
    fits = type(value) is kind or (kind is float and type(value) is int)
    return fits and not (type(value) in {int, float} and value < 0)
