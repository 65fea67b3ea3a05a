"""Channels: which objects' changes are told on which topic, and what comes with them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

# {"channel" or "member": name, "definition"}: null where it was removed.
ChannelChange = Mapping[str, Any]
DEFAULT_CHANNEL = "ChangeEvents"
CHANNEL_SUFFIX = "__chn"
SUFFIX, CUSTOM_SUFFIX, CUSTOM_OBJECT = "ChangeEvent", "__ChangeEvent", "__c"


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel."""

    name: str
    label: str
    type: str = "data"


@dataclass(frozen=True, slots=True)
class Member:
    """One object of a channel; `event` is the name of its change event."""

    name: str
    channel: str
    event: str
    enriched: tuple[str, ...] = ()
    filter: str | None = None

    @property
    def entity(self) -> str:
        """The object."""
        return entity_of(self.event)


class Channels:
    """The channels of an org; the standard one is always there."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.members: dict[str, Member] = {}
        self.entities: frozenset[str] = frozenset()
        # Rises with every change, for those who keep what they made of it.
        self.version = 0
        self.clear()

    @property
    def is_empty(self) -> bool:
        """Whether the org is as before anybody selected anything."""
        return not self.members and len(self.channels) == 1

    def members_of(self, channel: str) -> dict[str, Member]:
        """The members of a channel by their object."""
        return {each.entity: each for each in self.members.values() if each.channel == channel}

    def apply(self, change: ChannelChange) -> None:
        """Make, change or remove a channel or a member."""
        definition = change["definition"]
        # New tables take the place of the old ones, which a stream may be reading.
        if "channel" in change:
            name = change["channel"]
            self.channels = {each: known for each, known in self.channels.items() if each != name}
            if definition is not None:
                self.channels[name] = Channel(**definition)
        else:
            name = change["member"]
            self.members = {each: known for each, known in self.members.items() if each != name}
            if definition is not None:
                enriched = tuple(definition.get("enriched", ()))
                self.members[name] = Member(**{**definition, "enriched": enriched})
        self._changed()

    def changes(self) -> Iterator[ChannelChange]:
        """The changes that lead from the first channels to these."""
        for channel in self.channels.values():
            if channel.name != DEFAULT_CHANNEL:
                yield {"channel": channel.name, "definition": asdict(channel)}
        for member in self.members.values():
            yield {"member": member.name, "definition": asdict(member)}

    def copy(self) -> "Channels":
        """Channels that can be changed on trial."""
        other = Channels()
        other.channels, other.members = dict(self.channels), dict(self.members)
        other._changed()
        return other

    def clear(self) -> None:
        """Go back to the standard channel without members."""
        self.channels = {DEFAULT_CHANNEL: Channel(DEFAULT_CHANNEL, "Change Events")}
        self.members = {}
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        self.entities = frozenset(each.entity for each in self.members.values())


def event_of(entity: str) -> str:
    """The name of an object's change event: `LeadChangeEvent`, `Visit__ChangeEvent`."""
    if entity.endswith(CUSTOM_OBJECT):
        return entity.removesuffix(CUSTOM_OBJECT) + CUSTOM_SUFFIX
    return entity + SUFFIX


def entity_of(event: str) -> str:
    """The object that a change event is of."""
    if event.endswith(CUSTOM_SUFFIX):
        return event.removesuffix(CUSTOM_SUFFIX) + CUSTOM_OBJECT
    return event.removesuffix(SUFFIX)
