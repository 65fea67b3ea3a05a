"""Channels and their members as the Metadata API writes them (facts section 13).

Wordings of problems are [K].
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from simulator.salesforce.errors import Refusal
from simulator.salesforce.events.channels import (
    CHANNEL_SUFFIX,
    DEFAULT_CHANNEL,
    Channel,
    Channels,
    Member,
    entity_of,
    event_of,
)
from simulator.salesforce.events.schemas import told_fields
from simulator.salesforce.metadata.fields import Unfit
from simulator.salesforce.metadata.identity import component_id
from simulator.salesforce.schema import ObjectType
from simulator.salesforce.soql.parse import parse
from simulator.salesforce.soql.query import Both, Comparison, Condition, Either, Path, SemiJoin

CHANNEL, MEMBER = "PlatformEventChannel", "PlatformEventChannelMember"
NAME = re.compile(r"[A-Za-z]\w*")
DATA = "data"
MOST_ENRICHED = 10
SIGNS = frozenset({"=", "!=", "<", "<=", ">", ">="})
# Objects whose rows change without anybody being told.
UNTRACKED = frozenset(
    {
        *("CaseStatus", "LeadStatus", "ContentDocument", "ContentDocumentLink", "ContentVersion"),
        *("FieldPermissions", "ObjectPermissions", "PermissionSet", "PermissionSetAssignment"),
        *("Group", "Organization", "Profile", "QueueSobject", "RecordType"),
    }
)
Metadata = Mapping[str, Any]


def channel_of(name: str, told: Metadata) -> Channel:
    """The channel that metadata describes."""
    if not name.endswith(CHANNEL_SUFFIX) or not NAME.fullmatch(name):
        raise Unfit(f"The name of a custom channel ends in {CHANNEL_SUFFIX}: {name}")
    if told.get("channelType") != DATA:
        raise Unfit(f"channelType must be '{DATA}' for a channel of change events")
    if not told.get("label"):
        raise Unfit("Required field is missing: label")
    return Channel(name, told["label"])


def member_of(
    name: str, told: Metadata, channels: Channels, objects: Mapping[str, ObjectType]
) -> Member:
    """The member that metadata describes, checked against the channels and the objects."""
    if not NAME.fullmatch(name):
        raise Unfit(f"The name of a channel member is made of letters, digits and _: {name}")
    channel = channel_named(channels, str(told.get("eventChannel")))
    if channel is None:
        raise Unfit(f"In field: eventChannel - no {CHANNEL} named {told.get('eventChannel')} found")
    event = str(told.get("selectedEntity"))
    kind = objects.get(entity_of(event))
    if kind is None or kind.name in UNTRACKED or event != event_of(kind.name):
        raise Unfit(f"The entity {event} does not exist or has no change events", "INVALID_FIELD")
    enriched = tuple(str(each.get("name")) for each in told.get("enrichedFields") or ())
    unknown = [each for each in enriched if each not in told_fields(kind)]
    if unknown:
        raise Unfit(f"The field {unknown[0]} of {kind.name} cannot enrich its events")
    if len(enriched) > MOST_ENRICHED:
        raise Unfit(f"A channel member has at most {MOST_ENRICHED} enriched fields")
    expression = told.get("filterExpression") or None
    if expression is not None:
        check_filter(kind, expression)
    for other in channels.members.values():
        if (other.channel, other.event) == (channel.name, event) and other.name != name:
            raise Unfit(f"{event} is already a member of {channel.name}", "DUPLICATE_VALUE")
    return Member(name, channel.name, event, enriched, expression)


def check_selection(channels: Channels, wanted: Member, most: int) -> None:
    """Refuse a member with which the org would select more objects than it may."""
    others = {each.entity for each in channels.members.values() if each.name != wanted.name}
    if wanted.entity not in others and len(others) >= most:
        raise Unfit(
            f"You have reached the limit of {most} entities selected for change data capture",
            "LIMIT_EXCEEDED",
        )


def channel_named(channels: Channels, name: str) -> Channel | None:
    """A channel by its name, or by its id of 15 or 18 characters."""
    for channel in channels.channels.values():
        if name == channel.name or name[:15] == component_id(CHANNEL, channel.name)[:15]:
            return channel
    return None


def filters_by(channels: Channels, entity: str, field_name: str) -> bool:
    """Whether a filter names a field."""
    word = re.compile(rf"\b{field_name}\b", re.IGNORECASE)
    return any(
        each.entity == entity and each.filter is not None and word.search(each.filter)
        for each in channels.members.values()
    )


def check_filter(kind: ObjectType, expression: str) -> None:
    """Refuse a filter that is more than comparisons of fields with constants, joined by AND, OR."""
    try:
        where = parse(f"SELECT Id FROM {kind.name} WHERE {expression}").where
    except Refusal as problem:
        raise Unfit(f"filterExpression cannot be read: {problem.message}") from None
    for each in _comparisons(where):
        operand = each.operand
        plain = isinstance(operand, Path) and len(operand.names) == 1
        if not plain or isinstance(each.values, SemiJoin) or each.operator not in SIGNS:
            raise Unfit(
                "filterExpression takes comparisons such as Status = 'New', joined by AND or OR: "
                f"{expression}"
            )
        if kind.find(str(operand)) is None:
            raise Unfit(f"filterExpression names no field of {kind.name}: {operand}")


def channel_metadata(channel: Channel) -> dict[str, Any]:
    """A channel as the Metadata API shows it."""
    return {"channelType": channel.type, "label": channel.label}


def member_metadata(member: Member) -> dict[str, Any]:
    """A member as the Metadata API shows it."""
    return {
        "eventChannel": member.channel,
        "selectedEntity": member.event,
        "enrichedFields": [{"name": each} for each in member.enriched],
        "filterExpression": member.filter,
    }


def channel_rows(channels: Channels) -> Iterator[tuple[str, dict[str, Any]]]:
    """The channels and members as rows that the Tooling API queries."""
    for channel in channels.channels.values():
        if channel.name != DEFAULT_CHANNEL:
            yield (
                CHANNEL,
                _row(CHANNEL, channel.name)
                | {
                    "MasterLabel": channel.label,
                    "ChannelType": channel.type,
                },
            )
    for member in channels.members.values():
        yield (
            MEMBER,
            _row(MEMBER, member.name)
            | {
                "EventChannel": shown_channel(member.channel),
                "SelectedEntity": member.event,
                "FilterExpression": member.filter,
            },
        )


def shown_channel(name: str) -> str:
    """What a member's row says of its channel: an id, of the standard one the name."""
    return name if name == DEFAULT_CHANNEL else component_id(CHANNEL, name)


def _row(type_: str, name: str) -> dict[str, Any]:
    return {
        "Id": component_id(type_, name),
        "FullName": name,
        "DeveloperName": name.removesuffix(CHANNEL_SUFFIX),
        "ManageableState": "unmanaged",
    }


def _comparisons(where: Condition | None) -> Iterator[Comparison]:
    if isinstance(where, Both | Either):
        for part in where.parts:
            yield from _comparisons(part)
    elif isinstance(where, Comparison):
        yield where
    else:
        raise Unfit("filterExpression takes comparisons joined by AND or OR, without NOT")
