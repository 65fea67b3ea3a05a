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
            if type(value) is not known[name] or (type(value) is int and value < 0):
                raise InvalidSwitch(f"{name} must be of type {known[name].__name__}, at least 0")
        for name, value in wanted.items():
            setattr(self, name, value)

    def restore(self, other: "Switches") -> None:
        """Take over the values of other switches."""
        self.change(other.as_json())
