"""Replay ids: places in the order of events, sealed so that nobody can work one out."""

import hashlib
import os
from struct import Struct
from typing import NamedTuple

EPOCH_BYTES, SEAL_BYTES = 8, 4
PLACE = Struct(">QI")
SIZE = PLACE.size + SEAL_BYTES
# Some clients take the first eight bytes for a number, keep it as JavaScript keeps numbers (53
# bits), and send back those eight: they hold the number of the event and a seal of their own.
HEAD = Struct(">Q")
TAG_BYTES = 2
TAGS = 1 << 8 * TAG_BYTES
# Parts of a place: an event with all its siblings, and the gap that follows them.
WHOLE, GAP = 0, 0xFFFF_FFFF


class CorruptedReplayId(Exception):
    """The replay id is not ours, or what came after it is not kept any more."""

    def __init__(self) -> None:
        super().__init__("The Replay ID validation failed. Ensure that the Replay ID is valid.")


class Place(NamedTuple):
    """After an event; `part` counts the siblings already read where not all of them are."""

    number: int
    part: int = WHOLE


class ReplayIds:
    """Makes and reads the replay ids of one epoch, which ends with a reset of the org."""

    def __init__(self, epoch: bytes) -> None:
        self.epoch = epoch

    @classmethod
    def fresh(cls) -> "ReplayIds":
        """The ids of a new epoch."""
        return cls(os.urandom(EPOCH_BYTES))

    def write(self, place: Place) -> bytes:
        """The replay id of a place."""
        told = PLACE.pack(self._head(place.number), place.part)
        return told + self._seal(told)

    def read(self, replay_id: bytes) -> Place:
        """The place that a replay id stands for."""
        told = replay_id[: PLACE.size]
        if len(replay_id) == HEAD.size:
            head, part = *HEAD.unpack(replay_id), WHOLE
        elif len(replay_id) == SIZE and replay_id[PLACE.size :] == self._seal(told):
            head, part = PLACE.unpack(told)
        else:
            raise CorruptedReplayId
        number = head // TAGS
        if head != self._head(number):
            raise CorruptedReplayId
        return Place(number, part)

    def _head(self, number: int) -> int:
        seal = self._seal(HEAD.pack(number))
        return number * TAGS + int.from_bytes(seal[:TAG_BYTES], "big")

    def _seal(self, told: bytes) -> bytes:
        return hashlib.blake2b(told, key=self.epoch, digest_size=SEAL_BYTES).digest()
