"""Which objects our channel is to carry: by priority, as far as the org has room for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from connector.salesforce.capture import CHANNEL, Member
from connector.salesforce.installation.content import CAPTURED, MOST_CAPTURED


@dataclass(frozen=True)
class Polled:
    """An object that is asked for changes instead, and why."""

    object: str
    reason: str


@dataclass(frozen=True)
class Capturing:
    """What the channel carries, what it is to carry, and what is polled instead.

    `used` are all objects that any channel of the org carries; they share the `allowance`. Not
    `known` where the org does not say.
    """

    allowance: int
    used: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    polled: tuple[Polled, ...] = ()
    known: bool = True

    @property
    def free(self) -> int:
        """How many more objects the org may capture now."""
        return max(0, self.allowance - len(self.used))

    @property
    def objects(self) -> tuple[str, ...]:
        """What the channel carries in the end."""
        return tuple(name for name in CAPTURED if name in (*self.carried, *self.wanted))


def share(
    members: Iterable[Member], objects: Collection[str], allowance: int = MOST_CAPTURED
) -> Capturing:
    """Divide the room among the objects that the org has; 0 asks for no events at all.

    An object that another channel carries takes no further room.
    """
    known = tuple(members)
    used = tuple(sorted({member.object for member in known}))
    carried = tuple(sorted({member.object for member in known if member.channel == CHANNEL}))
    free = max(0, allowance - len(used))
    wanted: list[str] = []
    polled: list[Polled] = []
    for name in CAPTURED:
        if name in carried or name not in objects:
            continue
        if allowance == 0:
            polled.append(Polled(name, "no events are asked for"))
        elif name in used or free > 0:
            wanted.append(name)
            free -= name not in used
        else:
            room = f"the org captures {len(used) + len(wanted)} of {allowance} objects already"
            polled.append(Polled(name, room))
    return Capturing(allowance, used, carried, tuple(wanted), tuple(polled))
