"""Managed subscriptions: a topic, and the place in it that the org keeps for a client."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from simulator.salesforce.ids import SHORT, mint

KEY_PREFIX = "18x"
LATEST, EARLIEST = "LATEST", "EARLIEST"
NEEDED = ("developer_name", "topic")
REPLAYS = ("default_replay", "error_recovery_replay")


class InvalidSubscription(ValueError):
    """The managed subscription asked for cannot be made."""


@dataclass(slots=True)
class ManagedSubscription:
    """One managed subscription; `committed` is the place that its clients have come to."""

    id: str
    developer_name: str
    topic: str
    # Where it begins before the first commit, and where it goes on when its place is gone.
    default_replay: str = LATEST
    error_recovery_replay: str = EARLIEST
    committed: bytes | None = None


class ManagedSubscriptions:
    """Those of one org."""

    def __init__(self) -> None:
        self._by_name: dict[str, ManagedSubscription] = {}
        self._lock = threading.Lock()
        self._count = 0

    def add(self, wanted: Any) -> ManagedSubscription:
        """Make one from the JSON of `POST /_simulator/managed-subscriptions`."""
        if not isinstance(wanted, Mapping):
            raise InvalidSubscription("a managed subscription is a JSON object")
        for name in sorted(wanted.keys() - {*NEEDED, *REPLAYS}):
            known = ", ".join((*NEEDED, *REPLAYS))
            raise InvalidSubscription(f"unknown field {name!r}; known: {known}")
        for name in NEEDED:
            if not isinstance(wanted.get(name), str) or not wanted[name]:
                raise InvalidSubscription(f"{name} must be a text")
        for name in REPLAYS:
            if wanted.get(name, LATEST) not in {LATEST, EARLIEST}:
                raise InvalidSubscription(f"{name} must be {LATEST} or {EARLIEST}")
        with self._lock:
            self._count += 1
            made = ManagedSubscription(mint(KEY_PREFIX, self._count), **wanted)
            self._by_name[made.developer_name] = made
        return made

    def find(self, subscription_id: str, developer_name: str) -> ManagedSubscription | None:
        """The one of an id (15 or 18 characters) or else of a name."""
        with self._lock:
            if not subscription_id:
                return self._by_name.get(developer_name)
            short = subscription_id[:SHORT]
            found = (each for each in self._by_name.values() if each.id[:SHORT] == short)
            return next(found, None)

    def listed(self) -> list[dict[str, Any]]:
        """All of them as JSON objects, oldest first."""
        with self._lock:
            return [
                {**asdict(each), "committed": each.committed and each.committed.hex()}
                for each in self._by_name.values()
            ]

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._by_name.clear()
