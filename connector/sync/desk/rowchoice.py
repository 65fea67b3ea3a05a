"""A person's choice of the row that belongs to a record: one that is there, or a new one (design rule 4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.domain.lines import Cause, Lane
from connector.domain.states import ConflictKind, ConflictState, MatchState, PairState
from connector.errors import ConnectorError
from connector.mapping.canonical import long_id
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import KEY_FIELD
from connector.store.tables import Conflict, Pair, Record
from connector.sync import effects, outbox
from connector.sync.changes import Scene
from connector.sync.desk.conflicts import Dispute
from connector.sync.pairs import identity

_ID = re.compile(r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?")


class Choice(Protocol):
    """What of a decision is about rows."""

    @property
    def given(self) -> str | None:
        """The row's Id; None for a new row."""

    @property
    def take_over(self) -> bool:
        """Whether the row may be taken from the LINE record that holds it."""


def refuse_unknown_row(gateway: Gateway, dispute: Dispute, given: str) -> None:
    """Ask the org whether it has that row: a pair must not be tied to one that is not there."""
    name = dispute.pair.object
    if not _ID.fullmatch(given):
        raise ConnectorError(
            "unknown_row", f"{given!r} is no Salesforce id", "Copy it from the address of the row."
        )
    if gateway.read(name, [long_id(given)], [KEY_FIELD])[0] is None:
        raise ConnectorError(
            "unknown_row",
            f"the org has no {name} {given}, or does not show it to us",
            "Check the id; give the integration user sight of the row.",
        )


def holders(session: Session, choice: Choice, disputes: Sequence[Dispute]) -> list[Pair]:
    """The pairs that hold the chosen row now: they are locked with the others."""
    if choice.given is None or not disputes or disputes[0].kind != ConflictKind.MATCH:
        return []
    return (
        [held]
        if (held := identity.holder(session, disputes[0].pair, long_id(choice.given)))
        else []
    )


def choose(scene: Scene, dispute: Dispute, given: str | None, *, take_over: bool) -> Conflict:
    """Tie the pair to a row, or let it make one; says what was decided, as a conflict."""
    pair = dispute.pair
    row = long_id(given) if given is not None else None
    if row is not None:
        _free(scene, dispute, row, take_over=take_over)
    elif pair.salesforce_id is not None:
        pair.key = str(uuid7())  # the old one stays with the row that was lost
    pair.salesforce_id, pair.match = row, MatchState.NONE if row is None else MatchState.FOUND
    pair.base, pair.attempt, pair.unseen_write, pair.reason = {}, None, False, None
    pair.looks = pair.doubts = pair.flips = None
    outbox.release(scene.session, (pair.id,))  # what waited to learn which row it is
    return Conflict(
        pair_id=pair.id,
        kind=ConflictKind.MATCH,
        line="",
        reason=dispute.reason,
        next_step=dispute.next_step,
        state=ConflictState.OPEN,
        opened_at=dispute.opened_at,
    )


def _free(scene: Scene, dispute: Dispute, row: str, *, take_over: bool) -> None:
    """Refuse a row that another record holds, unless it is to be taken from it."""
    held = identity.holder(scene.session, dispute.pair, row)
    if held is None or (held.state is PairState.RELEASING and take_over):
        return
    kind = scene.session.scalar(sa.select(Record.kind).where(Record.id == held.record_id))
    holder = f"{kind}:{held.record_id}"
    if held.state is PairState.RELEASING:
        raise ConnectorError(
            "row_taken", f"{holder} is just letting go of {row}", "Try again in a minute."
        )
    if not take_over:
        raise ConnectorError(
            "row_taken",
            f"{dispute.pair.object} {row} belongs to {holder}",
            "Let that person unbind first, or say --take-over: it loses its row, and our marks on it.",
        )
    held.state, held.reason = PairState.RELEASING, f"an operator gave its row to {dispute.name}"
    scene.session.flush()
    effects.link_pair(scene.session, scene.received, held.id, held.version)
    outbox.want(scene.session, held.id, Lane.URGENT, Cause.RECONCILE)
