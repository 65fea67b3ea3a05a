"""Every state a row can be in, and the moves between them, as data.

A move that is not listed here is a bug and raises `IllegalMove`; the store makes every
move as a compare-and-set, so that two workers never make the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class InboxState(StrEnum):
    """Where a received row stands on its way to being read."""

    READY = "ready"  # to be read
    WAITING = "waiting"  # to be read again later
    CLAIMED = "claimed"  # being read
    DONE = "done"  # read; its effects are its own
    DEAD = "dead"  # could not be read


class Ledger(StrEnum):
    """What became of a received row; exactly one holds at any moment (design rule 18)."""

    IN_FLIGHT = "in_flight"
    DEAD = "dead"
    PARKED = "parked"
    WRITTEN = "written"
    NOTIFIED = "notified"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"


class EffectState(StrEnum):
    """Where one effect of a received row stands."""

    OPEN = "open"
    DEAD = "dead"
    PARKED = "parked"
    WRITTEN = "written"
    NOTIFIED = "notified"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"


class OutboxState(StrEnum):
    """Where the intent to bring a pair up to date stands. A settled intent is deleted."""

    READY = "ready"  # takeable now
    WAITING = "waiting"  # takeable at `due`
    HELD = "held"  # waits for another row: a member, a parent
    CLAIMED = "claimed"  # under way
    PARKED = "parked"  # waits for a person
    DEAD = "dead"  # gave up


class PairState(StrEnum):
    """Whether a record and its row are still tied."""

    OPEN = "open"
    RELEASING = "releasing"  # our marks are being cleared from the row
    GONE = "gone"  # the row was deleted; the pair comes back with it
    CLOSED = "closed"


class MatchState(StrEnum):
    """What is known of the row a pair was looking for."""

    PENDING = "pending"  # not looked for yet
    NONE = "none"  # looked for: the pair makes its own
    FOUND = "found"  # an existing row was taken
    CONFLICT = "conflict"  # several, or not clearly ours: a person decides


class EnvelopeState(StrEnum):
    """Where a message stands on its way to a LINE user."""

    READY = "ready"
    WAITING = "waiting"  # for a reply token or a later try
    HELD = "held"  # quiet hours, no friendship yet
    CLAIMED = "claimed"
    ACCEPTED = "accepted"  # LINE took it
    UNCERTAIN = "uncertain"  # LINE may have taken it; never sent again
    TAPPED = "tapped"
    UNREACHABLE = "unreachable"  # blocked, or not a friend
    EXPIRED = "expired"  # older than its rule allows
    DEAD = "dead"


class NoticeState(StrEnum):
    """How far a notice came: the delivery levels of design section 7."""

    OWED = "owed"
    ACCEPTED = "accepted"
    UNCERTAIN = "uncertain"
    TAPPED = "tapped"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    DEAD = "dead"


class ChallengeState(StrEnum):
    """Where a one-time code stands."""

    OPEN = "open"
    USED = "used"
    LOCKED = "locked"  # five wrong tries
    EXPIRED = "expired"


class ConflictState(StrEnum):
    """Whether a person has decided."""

    OPEN = "open"
    RESOLVED = "resolved"


class ConflictKind(StrEnum):
    """What is undecided about a line, or about a pair as a whole."""

    MERGE = "merge"  # both sides hold different values
    VALUE = "value"  # one side holds what the other cannot
    WAIT = "wait"  # a row that the line looks for is not there yet
    OVERWRITTEN = "overwritten"  # our write came over an edit that it had not seen
    FLIPS = "flips"  # two writers keep turning each other's value back: the line is frozen
    MATCH = "match"  # it is not clear which row belongs to the record


_I, _O, _E = InboxState, OutboxState, EnvelopeState

# By table first: a state is equal to one of another table that is spelt the same.
MOVES: Mapping[type[StrEnum], Mapping[StrEnum, frozenset[StrEnum]]] = {
    _I: {
        _I.READY: frozenset({_I.CLAIMED}),
        _I.WAITING: frozenset({_I.READY}),
        _I.CLAIMED: frozenset({_I.DONE, _I.WAITING, _I.READY, _I.DEAD}),
        _I.DEAD: frozenset({_I.READY}),
        _I.DONE: frozenset(),
    },
    _O: {
        _O.READY: frozenset({_O.CLAIMED}),
        _O.WAITING: frozenset({_O.READY}),
        _O.HELD: frozenset({_O.READY}),
        _O.CLAIMED: frozenset({_O.READY, _O.WAITING, _O.HELD, _O.PARKED, _O.DEAD}),
        _O.PARKED: frozenset({_O.READY}),
        _O.DEAD: frozenset({_O.READY}),
    },
    _E: {
        # Unsent messages of a restored database expire where they stand.
        _E.READY: frozenset({_E.CLAIMED, _E.EXPIRED}),
        _E.WAITING: frozenset({_E.READY, _E.EXPIRED}),
        _E.HELD: frozenset({_E.READY, _E.EXPIRED}),
        _E.CLAIMED: frozenset(
            {
                _E.READY,
                _E.WAITING,
                _E.HELD,
                _E.ACCEPTED,
                _E.UNCERTAIN,
                _E.UNREACHABLE,
                _E.EXPIRED,
                _E.DEAD,
            }
        ),
        _E.ACCEPTED: frozenset({_E.TAPPED}),
        _E.UNCERTAIN: frozenset({_E.TAPPED}),
        _E.TAPPED: frozenset(),
        _E.UNREACHABLE: frozenset(),
        _E.EXPIRED: frozenset(),
        _E.DEAD: frozenset({_E.READY}),
    },
}


class IllegalMove(Exception):
    """A row was asked to make a move that its states do not allow."""

    def __init__(self, was: StrEnum, to: StrEnum) -> None:
        super().__init__(f"no move from {was!r} to {to!r}")
        self.was, self.to = was, to


def check_move(was: StrEnum, to: StrEnum) -> None:
    """Raise `IllegalMove` unless `was` may become `to`."""
    if to not in MOVES[type(was)].get(was, ()) or type(to) is not type(was):
        raise IllegalMove(was, to)
