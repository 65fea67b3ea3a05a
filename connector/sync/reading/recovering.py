"""After a restored database: everything is looked at anew, and nobody hears old news.

A restore brings back what was known at the backup. What happened to those pairs since is read again
from the org: values of both sides' lines, rows that were made, merged or deleted. It cannot bring back
what only this database knew: LINE events and forms since the backup, what was written one way from
them (the org keeps the newer value until the LINE side changes again), and codes claimed since, which
are free again. Rows made since carry keys that nobody here knows; keys are random, so none is minted
twice, and `connector reconcile` lists those rows. Messages that stood in the database may have been
sent since: they are dropped, not repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.lines import Cause, Lane
from connector.domain.states import (
    EffectState,
    EnvelopeState,
    InboxState,
    NoticeState,
    OutboxState,
    check_move,
)
from connector.domain.values import Value, moment, read_moment
from connector.salesforce.gateway import Gateway
from connector.salesforce.steps import Query
from connector.store.session import Store
from connector.store.tables import Envelope, Notice, Org, Outbox, Pair, Received, Stream
from connector.sync import effects, rechecking, runs, windows
from connector.sync.catalog import Catalogs
from connector.sync.rechecking import Ask, Scope
from connector.sync.runs import Begin, Course

KIND = "recover"
EXPIRED, RECHECKED, WINDOWS, GIVEN_BACK = "expired", "rechecked", "streams", "given_back"
REASON: Final = "the database was restored"
_EVERYTHING = Scope(stopped=True)
_MARGIN = timedelta(hours=1)
_NOW = sa.func.clock_timestamp()
_QUIET = {"synchronize_session": False}
_UNSENT = (
    EnvelopeState.READY,
    EnvelopeState.WAITING,
    EnvelopeState.HELD,
    EnvelopeState.CLAIMED,
)


@dataclass(frozen=True)
class Bounds:
    """What a recovery will come to."""

    newest: datetime | None  # the newest thing that the restored database had received
    since: datetime
    pairs: int
    messages: int


@dataclass(frozen=True)
class Recovery:
    """Recovers one database."""

    store: Store
    catalogs: Catalogs
    gateway: Gateway
    author: str

    def bounds(self, since: datetime | None) -> Bounds:
        """What there is to do; without `since` the window begins before the newest thing received."""
        with self.store.reading() as session:
            newest = session.scalar(sa.select(sa.func.max(Received.at)))
            catalog = self.catalogs.live(session)
            unsent = sa.select(sa.func.count()).where(Envelope.state.in_(_UNSENT))
            return Bounds(
                newest,
                since or (newest - _MARGIN if newest is not None else windows.NEVER),
                rechecking.count(session, catalog, _EVERYTHING),
                session.scalar(unsent) or 0,
            )

    def begin(self, since: datetime) -> Course:
        """The run; one that was left unfinished keeps its window."""
        told: dict[str, Value] = {"since": moment(since)}
        with self.store.reading() as session:
            left = runs.unfinished(session, KIND, "*")
        how = Begin.FITTING if left is None else Begin.RESUME
        return runs.begin(self.store, KIND, "*", told, self.author, how)

    def run(self, course: Course, looked: Callable[[int], None] = lambda _: None) -> None:
        """Carry the recovery to its end; it can be broken off at any point and called again."""
        if not course.place:
            at = self._org_time()
            with self.store.transaction() as session:
                self._start_over(session, course, at)
        while self._expire_page(course):
            pass
        while self._recheck_page(course):
            looked(course.done)
        with self.store.transaction() as session:
            course.note(session, finished=True)

    def _org_time(self) -> datetime:
        return self.gateway.run([Query("org", "SELECT Id FROM Organization")]).date

    def _start_over(self, session: Session, course: Course, at: datetime) -> None:
        """Nothing of the old life goes on: claims, positions and causes end in one transaction."""
        session.execute(sa.update(Org).values(recovered_at=at).execution_options(**_QUIET))
        _move_epochs(session)
        course.counts[GIVEN_BACK] = _give_claims_back(session)
        _hush(session)
        since = read_moment(str(course.wanted["since"]))
        course.counts[WINDOWS] = _open_windows(session, since, at)
        course.place = {"recovered_at": moment(at), "after": str(rechecking.FIRST)}
        course.note(session)

    def _expire_page(self, course: Course) -> int:
        """Messages of the old life are not sent: some were, and none is news."""
        until = read_moment(str(course.place["recovered_at"]))
        with self.store.transaction() as session:
            here = (
                sa.select(Envelope)
                .where(Envelope.state.in_(_UNSENT), Envelope.created_at <= until)
                .order_by(Envelope.id)
                .limit(rechecking.PAGE)
                .with_for_update()
            )
            envelopes = session.scalars(here).all()
            for envelope in envelopes:
                check_move(envelope.state, EnvelopeState.EXPIRED)
                envelope.state, envelope.reason = EnvelopeState.EXPIRED, REASON
                envelope.claim_token = envelope.claimed_until = None
            session.flush()
            _drop_notices(session, [envelope.id for envelope in envelopes])
            course.counts[EXPIRED] += len(envelopes)
            course.note(session)
        return len(envelopes)

    def _recheck_page(self, course: Course) -> int:
        after = UUID(str(course.place["after"]))
        with self.store.transaction() as session:
            pairs = rechecking.page(session, self.catalogs.live(session), _EVERYTHING, after)
            rechecking.want(session, pairs, Ask(KIND, self.author, Lane.BULK, Cause.RESTORE))
            if pairs:
                course.place["after"] = str(pairs[-1][0])
                course.done += len(pairs)
                course.counts[RECHECKED] += len(pairs)
                course.note(session)
        return len(pairs)


def _move_epochs(session: Session) -> None:
    """Numbers noted in the old life are behind every number of the new one."""
    session.execute(
        sa.text(
            "SELECT setval('pair_epoch', GREATEST((SELECT max(epoch) FROM pairs),"
            " (SELECT max(noted) FROM received), nextval('pair_epoch')))"
        )
    )


def _give_claims_back(session: Session) -> int:
    """No worker of the old life will come back; what its writes came to is looked up."""
    mine = (
        sa.update(Outbox)
        .where(Outbox.state == OutboxState.CLAIMED)
        .values(state=OutboxState.READY, claim_token=None, claimed_until=None, due=_NOW)
        .returning(Outbox.pair_id)
    )
    pairs = session.scalars(mine.execution_options(**_QUIET)).all()
    unseen = sa.update(Pair).where(Pair.id.in_(pairs)).values(unseen_write=True, written_at=_NOW)
    session.execute(unseen.execution_options(**_QUIET))
    events = session.scalars(
        sa.update(Received)
        .where(Received.state == InboxState.CLAIMED)
        .values(state=InboxState.READY, claim_token=None, claimed_until=None, due=_NOW)
        .returning(Received.id)
        .execution_options(**_QUIET)
    ).all()
    return len(pairs) + len(events)


def _hush(session: Session) -> None:
    """What was on its way is carried on, but told to nobody."""
    unread = (InboxState.READY, InboxState.WAITING)
    received = sa.update(Received).where(Received.state.in_(unread)).values(cause=Cause.RESTORE)
    session.execute(received.execution_options(**_QUIET))
    session.execute(sa.update(Outbox).values(cause=Cause.RESTORE).execution_options(**_QUIET))


def _open_windows(session: Session, since: datetime, until: datetime) -> int:
    """Polls go back to the window's beginning; topics begin anew, for their positions are old."""
    streams = session.scalars(sa.select(Stream).with_for_update()).all()
    polled = [stream.name for stream in streams if stream.via == "poll"]
    for stream in streams:
        stream.lease_token = stream.leased_until = None
        if stream.via != "poll":
            stream.position = stream.newest = None
    session.flush()
    windows.reread(session, polled, since)
    for stream in streams:
        if stream.via != "poll":
            carried = [each.name for each in streams if each.carried_by == stream.name]
            windows.record_hole(session, stream.name, carried, since, until, REASON)
    return len(streams)


def _drop_notices(session: Session, envelopes: list[UUID]) -> None:
    dropped = session.scalars(
        sa.update(Notice)
        .where(Notice.envelope_id.in_(envelopes), Notice.state == NoticeState.OWED)
        .values(state=NoticeState.EXPIRED)
        .returning(Notice.id)
        .execution_options(**_QUIET)
    ).all()
    effects.move_notices(session, dropped, EffectState.IGNORED)
