"""Filter expressions of channel members, tried on rows as they are committed."""

from simulator.salesforce.conditions import Condition
from simulator.salesforce.events.kept import NOWHERE
from simulator.salesforce.store import Row, Store

Sieve = tuple[str, Condition]


class Sieves:
    """The filters in force, made anew when channels have changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version = -1
        self._by_entity: dict[str, list[Sieve]] = {}

    def hidden(self, entity: str, row: Row) -> frozenset[str]:
        """The channels that a change of this row is not told on."""
        channels = self._store.channels
        if self._version != channels.version:
            self._version = channels.version
            self._by_entity = {}
            for member in channels.members.values():
                if member.filter and member.entity in self._store.tables:
                    sieve = (member.channel, Condition(self._store, member.entity, member.filter))
                    self._by_entity.setdefault(member.entity, []).append(sieve)
        sieves = self._by_entity.get(entity)
        if not sieves:
            return NOWHERE
        return frozenset(channel for channel, sieve in sieves if not sieve.holds(row))
