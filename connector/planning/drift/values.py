"""What a changed picklist means for one place of a live mapping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from connector.domain.values import Value
from connector.mapping.parts.compiled import Choices
from connector.mapping.schema import FieldSchema
from connector.planning.drift.changes import Change, Finding, written
from connector.planning.drift.uses import Use
from connector.store.tables import Drifted

_ALIKE = 0.6


def values_gone(change: Change, now: FieldSchema) -> Iterator[Finding]:
    use = change.use
    for gone in (value for value in _list(use, change.was) if value not in _list(use, now)):
        if gone in use.named_values:
            proposal = _replacement(change, now, gone)
        elif use.passes_through and now.restricted:
            proposal = f"Give the line values: that name {', '.join(now.choices)}"
        else:
            continue
        yield change.finding(
            Drifted.VALUE_GONE,
            f"{change.name}{now.of_type} has no active value {gone} any more",
            _without_value(use, gone, restricted=now.restricted),
            proposal,
            gone,
        )


def _replacement(change: Change, now: FieldSchema, gone: str) -> str:
    choices = change.use.line.choices if change.use.line is not None else None
    instead = _instead(gone, _new_values(change.was, now))
    if instead is None:
        out = "Take it out of values" if choices is not None else f"Take {gone} out"
        return f"{out}, or name another one instead: {', '.join(now.choices)}"
    edit = f"{instead} instead of {gone}"
    if choices is not None:
        edit = written("values", _pairs(choices, gone, instead))
    return f"If {instead} took its place, write {edit}"


def _without_value(use: Use, gone: str, *, restricted: bool) -> str:
    if use.line is not None and not use.line.outbound:
        return f"no row comes with {gone} any more, and the next publish is refused as it stands"
    if restricted:
        return f"a record that stands for {gone} parks {use.what}"
    return f"rows are still given {gone}, which is in no list there any more"


def values_new(change: Change, now: FieldSchema) -> Iterator[Finding]:
    line = change.use.line
    if line is None or not line.inbound or line.choices is None:
        return
    if line.choices.otherwise is not None or not change.was.choices:
        return
    for value in _new_values(change.was, now):
        if value in change.use.named_values:
            continue
        yield change.finding(
            Drifted.VALUE_NEW,
            f"{change.name}{now.of_type} has a new value {value}",
            f"a row that is given {value} parks {change.use.what}: LINE keeps the value from before",
            f"Name it under what it means: {written('values', _with(line.choices, value))}",
            value,
        )


def restricted(change: Change, now: FieldSchema) -> Iterator[Finding]:
    if change.was.restricted or not now.restricted or not change.use.passes_through:
        return
    yield change.finding(
        Drifted.RESTRICTED,
        f"{change.name} takes only the values of its list now",
        f"any other value parks {change.use.what}",
        f"Give the line values: that name {', '.join(now.choices)}",
    )


def _new_values(was: FieldSchema, now: FieldSchema) -> list[str]:
    return [value for value in now.choices if value not in was.choices]


def _list(use: Use, field: FieldSchema) -> Sequence[str]:
    """The values that matter at a place: what only comes in may be of a row that was given another type."""
    return field.choices if use.written else field.picklist


def _instead(gone: str, new: Sequence[str]) -> str | None:
    """The new value that most likely took the place of one that is gone."""
    near = get_close_matches(gone, new, n=1, cutoff=_ALIKE)
    return near[0] if near else new[0] if len(new) == 1 else None


def _pairs(choices: Choices, gone: str, new: str) -> dict[str, Value]:
    """The line's values with one replaced."""
    pairs: dict[str, Value] = {}
    for ours, theirs in choices.pairs:
        kept = [new if value == gone else value for value in theirs]
        pairs[str(ours)] = kept[0] if len(kept) == 1 else kept
    return pairs


def _with(choices: Choices, new: str) -> dict[str, Value]:
    """The line's values with one more, whose meaning only the admin knows."""
    return {**_pairs(choices, "", ""), "…": new}
