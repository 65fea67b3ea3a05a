"""What the service's own processes do, and how they end."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from connector.domain.lines import Lane
from connector.sync.upkeep import sweeping
from tests import interference as stir
from tests.properties import naps
from tests.properties.stories import LANES, Story, happens

POINTS = sorted(naps.WORKERS)
_ALWAYS = "polling"  # for which there is always something to do


class Crew(Story):
    """Workers, at any speed."""

    @happens()
    def the_inbox_is_read(self) -> str | None:
        self.world.carry()
        number = self.world.system.reader.read()
        return f"{number} rows" if number else None

    @happens()
    def the_org_is_polled(self) -> str | None:
        return f"{self.world.system.streams.read()} rows"

    @happens(lane=LANES, limit=st.sampled_from([1, 400]))
    def a_batch_is_delivered(self, lane: Lane, limit: int) -> str | None:
        number = self.world.system.delivery.deliver(lane, limit)
        return f"{lane}: {number} of at most {limit}" if number else None

    @happens()
    def messages_are_sent(self) -> str | None:
        stir.read_all(self.world)  # most of what is said answers what was just read
        number = self.world.system.postman.send()
        return f"{number} envelopes" if number else None

    @happens()
    def everything_works_once(self) -> str | None:
        return f"{self.world.step()} things done"

    @happens()
    def time_passes(self) -> str | None:
        """Long enough for every lease and rest to be over."""
        stir.hurry(self.world)
        stir.expire_claims(self.world)
        sweeping.sweep(self.world.system.store)
        return "minutes"

    @happens(at=st.integers(0, len(POINTS) - 1), lane=LANES)
    def a_worker_dies(self, at: int, lane: Lane) -> str | None:
        for point in _from(at):
            if naps.dies(self.world, point, lane):
                self.tally.faults[f"dies {point}"] += 1
                return f"{point} ({lane})"
        return None

    @happens(at=st.integers(0, len(POINTS) - 1), lane=LANES)
    def a_worker_falls_asleep(self, at: int, lane: Lane) -> str | None:
        if len(self.asleep) >= 3:
            return None
        for point in _from(at):
            nap = naps.falls_asleep(self.world, point, lane)
            if nap is not None:
                self.asleep.append(nap)
                self.tally.faults[f"sleeps {point}"] += 1
                return f"{point} ({lane})"
        return None

    @happens(place=st.integers(0, 2), late=st.booleans())
    def a_sleeper_wakes(self, place: int, late: bool) -> str | None:
        """Late: its lease is over, and others may have done its work since."""
        if not self.asleep:
            return None
        if late:
            stir.expire_claims(self.world)
            sweeping.sweep(self.world.system.store)
            self.world.step()
        self.asleep.pop(place % len(self.asleep)).go_on()
        return "late" if late else "in time"

    @happens(lane=LANES)
    def two_workers_deliver_at_once(self, lane: Lane) -> str | None:
        deliver = self.world.system.delivery.deliver
        came_to = naps.at_once(lambda: deliver(lane, 1), lambda: deliver(lane, 1))
        assert all(isinstance(each, int) for each in came_to), came_to
        return f"{lane}: {came_to}" if any(came_to) else None


def _from(at: int) -> Iterator[str]:
    """Points where a worker may stop, beginning with one: it may have nothing to do there."""
    yield POINTS[at]
    yield from (point for point in POINTS[at + 1 :] + POINTS[:at] if point != _ALWAYS)
