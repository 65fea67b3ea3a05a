"""What a change of one field in the org means for one place of a live mapping, and the edit that mends it.

Pure: what `describe` said before and says now, in; findings, out. A rule is silent where the mapping
copes already: a line that cuts its text does not mind a shorter field.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from connector.domain.lines import Direction
from connector.domain.values import Value
from connector.mapping.documents.document import FieldLine
from connector.mapping.schema import FieldSchema
from connector.planning.drift.changes import Change, Finding, written
from connector.planning.drift.uses import Use
from connector.planning.drift.values import restricted, values_gone, values_new
from connector.store.tables import Drifted

_ALIKE = 0.6
_TEXTS = ("string", "textarea", "encryptedstring", "combobox", "url")
_ALLOW = (
    "Give the integration user {right} to {object}.{field} again "
    "(Setup > Permission Sets > LINE Connector > {object}), or {otherwise}."
)


def judge(change: Change) -> Iterator[Finding]:
    """Everything that the change of a field means for the place."""
    now = change.after.field(change.was.name)
    if now is None:
        yield _gone(change)
    elif not _same_kind(change.was, now):
        yield _other_type(change, now)
    else:
        yield from _shorter(change, now)
        yield from values_gone(change, now)
        yield from values_new(change, now)
        yield from restricted(change, now)
        yield from _required(change, now)
    if now is not None:
        yield from _not_writable(change, now)


def _gone(change: Change) -> Finding:
    use, was = change.use, change.was
    new = _renamed(change)
    if new is not None and use.spec is not None:
        edit = written("salesforce", _in_place(use, was.name, new.name))
        return change.finding(
            Drifted.FIELD_GONE,
            f"{change.name} is gone; {new.name} ({new.label or new.type}) is new and alike",
            _without(change),
            f"If it was renamed, write {edit}",
        )
    otherwise = f"write {new.name} instead" if new is not None else f"take {use.what} out"
    return change.finding(
        Drifted.FIELD_GONE,
        f"{change.name} is gone, or this user may not see it any more",
        _without(change),
        _ALLOW.format(right="Read", object=use.object, field=was.name, otherwise=otherwise),
    )


def _without(change: Change) -> str:
    use = change.use
    if use.written:
        return f"rows of {change.live.mapping.name} are refused when they are written"
    if use.line is not None:
        return f"{use.what} says nothing any more: what is entered there does not reach LINE"
    return f"{use.what} cannot be asked any more: records that need it are parked"


def _in_place(use: Use, old: str, new: str) -> Value:
    names = list(use.spec.salesforce) if use.spec is not None else [old]
    renamed: list[Value] = []
    for name in names:
        child, dot, field = name.rpartition(".")
        renamed.append(f"{child}{dot}{new}" if field.lower() == old.lower() else name)
    return renamed if len(renamed) > 1 else renamed[0]


def _renamed(change: Change) -> FieldSchema | None:
    """The new field that is most likely the old one under another name."""
    fresh = [
        each for each in change.after.fields.values() if change.before.field(each.name) is None
    ]
    alike = [(_likeness(change.was, each), each) for each in fresh if _same_kind(change.was, each)]
    best = max(alike, key=lambda found: found[0], default=None)
    return best[1] if best is not None and best[0] >= _ALIKE else None


def _likeness(one: FieldSchema, other: FieldSchema) -> float:
    if one.label and one.label == other.label:
        return 1.0
    return SequenceMatcher(None, one.name.lower(), other.name.lower()).ratio()


def _other_type(change: Change, now: FieldSchema) -> Finding:
    told = [each for each in change.live.problems if now.name in each.message]
    return change.finding(
        Drifted.TYPE,
        f"{change.name} is a {now.type} field now; it was a {change.was.type} field",
        f"the mapping does not pass its check any more: {told[0].message}"
        if told
        else "values are brought into the new form; those that do not fit park their line",
        f"{told[0].hint[:1].upper()}{told[0].hint[1:]}."
        if told and told[0].hint
        else "See both ways with connector mappings preview, mend the line, then publish.",
    )


def _shorter(change: Change, now: FieldSchema) -> Iterator[Finding]:
    was, use = change.was, change.use
    shrunk = now.length and (not was.length or now.length < was.length)
    if not shrunk or not use.passes_through or use.spec is None or _cuts_to(use.spec) <= now.length:
        return
    proposal = f"Write {written('transform', _cut(use.spec, now.length))}"
    if use.spec.direction is Direction.BOTH:
        proposal = (
            f"Lengthen {change.name} again: a line that goes both ways cannot cut its text. Or let "
            f"the line go to Salesforce only, and {proposal[:1].lower()}{proposal[1:]}"
        )
    yield change.finding(
        Drifted.SHORTER,
        f"{change.name} holds {now.length} characters now; it held "
        f"{was.length or 'texts of any length'}",
        f"a longer text parks {use.what}, and the rest of its row goes on",
        proposal,
    )


def _cuts_to(spec: FieldLine) -> float:
    cuts = [call.argument for call in spec.transform if call.name == "truncate"]
    return min((cut for cut in cuts if isinstance(cut, int)), default=float("inf"))


def _cut(spec: FieldLine, length: int) -> list[Value]:
    """The line's transforms, with a text cut to the length at the end."""
    kept: list[Value] = [
        call.name if call.argument is None else {call.name: call.argument}
        for call in spec.transform
        if call.name != "truncate"
    ]
    return [*kept, {"truncate": length}]


def _required(change: Change, now: FieldSchema) -> Iterator[Finding]:
    line = change.use.line
    if change.was.required or not now.required or line is None or not change.use.written:
        return
    if line.default is not None or line.is_constant:
        return
    yield change.finding(
        Drifted.REQUIRED,
        f"{change.name} is required now",
        f"a record without a value for it parks {change.use.what}, and no new row is made of it",
        f"Add default: to {change.use.what}, with a value for records that have none",
    )


def _not_writable(change: Change, now: FieldSchema) -> Iterator[Finding]:
    use, was = change.use, change.was
    on_create = use.on_create and was.createable and not now.createable
    on_update = use.on_update and was.updateable and not now.updateable
    if not on_create and not on_update:
        return
    when = "at all" if not now.createable and not now.updateable else "once the row is there"
    otherwise = "let the line only read it: direction: from_salesforce"
    if not on_create:
        otherwise = "let the line speak at creation only: write: create"
    elif now.updateable:
        when = "when a row is made"
        otherwise = f"take {use.what} out"
    if now.calculated:
        when, otherwise = "at all: it is a formula", f"take {use.what} out"
    yield change.finding(
        Drifted.NOT_WRITABLE,
        f"{change.name} cannot be written any more {when}",
        f"rows of {change.live.mapping.name} that carry it are refused",
        _ALLOW.format(right="Edit", object=change.after.name, field=was.name, otherwise=otherwise),
    )


def _same_kind(one: FieldSchema, other: FieldSchema) -> bool:
    """Whether both types hold the same values."""
    return one.type == other.type or (one.type in _TEXTS and other.type in _TEXTS)
