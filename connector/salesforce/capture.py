"""Which objects' changes an org captures as events, and which of them our own channel carries.

Source: Tooling API, "PlatformEventChannel" and "PlatformEventChannelMember". Reading them needs
the permission View Setup and Configuration.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connector.domain.faults import FaultKind
from connector.mapping.canonical import long_id
from connector.salesforce import soql
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway

CHANNEL = "LINE_Connector__chn"
TOPIC = f"/data/{CHANNEL}"
_CUSTOM, _EVENT = "__chn", "ChangeEvent"
_INSTALL = "run `connector salesforce install`"


@dataclass(frozen=True)
class Capture:
    """What our channel carries; `reason` says why nothing or nothing known comes through it."""

    topic: str | None
    objects: frozenset[str]
    reason: str | None = None


@dataclass(frozen=True)
class Member:
    """One object whose changes one channel carries."""

    channel: str
    object: str


def look(gateway: Gateway) -> Capture:
    """What our channel carries; a call that failed for other reasons than a refusal is raised."""
    try:
        known = members(gateway)
    except CallFailed as failed:
        if failed.fault.org_wide or failed.fault.kind is not FaultKind.CONFIG:
            raise
        reason = f"the org does not say what it captures ({failed.fault.code}); {_INSTALL}"
        return Capture(None, frozenset(), reason)
    ours = frozenset(member.object for member in known if member.channel == CHANNEL)
    if not ours:
        return Capture(None, ours, f"the channel {CHANNEL} carries no object; {_INSTALL}")
    return Capture(TOPIC, ours)


def members(gateway: Gateway) -> tuple[Member, ...]:
    """Every object that any channel of the org carries, whoever made the channel."""
    channels = {
        long_id(str(row["Id"])): f"{row['DeveloperName']}{_CUSTOM}"
        for row in gateway.tooling_query("SELECT Id, DeveloperName FROM PlatformEventChannel")
    }
    rows = gateway.tooling_query(
        "SELECT EventChannel, SelectedEntity FROM PlatformEventChannelMember"
    )
    return tuple(
        Member(_channel(str(row["EventChannel"]), channels), captured_object(entity))
        for row in rows
        for entity in (str(row["SelectedEntity"]),)
        if entity.endswith(_EVENT)
    )


def unseen(gateway: Gateway, objects: Iterable[str]) -> tuple[str, ...]:
    """Those of the objects that our user lacks View All on, without which no events of them come."""
    wanted = sorted(objects)
    if not wanted:
        return ()
    ours = (
        "ParentId IN (SELECT PermissionSetId FROM PermissionSetAssignment "
        f"WHERE AssigneeId = {soql.literal(gateway.grant().user_id)})"
    )
    rows = gateway.query(
        "SELECT SobjectType FROM ObjectPermissions WHERE PermissionsViewAllRecords = true "
        f"AND {soql.in_list('SobjectType', wanted)} AND {ours}"
    )
    seen = {str(row["SobjectType"]) for row in rows}
    return tuple(name for name in wanted if name not in seen)


def event_of(object_name: str) -> str:
    """`CaseChangeEvent` for `Case`, `Visit__ChangeEvent` for `Visit__c`."""
    return (
        f"{object_name.removesuffix('c') if object_name.endswith('__c') else object_name}{_EVENT}"
    )


def captured_object(entity: str) -> str:
    """The inverse of `event_of`."""
    name = entity.removesuffix(_EVENT)
    return f"{name}c" if name.endswith("__") else name


def _channel(told: str, channels: dict[str, str]) -> str:
    """A channel's name, which orgs tell by name or by id."""
    if told in channels.values():
        return told
    return channels.get(long_id(told), told)
