"""What an org still lacks for the service to run, each finding with how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.mapping.schema import FieldSchema, ObjectSchema
from connector.salesforce import capture
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import KEY_FIELD

_PERMISSION_SET = "the permission set LINE Connector"
_LOW_BUDGET = 0.2


@dataclass(frozen=True)
class ObjectNeed:
    """What the mappings ask of one object; `read` and `written` are field names."""

    object: str
    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    creates: bool = False


@dataclass(frozen=True)
class Finding:
    """One thing looked at: fine, or what is wrong and how to mend it."""

    ok: bool
    what: str
    fix: str = ""


def examine(gateway: Gateway, needs: Sequence[ObjectNeed]) -> list[Finding]:
    """Look at sign-in, API version, objects, fields and budget; stop where sign-in fails."""
    try:
        findings = list(_entrance(gateway))
        for need in needs:
            findings += _object(gateway, need)
        findings += _changes(gateway, [need.object for need in needs])
        limits = gateway.limits()
        findings += [_budget(limits), *_deliveries(limits)]
    except CallFailed as failed:
        return [Finding(ok=False, what=f"Salesforce: {failed.message}", fix=failed.fix)]
    return findings


def _entrance(gateway: Gateway) -> Iterator[Finding]:
    probe = gateway.probe()
    yield Finding(ok=True, what=f"signed in at {probe.instance_url}")
    if probe.api_version in probe.versions:
        yield Finding(ok=True, what=f"API version {probe.api_version}")
    else:
        newest = probe.versions[-1] if probe.versions else "none"
        yield Finding(
            ok=False,
            what=f"the org does not answer API version {probe.api_version}",
            fix=f"Set the API version to one the org answers (newest: {newest}).",
        )
    yield Finding(ok=True, what=f"organization {probe.organization_id}")


def _object(gateway: Gateway, need: ObjectNeed) -> list[Finding]:
    try:
        schema = gateway.describe(need.object)
    except CallFailed as failed:
        if failed.fault.org_wide:
            raise
        fix = f"Enable {need.object} in the org and give the integration user {_PERMISSION_SET}."
        return [Finding(ok=False, what=f"{need.object} is not visible", fix=fix)]
    missing = list(_missing(schema, need))
    return missing or [Finding(ok=True, what=f"{need.object}: every field in place")]


def _missing(schema: ObjectSchema, need: ObjectNeed) -> Iterator[Finding]:
    for name in dict.fromkeys((*need.read, *need.written)):
        field = schema.field(name)
        if field is None:
            yield _lacks(need, name, "is missing or hidden", "Create it if it is missing, and")
        elif name in need.written and not _writable(field, need):
            yield _lacks(need, name, "cannot be written", "In field-level security")
    if need.written:
        yield from _key(schema, need)


def _writable(field: FieldSchema, need: ObjectNeed) -> bool:
    return field.updateable or (need.creates and field.createable)


def _lacks(need: ObjectNeed, name: str, what: str, how: str) -> Finding:
    return Finding(
        ok=False,
        what=f"{need.object}.{name} {what}",
        fix=f"{how} give the integration user access to {need.object}.{name} ({_PERMISSION_SET}).",
    )


def _key(schema: ObjectSchema, need: ObjectNeed) -> Iterator[Finding]:
    field = schema.field(KEY_FIELD)
    if field is None:
        yield _lacks(
            need, KEY_FIELD, "is missing or hidden", "Run `connector salesforce install` or"
        )
    elif not (field.external_id and field.unique):
        fix = "Edit the field: tick External ID and Unique (without regard to case)."
        yield Finding(
            ok=False, what=f"{need.object}.{KEY_FIELD} is not a unique external id", fix=fix
        )


def _changes(gateway: Gateway, objects: Sequence[str]) -> Iterator[Finding]:
    """How changes of each object come to be known: as events, or by asking for them."""
    captured = capture.look(gateway)
    for name in objects:
        if name in captured.objects:
            yield Finding(ok=True, what=f"{name}: its changes come as events")
        else:
            why = captured.reason or f"the channel {capture.CHANNEL} does not carry it"
            yield Finding(ok=True, what=f"{name}: its changes are polled, for {why}")
    for name in capture.unseen(gateway, captured.objects.intersection(objects)):
        yield Finding(
            ok=False,
            what=f"{name}: its events do not come, for the integration user lacks View All on it",
            fix=f"Give the user {_PERMISSION_SET}: connector salesforce install",
        )


def _deliveries(limits: Mapping[str, Any]) -> Iterator[Finding]:
    daily = limits.get("DailyDeliveredPlatformEvents") or {}
    most, left = int(daily.get("Max") or 0), int(daily.get("Remaining") or 0)
    if not most:
        return
    what = f"event deliveries: {left} of {most} left in the rolling 24 hours"
    low = left < most * _LOW_BUDGET
    fix = "Changes are polled meanwhile; capture fewer objects, or buy the add-on."
    yield Finding(ok=not low, what=what, fix=fix if low else "")


def _budget(limits: Mapping[str, Any]) -> Finding:
    daily = limits.get("DailyApiRequests") or {}
    most, left = int(daily.get("Max") or 0), int(daily.get("Remaining") or 0)
    what = f"API requests: {left} of {most} left in the rolling 24 hours"
    if most and left < most * _LOW_BUDGET:
        return Finding(
            ok=False,
            what=what,
            fix="Find what spends them in Setup > Company Information, or raise the allocation.",
        )
    return Finding(ok=True, what=what)
