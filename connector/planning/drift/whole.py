"""What the change of an object means for a live mapping: line by line, and for the mapping as a whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from connector.mapping.parts.given import RECORD_TYPE, given
from connector.mapping.schema import ObjectSchema
from connector.planning.drift.changes import Change, Finding
from connector.planning.drift.rules import judge
from connector.planning.drift.uses import Live, Use, uses
from connector.store.tables import Drifted

Schemas = Mapping[str, ObjectSchema]


def findings(
    live: Live, before: Schemas, after: Schemas, hidden: Collection[str] = ()
) -> Sequence[Finding]:
    """Everything that the change of the objects it names means for a mapping.

    `before` and `after` by object; those that the org does not show any more are `hidden`.
    """
    named = [*uses(live)]
    found = [*_hidden(live, named, hidden)]
    for use in named:
        if use.object in before and use.object in after:
            one, other = _as_used(live, use, before[use.object], after[use.object])
            was = one.field(use.field)
            found += () if was is None else judge(Change(live, use, was, one, other))
    own = live.mapping.object
    if own in before and own in after:
        found += _required(live, before[own], after[own])
        found += _record_types(live, before[own], after[own])
    return [*found, *_unfit(live, found)]


def _as_used(
    live: Live, use: Use, before: ObjectSchema, after: ObjectSchema
) -> tuple[ObjectSchema, ObjectSchema]:
    """The object as rows of the mapping have it, where its record type was asked about both times."""
    record_type = live.mapping.record_type
    if use.object != live.mapping.object or not (
        before.knows(record_type) and after.knows(record_type)
    ):
        return before, after
    return before.under(record_type), after.under(record_type)


def _hidden(live: Live, named: Sequence[Use], hidden: Collection[str]) -> Iterator[Finding]:
    own = live.mapping.object
    places = {own: live.at("to")}
    for use in named:
        places.setdefault(use.object, use.place)
    for name in (name for name in places if name in hidden):
        rights = "Read, Create and Edit" if name == own else "Read"
        effect = f"nothing of {live.mapping.name} is written or read"
        yield Finding(
            Drifted.OBJECT_HIDDEN,
            name,
            places[name],
            f"{name} is gone, or this user may not see it any more",
            effect if name == own else f"what {live.mapping.name} reads there is not found",
            f"Give the integration user {rights} on {name} again (Setup > Permission Sets > "
            "LINE Connector > Object Settings), or rest the mapping with enabled: false",
            name,
        )


def _required(live: Live, before: ObjectSchema, after: ObjectSchema) -> Iterator[Finding]:
    """Fields that rows cannot be made without any more, and no line fills."""
    named = {name.lower() for name in live.mapping.fields}
    for field in after.fields.values() if live.makes_rows else ():
        was = before.field(field.name)
        if not field.required or field.name.lower() in named or (was and was.required):
            continue
        yield Finding(
            Drifted.REQUIRED,
            field.name,
            live.read.key("fields").line,
            f"{after.name}.{field.name} is required now, and no line fills it",
            f"no new row of {live.mapping.name} can be made",
            f"Add a line that fills it: - {{salesforce: {field.name}, constant: …}}",
            after.name,
            was or replace(field, nillable=True),
        )


def _record_types(live: Live, before: ObjectSchema, after: ObjectSchema) -> Iterator[Finding]:
    names = [each.name for each in given(live.document) if each.field == RECORD_TYPE]
    for name in names:
        if name not in before.record_types or name in after.record_types:
            continue
        others = ", ".join(after.record_types)
        choice = f"name another one: {others}" if others else "take record_type out"
        yield Finding(
            Drifted.RECORD_TYPE,
            name,
            live.at("record_type"),
            f"{after.name} has no active record type {name} any more that this user may use",
            f"new rows of {live.mapping.name} are parked",
            f"Assign the record type to the integration user again, or {choice}",
            after.name,
            record_type=name,
        )


def _unfit(live: Live, found: Sequence[Finding]) -> Iterator[Finding]:
    """What else the check of the mapping says, beside what was found by its reason."""
    names = {each.subject.partition(":")[0].rpartition(".")[2] for each in found}
    told = [re.compile(rf"\b{re.escape(name)}\b") for name in names]
    for problem in live.problems:
        if any(known.search(problem.message) for known in told):
            continue
        hint = f"{problem.hint[:1].upper()}{problem.hint[1:]}" if problem.hint else ""
        yield Finding(
            Drifted.UNFIT,
            problem.message,
            problem.line,
            problem.message,
            f"{live.mapping.name} does not pass its check any more; what this concerns is parked",
            hint
            or "Mend the place and publish: connector mappings check --org tells whether it fits",
            live.mapping.object,
        )
