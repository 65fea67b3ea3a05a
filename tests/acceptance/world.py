"""A running stack with everybody around it: customers, agents, operators."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from tests.acceptance.commands import Cli
from tests.acceptance.line import Line
from tests.acceptance.org import Org
from tests.acceptance.stack import Up
from tests.acceptance.waiting import TooLong, now, until

ENDINGS = ("written", "notified", "unchanged", "ignored", "parked", "dead", "in_flight")


@dataclass
class World:
    """One started stack and the clients around it."""

    up: Up
    figures: dict[str, float] = field(default_factory=dict)

    @cached_property
    def line(self) -> Line:
        """LINE."""
        return Line(self.up.line_url, self.up.url)

    @cached_property
    def org(self) -> Org:
        """The org."""
        return Org(self.up.org_url)

    @cached_property
    def cli(self) -> Cli:
        """The command line."""
        return Cli(self.up.data)

    def settled(self, after: datetime | None = None, seconds: float = 60) -> dict[str, Any]:
        """Wait until all that happened before `after` (now) has come to rest; the status then."""
        moment = after or now()
        last: dict[str, Any] = {}

        def look() -> bool:
            last.clear()
            last.update(self.cli.glance())
            return _settled(last, moment)

        try:
            until(look, "all is settled", seconds, pause=0.2)
        except TooLong:
            raise TooLong(f"not settled within {seconds:g} s: {last}") from None
        return last

    def in_step(self, what: str) -> None:
        """`connector explain` finds nothing that keeps this record."""
        story = self.cli.explain(what)
        assert story["cause"] is None, f"{what}: {story['cause']}"


def _settled(status: dict[str, Any], moment: datetime) -> bool:
    read = [
        datetime.fromisoformat(stream["read_through"] or "1970-01-01T00:00:00Z")
        for stream in status["streams"]
    ]
    return bool(status["idle"]) and bool(read) and all(at > moment for at in read)


def assert_balanced(status: dict[str, Any]) -> None:
    """The ledger's equation holds, and nothing gave up."""
    ledger = status["ledger"]
    assert ledger["balanced"] is True, ledger
    assert sum(ledger[name] for name in ENDINGS) == ledger["received"], ledger
    assert sum(ledger["by_source"].values()) == ledger["received"], ledger
    assert ledger["in_flight"] == 0, ledger
    assert ledger["dead"] == 0, ledger
    dead = {name: queue["dead"] for name, queue in status["queues"].items() if "dead" in queue}
    assert not any(dead.values()), dead
