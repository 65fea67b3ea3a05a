"""Three-way merge of one field line, in the shape Salesforce holds.

`base` is what both sides last agreed on, `ours` what the LINE record says, `theirs` what the
Salesforce row says. The answer is one verdict per line; nothing is done here.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from connector.domain.lines import Direction, Policy, Write
from connector.domain.values import Fields, Value


class Action(StrEnum):
    """What is to become of one line."""

    KEEP = "keep"  # nothing to do; the base stays
    AGREE = "agree"  # both say the same: that is the new base
    SEND = "send"  # the row takes our value
    TAKE = "take"  # the record takes their value
    ASK = "ask"  # a person decides


class Verdict(NamedTuple):
    """An action and the fields it is about."""

    action: Action
    fields: Fields


class Cell(NamedTuple):  # a tuple, since one is made for each line of each record
    """One field line at one moment. None means: not said, not read, never met."""

    direction: Direction
    write: Write
    policy: Policy
    first_meeting: Policy
    ours: Fields | None
    theirs: Fields | None
    base: Fields | None
    creating: bool = False  # the row is about to be made
    guarded: bool = False  # sent only where Salesforce still holds the base


Same = Callable[[Fields, Fields], bool]


def equal(one: Fields, other: Fields) -> bool:
    """The plain comparison; lines whose values have several spellings bring their own."""
    return dict(one) == dict(other)


def is_blank(fields: Fields) -> bool:
    """Whether no field holds anything; a checkbox that is off holds nothing to lose."""
    return all(_holds_nothing(value) for value in fields.values())


def _holds_nothing(value: Value) -> bool:
    return value is None or value is False or value in ("", [])  # 0 is a value


def judge(cell: Cell, same: Same = equal) -> Verdict:
    """The verdict on one line."""
    if cell.creating:
        return _at_creation(cell)
    if cell.direction is Direction.FROM_SALESFORCE:
        return _inbound(cell, same)
    if cell.direction is Direction.TO_SALESFORCE:
        return _outbound(cell, same)
    return _both_ways(cell, same)


def _at_creation(cell: Cell) -> Verdict:
    if cell.ours is None:
        return Verdict(Action.KEEP, {})
    return Verdict(Action.AGREE if is_blank(cell.ours) else Action.SEND, cell.ours)


def _inbound(cell: Cell, same: Same) -> Verdict:
    if cell.theirs is None or (cell.base is not None and same(cell.theirs, cell.base)):
        return Verdict(Action.KEEP, {})
    return Verdict(Action.TAKE, cell.theirs)


def _outbound(cell: Cell, same: Same) -> Verdict:
    if cell.ours is None or cell.write is Write.CREATE:
        return Verdict(Action.KEEP, {})
    if cell.write is Write.BLANK:
        return _fill(cell)
    if cell.base is None:
        return _first_meeting(cell, same, takes=False)
    if same(cell.ours, cell.base):
        return Verdict(Action.KEEP, {})
    if cell.guarded and cell.theirs is not None and not same(cell.theirs, cell.base):
        return Verdict(Action.KEEP, {})  # somebody in Salesforce improved on the computed value
    return Verdict(Action.SEND, cell.ours)


def _fill(cell: Cell) -> Verdict:
    if cell.ours is None or cell.theirs is None or not is_blank(cell.theirs):
        return Verdict(Action.KEEP, {})
    return Verdict(Action.KEEP if is_blank(cell.ours) else Action.SEND, cell.ours)


def _first_meeting(cell: Cell, same: Same, *, takes: bool) -> Verdict:
    ours, theirs = cell.ours, cell.theirs
    if ours is None or theirs is None:
        return Verdict(Action.KEEP, {})
    if same(ours, theirs):
        return Verdict(Action.AGREE, theirs)
    if cell.first_meeting is Policy.NO_WINS and _are_boxes(ours, theirs):
        return _settle(Policy.NO_WINS, ours, theirs, takes=takes)  # off is an answer, not a blank
    if is_blank(theirs):
        return Verdict(Action.AGREE if is_blank(ours) else Action.SEND, ours)
    if is_blank(ours):
        return _theirs_stand(ours, theirs, takes=takes)
    return _settle(cell.first_meeting, ours, theirs, takes=takes)


def _are_boxes(*sides: Fields) -> bool:
    return all(isinstance(value, bool) for side in sides for value in side.values())


def _theirs_stand(ours: Fields, theirs: Fields, *, takes: bool) -> Verdict:
    """Their value stays. A line that never takes remembers ours, so that our next edit is one."""
    return Verdict(Action.TAKE, theirs) if takes else Verdict(Action.AGREE, ours)


def _both_ways(cell: Cell, same: Same) -> Verdict:
    ours, theirs, base = cell.ours, cell.theirs, cell.base
    if ours is None:
        return _inbound(cell, same)
    if base is None:
        return _first_meeting(cell, same, takes=True)
    if theirs is None:  # not read: only a line that always wins may be sent blind
        changed = not same(ours, base) and cell.policy is Policy.LINE_WINS
        return Verdict(Action.SEND if changed else Action.KEEP, ours if changed else {})
    if same(ours, theirs):
        return Verdict(Action.AGREE, theirs)  # another spelling of the same is not an edit
    if same(theirs, base):
        return Verdict(Action.SEND, ours)
    if same(ours, base):
        return Verdict(Action.TAKE, theirs)
    merged = _by_element(base, ours, theirs)
    if merged is not None:
        return Verdict(Action.TAKE if same(merged, theirs) else Action.SEND, merged)
    return _settle(cell.policy, ours, theirs, takes=True)


def _settle(policy: Policy, ours: Fields, theirs: Fields, *, takes: bool) -> Verdict:
    if policy is Policy.ASK:
        return Verdict(Action.ASK, {})
    if policy is Policy.LINE_WINS:
        return Verdict(Action.SEND, ours)
    if policy is Policy.NO_WINS and not any(ours.values()):
        return Verdict(Action.SEND, ours)
    return _theirs_stand(ours, theirs, takes=takes)


def _by_element(base: Fields, ours: Fields, theirs: Fields) -> Fields | None:
    """Sets merge by element; None where the line is not made of sets."""
    merged: dict[str, Value] = {}
    for name, mine in ours.items():
        sides = [_elements(value) for value in (base.get(name), mine, theirs.get(name))]
        if all(side is None for side in sides[1:]) or any(side is None for side in sides):
            return None
        was, ours_now, theirs_now = ({*map(str, side or ())} for side in sides)
        kept = was & ours_now & theirs_now
        merged[name] = list[Value](sorted(kept | (ours_now | theirs_now) - was)) or None
    return merged


def _elements(value: Value) -> list[Value] | None:
    """The elements of a set, blank being the empty one; None where the value is no set."""
    return [] if value is None else value if isinstance(value, list) else None
