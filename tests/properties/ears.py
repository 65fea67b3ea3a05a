"""A process that follows the org's change events, and hears only when a story lets it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

from connector.salesforce.pubsub.subscription import Subscription
from connector.sync.reading.topics import TopicReader
from tests import interference as stir
from tests.properties.naps import Nap, Stop
from tests.world import World

_TURNS = 40
# A dead reader's lease runs out by the clock, and an org on a busy machine answers when it can.
_PATIENCE, _PAUSE = 20.0, 0.05


class Ear:
    """One subscriber: stops whenever it would look whether it shall stop."""

    def __init__(self, world: World) -> None:
        topics = world.system.topics
        assert topics is not None
        self._bus = _Bus(topics.bus)
        self._reader = _Reader(
            topics.store,
            topics.catalogs,
            topics.gateway,
            self._bus,
            topics.guard,
            topics.lease,
            topics.client,
            on_the_way=timedelta(0),
            token=uuid4(),
        )
        self._turns: _Turns | None = None
        self._nap = Nap(self._work)

    def _work(self, doze: Stop) -> None:
        self._turns = _Turns(doze)
        self._reader.follow(self._turns)

    @property
    def over(self) -> bool:
        """Whether its process is gone."""
        return self._nap.over

    def hear(self) -> bool:
        """Listen until all that happened before is stored; False where the topic is out of reach."""
        turns, until = 0, time.monotonic() + _PATIENCE
        while turns < _TURNS or time.monotonic() < until:
            turns += 1
            if self.over:
                return False
            nothing_kept = self._bus.nothing_kept()
            self._reader.heard = None
            self._nap.go_on()
            # what comes after all that was kept has come since; without events it is a sign of life
            if nothing_kept and self._reader.heard == 0:
                return True
            if turns > _TURNS:
                time.sleep(_PAUSE)
        return False

    def wake(self) -> None:
        """Let it go on a little way."""
        for _ in range(3):
            self._nap.go_on()

    def die(self) -> None:
        """Be gone, and leave everything as it is."""
        assert self._turns is not None
        self._turns.dead = True
        self._nap.go_on()

    def stop(self) -> None:
        """Stop as a process does that was asked to."""
        assert self._turns is not None
        self._turns.asked = True
        while not self.over:
            self._nap.go_on()


class _Turns:
    """Stands in for the event that asks to stop: who looks at it waits for its turn, and never rests."""

    def __init__(self, doze: Stop) -> None:
        self.asked = self.dead = False
        self._doze = doze

    def is_set(self) -> bool:
        self._doze()
        if self.dead:
            raise stir.Died
        return self.asked

    def wait(self, seconds: float) -> bool:
        return self.asked


class _Reader(TopicReader):
    """Says how many events it stored last."""

    heard: int | None = None

    def _store(self, found: Any, batches: Any) -> None:
        super()._store(found, batches)
        self.heard = sum(len(batch.events) for batch in batches)


class _Bus:
    """The bus, and the subscription that was made last."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self._last: Subscription | None = None

    def subscribe(self, *place: Any) -> Subscription:
        self._last = self._real.subscribe(*place)
        return self._last

    def nothing_kept(self) -> bool:
        """Whether nothing waits that was told before this moment."""
        return self._last is not None and self._last._told.empty()
