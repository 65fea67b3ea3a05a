"""How an envelope's way goes on or ends, with the words for it; its notices and the ledger follow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.faults import Fault
from connector.domain.states import EffectState, EnvelopeState, NoticeState, check_move
from connector.store import sets
from connector.store.session import among, book
from connector.store.tables import Attempt, Envelope, LineAccount, Notice
from connector.sync import effects

NO_ACCOUNT = (
    "the official account is not set up",
    "Add it to the setting CONNECTOR_LINE_ACCOUNTS; what is owed from then on is sent.",
)
BLOCKED = (
    "the person blocked the account",
    "Nothing to do: they get messages again once they unblock it.",
)
MAY_BE_FREE = (
    "a reply may be free",
    "Nothing to do: if no reply token comes, it is sent as a push.",
)
QUIET_HOURS = ("quiet hours", "Nothing to do: it is sent when the quiet hours end.")
TOO_OLD = (
    "older than its rule allows",
    "Nothing to do if that is meant; else raise `max_age` in notices.yaml and publish it.",
)
MAY_HAVE_COME = "the reply may have arrived"
NEVER_AGAIN = "Nothing to do: the person may have it, so it is never sent again."
_RANK = 8
_LEVELS: Mapping[EnvelopeState, tuple[NoticeState, EffectState]] = {
    EnvelopeState.ACCEPTED: (NoticeState.ACCEPTED, EffectState.NOTIFIED),
    EnvelopeState.UNCERTAIN: (NoticeState.UNCERTAIN, EffectState.NOTIFIED),
    EnvelopeState.UNREACHABLE: (NoticeState.UNREACHABLE, EffectState.IGNORED),
    EnvelopeState.EXPIRED: (NoticeState.EXPIRED, EffectState.IGNORED),
    EnvelopeState.DEAD: (NoticeState.DEAD, EffectState.DEAD),
}


def owed(session: Session, envelopes: Collection[Envelope]) -> Mapping[UUID, Sequence[Notice]]:
    """The notices that each envelope still owes."""
    found: dict[UUID, list[Notice]] = {}
    ids = [envelope.id for envelope in envelopes]
    here = sa.select(Notice).where(among(Notice.envelope_id, ids), Notice.state == NoticeState.OWED)
    for notice in session.scalars(here.order_by(Notice.id)) if ids else ():
        found.setdefault(notice.envelope_id, []).append(notice)
    return found


def end(
    session: Session,
    envelope: Envelope,
    to: EnvelopeState,
    reason: str | None = None,
    next_step: str | None = None,
    *,
    notices: Sequence[Notice] | None = None,
) -> None:
    """The envelope's way is over; its notices, looked for unless given, and the ledger say so."""
    check_move(EnvelopeState.CLAIMED, to)
    envelope.state, envelope.reason, envelope.next_step = to, reason, next_step
    envelope.claim_token = envelope.claimed_until = None
    level, effect = _LEVELS[to]
    notices = owed(session, [envelope]).get(envelope.id, ()) if notices is None else notices
    for notice in notices:
        notice.state = level
    effects.move_notices(session, [notice.id for notice in notices], effect)


def back(envelope: Envelope, to: EnvelopeState, due: datetime, reason: str, next_step: str) -> None:
    """It is tried again, or waits."""
    check_move(EnvelopeState.CLAIMED, to)
    envelope.state, envelope.due = to, due
    envelope.reason, envelope.next_step = reason, next_step
    envelope.claim_token = envelope.claimed_until = None


def rest(session: Session, oa: str, reason: str, until: datetime) -> None:
    """The whole official account rests."""
    session.execute(
        sa.update(LineAccount)
        .where(LineAccount.oa == oa)
        .values(paused_until=until, reason=reason[:500])
    )


def log(session: Session, envelope: Envelope, fault: Fault | None, now: datetime) -> None:
    """Keep a try."""
    messages = (envelope.body or {}).get("messages")
    told: dict[str, object] = {
        "envelope_id": envelope.id,
        "at": now,
        "operation": envelope.via or "push",
        "sent": {"messages": len(messages) if isinstance(messages, list) else 0},
        "outcome": "accepted" if fault is None else "failed",
        "answer": None if fault is None else {"code": fault.code, "message": fault.message},
    }
    book(session, _Page, _RANK, _write).tries.append(told)


@dataclass
class _Page:
    tries: list[Mapping[str, object]] = field(default_factory=list)


def _write(session: Session, page: _Page) -> None:
    sets.insert_all(session, Attempt, page.tries)
