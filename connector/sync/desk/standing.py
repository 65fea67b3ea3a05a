"""The three kinds of things that can stand still, each as a query that groups them by what stops them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute

from connector.domain.states import EnvelopeState, InboxState, Ledger, MatchState, OutboxState
from connector.store.tables import Envelope, Outbox, Pair, Received
from connector.sync.desk.rootcauses import BY_MESSAGE

_READ_NEXT = (
    "See it with `connector dead show ID`; correct it with `connector dead edit ID`, or update the "
    "connector if it should have understood it."
)
_SEND_NEXT = "See it with `connector dead show ID`."
# Ids, numbers and addresses differ from one to the next and are none of the cause's business. Each
# pattern is plain: over a hundred thousand rows an alternative more in one costs seconds.
_IDS = "[0-9a-zA-Z+-]*[0-9][0-9a-zA-Z-]{5,}"
_ADDRESSES = "[^ :“”'\"]+@[^ ,;:“”'\"]+"
_SEEN = "; with "  # what follows is what an expression saw


class What(StrEnum):
    """What can stand still."""

    PAIR = "pair"
    INBOX = "inbox"
    ENVELOPE = "envelope"


@dataclass(frozen=True)
class Standing:
    """One kind of thing that stands still, and the columns that its groups go by."""

    what: What
    id: InstrumentedAttribute[Any]
    order: InstrumentedAttribute[Any]
    since: InstrumentedAttribute[datetime]
    reason: InstrumentedAttribute[Any]
    next_step: sa.SQLColumnExpression[Any]
    by: Mapping[str, sa.SQLColumnExpression[Any]]  # what groups go by
    source: sa.FromClause
    where: sa.ColumnElement[bool]

    def listed(self, *columns: Any) -> sa.Select[Any]:
        """A query over all of this kind that stands still."""
        return sa.select(*columns).select_from(self.source).where(self.where)


def standings(*, held: bool) -> tuple[Standing, ...]:
    """What is parked or dead, or with `held` what waits for another."""
    if held:
        return _pairs([OutboxState.HELD]), _messages([EnvelopeState.HELD])
    return (
        _pairs([OutboxState.PARKED, OutboxState.DEAD]),
        _events(),
        _messages([EnvelopeState.DEAD]),
    )


def _pairs(states: Sequence[OutboxState]) -> Standing:
    code = Outbox.fault["code"].astext
    fields = sa.func.coalesce(Outbox.fault["fields"], sa.literal([], JSONB))
    named = sa.and_(
        code.is_not(None), sa.func.jsonb_array_length(fields) > 0, code.not_in(BY_MESSAGE)
    )
    said = _plain(sa.func.coalesce(Outbox.fault["message"].astext, Outbox.reason, ""))
    return Standing(
        what=What.PAIR,
        id=Outbox.pair_id,
        order=Outbox.id,
        since=Outbox.since,
        reason=Outbox.reason,
        next_step=Outbox.next_step,
        by={
            "state": _text(Outbox.state),
            "object": Pair.object,
            "code": sa.func.coalesce(code, ""),
            "fields": _text(fields),
            "unclear": Pair.match == MatchState.CONFLICT,
            "detail": sa.case((named, ""), else_=said),
        },
        source=sa.join(Outbox, Pair, Pair.id == Outbox.pair_id),
        where=Outbox.state.in_(states),
    )


def _events() -> Standing:
    return Standing(
        what=What.INBOX,
        id=Received.id,
        order=Received.id,
        since=Received.received_at,
        reason=Received.reason,
        next_step=sa.literal(_READ_NEXT),
        by={
            "state": _text(Received.state),
            "object": _text(Received.source) + " " + Received.kind,
            "detail": _plain(sa.func.coalesce(Received.reason, "")),
        },
        source=Received.__table__,
        where=sa.and_(Received.ledger == Ledger.DEAD, Received.state == InboxState.DEAD),
    )


def _messages(states: Sequence[EnvelopeState]) -> Standing:
    code = sa.func.substring(Envelope.reason, r"^([a-z_]+): ")
    return Standing(
        what=What.ENVELOPE,
        id=Envelope.id,
        order=Envelope.id,
        since=Envelope.created_at,
        reason=Envelope.reason,
        next_step=sa.func.coalesce(Envelope.next_step, _SEND_NEXT),
        by={
            "state": _text(Envelope.state),
            "code": sa.func.coalesce(code, ""),
            "detail": _plain(sa.func.coalesce(Envelope.reason, "")),
        },
        source=Envelope.__table__,
        where=Envelope.state.in_(states),
    )


def _text(column: Any) -> sa.ColumnElement[str]:
    return sa.cast(column, sa.Text)


def _plain(said: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """A message without what varies; a list of what varies counts as one."""
    bare = sa.func.split_part(said, _SEEN, 1)
    addressed = sa.func.regexp_replace(bare, _ADDRESSES, "…", "g")
    named = sa.case((bare.contains("@"), addressed), else_=bare)
    listed = sa.func.regexp_replace(named, _IDS, "…", "g")
    return sa.func.regexp_replace(listed, "…(, …)+", "…", "g")
