"""Erase a person: every copy here at once, their rows in Salesforce through the outbox.

The rows are cleared like anything else that is delivered: retried, visible while pending, parked
with a reason where the org refuses. What stays is hashed, so that a late word of the person or of
their rows is not taken for something new. Asked again, it goes on where it was broken off and says
how far the rows are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.lines import Cause, Lane
from connector.domain.records import SCHEMAS, Kind, RecordSchema
from connector.domain.states import (
    EffectState,
    EnvelopeState,
    InboxState,
    Ledger,
    MatchState,
    NoticeState,
    OutboxState,
    PairState,
)
from connector.domain.values import Value
from connector.errors import ConnectorError
from connector.logs import scrubbed
from connector.mapping.documents.forms import CREATED
from connector.members import people
from connector.members.tombstones import Tombstones
from connector.store.session import Store
from connector.store.tables import (
    Binding,
    Envelope,
    Friendship,
    Notice,
    Outbox,
    Pair,
    Received,
    Record,
)
from connector.sync import acts, effects, outbox
from connector.sync.privacy import copies, whereabouts
from connector.sync.privacy.copies import Whose
from connector.sync.withdrawn import known_kinds

_QUIET = {"synchronize_session": False}
_UNSENT = (EnvelopeState.READY, EnvelopeState.WAITING, EnvelopeState.HELD)
REASON = "the person was erased"


@dataclass(frozen=True)
class Row:
    """A row of the org that held something of the person, and how far its clearing is."""

    object: str
    salesforce_id: str | None
    state: str  # pending | cleared | parked | dead …
    reason: str | None = None
    next_step: str | None = None


@dataclass(frozen=True)
class Erasure:
    """Erases people of one deployment."""

    store: Store
    tombstones: Tombstones
    author: str
    reason: str

    def would_touch(self, person: UUID) -> Mapping[str, int]:
        """How many copies there are of each kind."""
        with self.store.reading() as session:
            whose = whereabouts.of(session, person)
            found = Counter({each.name: each.count(session) for each in copies.of(whose)})
            found["records"] = _filled(session, whose.records)
            found["person"] = int(whose.erased_at is None)
        return +(found + self._through(copies.Search(whose).count))

    def erase(self, person: UUID, now: datetime) -> Mapping[str, int]:
        """Empty every copy and want the rows of the org cleared; says how many copies of each kind.

        Bodies that are tied to nobody are looked for before and after the person is buried: afterwards
        nothing tells any more by which texts to find them.
        """
        with self.store.reading() as session:
            whose = whereabouts.of(session, person)
        done = self._through(copies.Search(whose).empty)
        with self.store.transaction() as session:
            done += self._bury(session, person, now)
            whose = whereabouts.of(session, person, texts=whose.texts)
        done += self._through(copies.Search(whose).empty)
        for each in copies.of(whose):
            emptied = 1
            # a page at a time: who wrote ten thousand messages locks few rows at once
            while emptied:
                with self.store.transaction() as session:
                    emptied = each.empty(session)
                done[each.name] += emptied
        return +done

    def _through(self, page: Callable[[Session], int | None]) -> Counter[str]:
        """All pages of a search, each in a transaction of its own."""
        done: Counter[str] = Counter()
        found: int | None = 0
        while found is not None:
            done["received bodies"] += found
            with self.store.transaction() as session:
                found = page(session)
        return done

    def _bury(self, session: Session, person_id: UUID, now: datetime) -> Counter[str]:
        """What ties things to the person. Locks: person, records, pairs, envelopes, outbox."""
        done: Counter[str] = Counter()
        person = people.lock(session, person_id)
        whose = whereabouts.of(session, person_id)
        records = _locked_records(session, whose.records)
        pairs = _locked_pairs(session, whose.pairs)
        going = [pair for pair in pairs if not pair.erasing]
        if person.erased_at is not None and not going:
            return done  # it was done before
        told: dict[str, Value] = {"reason": self._told(session, person_id), "pairs": len(going)}
        act = acts.act(session, copies.ACT, self.author, told, person=person_id, at=now)
        self.tombstones.bury_rows(session, whose.rows, [pair.key for pair in pairs], now)
        if person.erased_at is None:
            self.tombstones.bury_person(session, person, now)
            done["person"] = 1
        _let_go(session, person_id, now)
        kinds = known_kinds(session)
        done["records"] = sum(_blank(record, kinds, now) for record in records.values())
        _forget_messages(session, person_id)
        done["received bodies"] = _give_up_unread(session, whose)
        session.flush()
        for pair in going:
            _clear_row(session, act, pair, records[pair.record_id].version)
        effects.reckon(session, [act.id])
        return done

    def _told(self, session: Session, person: UUID) -> str:
        """The reason without what the operator may have typed of the person."""
        told = self.reason
        texts = {*whereabouts.known_by(session, person), *whereabouts.names(session, person)}
        for text in sorted(texts, key=len, reverse=True):
            told = told.replace(text, "***")
        return scrubbed(told)

    def rows(self, person: UUID) -> Sequence[Row]:
        """Their rows in the org, and how far the clearing of each is."""
        with self.store.reading() as session:
            whose = whereabouts.of(session, person)
            here = (
                sa.select(Pair, Outbox)
                .outerjoin(Outbox, Outbox.pair_id == Pair.id)
                .where(Pair.id.in_(whose.pairs), Pair.salesforce_id.is_not(None), ~Pair.adopted)
                .order_by(Pair.object, Pair.id)
            )
            return [_row(pair, intent) for pair, intent in session.execute(here)]


def _row(pair: Pair, intent: Outbox | None) -> Row:
    if not pair.erasing:
        return Row(pair.object, pair.salesforce_id, "to be cleared")
    if intent is None:
        return Row(pair.object, pair.salesforce_id, "cleared")
    stopped = intent.state in (OutboxState.PARKED, OutboxState.DEAD)
    state = intent.state.value if stopped else "pending"
    return Row(pair.object, pair.salesforce_id, state, intent.reason, intent.next_step)


def _locked_records(session: Session, ids: Collection[UUID]) -> Mapping[UUID, Record]:
    here = sa.select(Record).where(Record.id.in_(ids)).order_by(Record.id).with_for_update()
    found = session.scalars(here.execution_options(populate_existing=True))
    return {record.id: record for record in found}


def _locked_pairs(session: Session, ids: Collection[UUID]) -> Sequence[Pair]:
    here = sa.select(Pair).where(Pair.id.in_(ids)).order_by(Pair.id).with_for_update()
    return session.scalars(here.execution_options(populate_existing=True)).all()


def _filled(session: Session, ids: Collection[UUID]) -> int:
    """How many records still say something of the person."""
    found = session.scalars(sa.select(Record).where(Record.id.in_(ids)))
    kinds = known_kinds(session)
    return sum(
        any(record.values.get(name) for name in _personal(record, kinds)) for record in found
    )


def _let_go(session: Session, person: UUID, now: datetime) -> None:
    mine = sa.update(Friendship).where(Friendship.person_id == person)
    session.execute(mine.values(following=False).execution_options(**_QUIET))
    bound = sa.update(Binding).where(Binding.person_id == person, Binding.unbound_at.is_(None))
    session.execute(bound.values(unbound_at=now).execution_options(**_QUIET))


def _personal(record: Record, kinds: Mapping[str, RecordSchema]) -> Collection[str]:
    """What a record says of the person; of a form's answers all but those it calls not personal."""
    schema = kinds.get(record.kind)
    if schema is not None and record.kind in SCHEMAS:
        return copies.personal(record.kind) & schema.values.keys()
    plain = {CREATED} if schema is None else schema.values.keys() - schema.personal
    return record.values.keys() - plain


def _blank(record: Record, kinds: Mapping[str, RecordSchema], now: datetime) -> bool:
    """Take the person out of a record; what it says of the unit or of the request's course stays."""
    known = _personal(record, kinds)
    filled = any(record.values.get(name) is not None for name in known)
    if not filled:
        return False
    ended = {"following": False, "bound": False} if record.kind == Kind.FRIEND else {}
    record.values = {**record.values, **dict.fromkeys(known), **ended}
    record.version += 1
    record.updated_at = now
    return True


def _forget_messages(session: Session, person: UUID) -> None:
    """What was not sent yet never will be; one under way ends as it ends."""
    expired = (
        sa.update(Envelope)
        .where(Envelope.person_id == person, Envelope.state.in_(_UNSENT))
        .values(state=EnvelopeState.EXPIRED, reason=None)
        .returning(Envelope.id)
    )
    letters = session.scalars(expired.execution_options(**_QUIET)).all()
    owed = (
        sa.update(Notice)
        .where(Notice.envelope_id.in_(letters), Notice.state == NoticeState.OWED)
        .values(state=NoticeState.EXPIRED)
        .returning(Notice.id)
    )
    notices = session.scalars(owed.execution_options(**_QUIET)).all()
    effects.move_notices(session, notices, EffectState.IGNORED)


def _give_up_unread(session: Session, whose: Whose) -> int:
    """End what was not read, or could not be; says how many."""
    ended = sa.update(Received).where(copies.unread(whose)).returning(Received.id)
    values = {"state": InboxState.DONE, "verdict": Ledger.IGNORED, **copies.BLANK}
    rows = session.scalars(ended.values(values).execution_options(**_QUIET)).all()
    effects.reckon(session, rows)
    return len(rows)


def _clear_row(session: Session, act: Received, pair: Pair, version: int) -> None:
    """Forget what the pair knows; a row it has, or may have by now, is cleared by the next delivery."""
    is_under_way = outbox.is_claimed(session, pair.id)
    tried = pair.unseen_write or is_under_way
    anothers = pair.adopted or (pair.match is MatchState.CONFLICT and not is_under_way)
    pair.erasing, pair.reason = True, REASON
    pair.base, pair.attempt = {}, None
    pair.flips = pair.looks = pair.doubts = None
    if anothers or not (pair.salesforce_id or tried):
        pair.state = PairState.CLOSED
        outbox.drop(session, pair.id)
        return
    pair.state = PairState.RELEASING
    session.flush()
    told = sa.update(Outbox).where(Outbox.pair_id == pair.id)
    session.execute(
        told.values(reason=None, next_step=None, fault=sa.null()).execution_options(**_QUIET)
    )
    effects.link_pair(session, (act.id,), pair.id, version)
    outbox.want(session, pair.id, Lane.URGENT, Cause.LIVE, recheck=True)


def unknown() -> ConnectorError:
    """Nobody goes by a reference; it is not repeated, for it may say who is sought."""
    return ConnectorError(
        "unknown_person",
        "nobody goes by that reference, and nobody was erased under it",
        "Give a LINE user id, friend:ID, member:ID or a person's id; see connector explain.",
    )
