"""Carry out what a person decided about a conflict: a change with an author, guarded by what they saw.

A decision moves the base of the line to the side that gives way, as it was shown, and has the row read
anew; the merge does the rest. So an edit that was made since is weighed again and never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.lines import Cause, Lane
from connector.domain.states import ConflictKind, ConflictState, PairState
from connector.domain.values import Fields, Value, moment
from connector.errors import ConnectorError
from connector.mapping.parts.compiled import Line
from connector.store import alerts
from connector.store.alerts import AlertKind
from connector.store.session import Store
from connector.store.tables import Conflict, History, Pair, Received, Record
from connector.sync import acts, effects, outbox, views
from connector.sync.catalog import Catalogs
from connector.sync.changes import Scene, alter
from connector.sync.desk import conflicts, entering, rowchoice
from connector.sync.desk.conflicts import Dispute
from connector.sync.incoming.intake import scene_for
from connector.sync.pairs import flips, questions, weighing

_PAGE = 200


class Way(StrEnum):
    """How a conflict can be decided."""

    LINE = "line_stands"
    SALESFORCE = "salesforce_stands"
    VALUE = "value"
    ROW = "row"
    NEW_ROW = "new_row"


_EITHER = (Way.LINE, Way.SALESFORCE, Way.VALUE)
_WAYS: Mapping[str, Sequence[Way]] = {
    ConflictKind.MERGE: _EITHER,
    ConflictKind.OVERWRITTEN: _EITHER,
    ConflictKind.FLIPS: _EITHER,
    ConflictKind.VALUE: (Way.VALUE,),
    ConflictKind.MATCH: (Way.ROW, Way.NEW_ROW),
}


@dataclass(frozen=True)
class Decision:
    """What was decided, by whom and why; `given` is the value as typed, or the row's Id."""

    way: Way
    author: str
    reason: str
    given: str | None = None
    take_over: bool = False  # from the LINE record that holds the row


@dataclass(frozen=True)
class Refused:
    """A conflict that could not be decided this way."""

    id: UUID
    problem: ConnectorError


def resolve(
    store: Store,
    catalogs: Catalogs,
    ids: Sequence[UUID],
    decision: Decision,
    *,
    dry: bool = False,
    looked: Callable[[int], None] = lambda _: None,
) -> list[Refused]:
    """Decide conflicts in pages, each page one act; says which were refused. A dry run changes nothing."""
    refused: list[Refused] = []
    for at in range(0, len(ids), _PAGE):
        page = ids[at : at + _PAGE]
        with store.transaction() as session:
            left = _page(session, catalogs, page, decision, alone=len(ids) == 1)
            if dry or len(left) == len(page):
                session.rollback()
        refused += left
        looked(at + len(page))
    return refused


def _page(
    session: Session, catalogs: Catalogs, ids: Sequence[UUID], decision: Decision, *, alone: bool
) -> list[Refused]:
    told: dict[str, Value] = {
        "reason": decision.reason,
        "decision": decision.way.value,
        "conflicts": [str(each) for each in ids],
    }
    act = acts.act(session, "resolve", decision.author, told, cause=Cause.RECONCILE)
    scene = scene_for(session, catalogs, datetime.now(UTC), (act.id,), "operator")
    scene.author = decision.author
    disputes = conflicts.of(session, scene.catalog, ids)
    _lock(session, disputes, rowchoice.holders(session, decision, disputes))
    refused = []
    for each in disputes:
        try:
            _decide(scene, act, each, decision, Lane.URGENT if alone else Lane.BULK)
        except ConnectorError as problem:
            refused.append(Refused(each.id, problem))
    _close_alerts(session)
    effects.reckon(session, (act.id,))
    return refused


def _lock(session: Session, disputes: Sequence[Dispute], holders: Sequence[Pair]) -> None:
    """Records, then pairs, then conflicts, as everywhere; what was read of them is read again."""
    pairs = [*(each.pair for each in disputes), *holders]
    tables: tuple[tuple[type[Record | Pair | Conflict], Sequence[UUID]], ...] = (
        (Record, [pair.record_id for pair in pairs]),
        (Pair, [pair.id for pair in pairs]),
        (Conflict, [each.id for each in disputes]),
    )
    for table, ids in tables:
        here = sa.select(table).where(table.id.in_(ids)).order_by(table.id).with_for_update()
        session.scalars(here.execution_options(populate_existing=True)).all()


def _decide(scene: Scene, act: Received, dispute: Dispute, decision: Decision, lane: Lane) -> None:
    _refuse(dispute, decision)
    pair, record, conflict = dispute.pair, dispute.record, dispute.conflict
    if conflict is None:
        conflict = rowchoice.choose(scene, dispute, decision.given, take_over=decision.take_over)
    else:
        _settle_line(scene, dispute, conflict, decision)
    questions.close(conflict, decision.author)
    conflict.decision = {"way": decision.way.value, "reason": decision.reason}
    scene.session.add(conflict)
    scene.session.add(_history(scene, act, dispute, decision))
    effects.link_pair(scene.session, scene.received, pair.id, record.version)
    outbox.want(scene.session, pair.id, lane, Cause.RECONCILE, recheck=True)


def _refuse(dispute: Dispute, decision: Decision) -> None:
    if not dispute.is_open:
        known = dispute.conflict
        at = known.resolved_at if known is not None else None
        raise ConnectorError(
            "already_resolved",
            f"conflict {dispute.id} is closed already: {known.resolved_by if known else 'gone'}"
            + (f", {moment(at)}" if at is not None else ""),
            "See what is open: connector conflicts list",
        )
    ways = _WAYS.get(dispute.kind, ())
    if decision.way not in ways:
        options = ", ".join("--" + way.value.replace("_", "-") for way in ways)
        raise ConnectorError(
            "wrong_decision",
            f"a conflict of the kind {dispute.kind} is not decided by {decision.way.value}",
            f"Decide it by {options}." if options else dispute.next_step,
        )
    if dispute.pair.state is not PairState.OPEN:
        raise ConnectorError(
            "not_paired",
            f"{dispute.name} and its row are no longer paired: {dispute.pair.reason}",
            f"See where it stands: connector explain {dispute.name}",
        )


# -- a line


def _settle_line(scene: Scene, dispute: Dispute, conflict: Conflict, decision: Decision) -> None:
    line = dispute.line
    if line is None:
        return  # the mapping has no such line any more: there is nothing to decide
    overwritten = conflict.kind == ConflictKind.OVERWRITTEN  # both sides hold ours already
    if decision.way is Way.VALUE:
        value = _typed(dispute, line, decision.given or "")
        _enter(scene, dispute, conflict, line, value)
    elif decision.way is Way.SALESFORCE and overwritten:
        _enter(scene, dispute, conflict, line, line.inverse(conflict.theirs or {}))
    elif not overwritten:
        ours_gives_way = decision.way is Way.SALESFORCE
        _give_way(dispute, line, conflict.ours if ours_gives_way else conflict.theirs)
    if conflict.kind == ConflictKind.FLIPS:
        flips.thaw(dispute.pair, line.id)


def _typed(dispute: Dispute, line: Line, text: str) -> Value:
    schema = dispute.mapping.schema if dispute.mapping is not None else None
    if schema is None or line.source is None or line.source not in schema.values:
        raise ConnectorError(
            "no_value",
            f"{line.id} is not made from one value of the {dispute.record.kind}, so none can be given",
            "Correct the record that it comes from, or the mapping.",
        )
    return entering.read(schema, line.source, text)


def _enter(scene: Scene, dispute: Dispute, conflict: Conflict, line: Line, value: Value) -> None:
    """Give the record a value, unless somebody else gave it one since the conflict was shown."""
    record, source = dispute.record, line.source or ""
    seen = views.view_of(scene.session, record)
    if conflict.ours is not None and not line.same(line.forward(seen), conflict.ours):
        raise ConnectorError(
            "changed_since",
            f"{dispute.name} {source} was changed after the conflict was shown",
            f"Look at it again: connector conflicts show {conflict.id}",
        )
    if line.outbound:
        line.forward({**seen, source: value})  # refuses what no field could hold
    if conflict.kind != ConflictKind.OVERWRITTEN:
        _give_way(dispute, line, conflict.theirs, needed=False)
    change = Change(
        record.id,
        record.kind,
        {source: value},
        record.person_id,
        cause=Cause.RECONCILE,
        notify=False,
    )
    alter(scene, record, change)


def _give_way(dispute: Dispute, line: Line, shown: Fields | None, *, needed: bool = True) -> None:
    """Let the side that held these fields be as if both had agreed on them: the other one is news."""
    if shown is None:
        if needed:
            raise ConnectorError(
                "not_shown",
                f"{line.id}: what that side holds is not known yet",
                f"Give a value, or have it read: connector recheck {dispute.name}",
            )
        return
    version = dispute.mapping.version if dispute.mapping is not None else 0
    pair = dispute.pair
    pair.base = {**pair.base, **weighing.conceded(line, shown, version)}


def _close_alerts(session: Session) -> None:
    """The alerts of lines that are frozen no more are over."""
    session.flush()
    here = sa.select(Pair.id, Conflict.line).join(Pair, Pair.id == Conflict.pair_id)
    still = Conflict.kind == ConflictKind.FLIPS, Conflict.state == ConflictState.OPEN
    keep = [f"{pair}:{line}" for pair, line in session.execute(here.where(*still))]
    alerts.close(session, AlertKind.FLIPS, keep=keep)


def _history(scene: Scene, act: Received, dispute: Dispute, decision: Decision) -> History:
    after: dict[str, Value] = {
        "value": decision.way.value,
        "line": dispute.line_id,
        "reason": decision.reason,
    }
    return History(
        record_id=dispute.record.id,
        version=dispute.record.version,
        name="resolve",
        before={"value": dispute.kind},
        after=after,
        side="operator",
        cause=Cause.RECONCILE,
        received_id=act.id,
        author=decision.author,
        at=scene.now,
    )
