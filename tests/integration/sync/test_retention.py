"""What grows old is masked, counted and deleted; what is under way or waits for a person stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from connector.domain.identifiers import uuid7
from connector.domain.states import (
    ConflictState,
    EffectState,
    EnvelopeState,
    InboxState,
    Ledger,
    NoticeState,
)
from connector.store.alerts import AlertKind
from connector.store.session import Store
from connector.store.tables import (
    Alert,
    Attempt,
    BulkJob,
    Conflict,
    Effect,
    Envelope,
    History,
    Hole,
    Notice,
    Pair,
    Person,
    Received,
    Record,
    ReplyToken,
    Run,
    Source,
    Tally,
)
from connector.sync.incoming.inbox import Reader
from connector.sync.incoming.line_events import Profiles
from connector.sync.privacy.ageing import Ages
from connector.sync.privacy.retention import Retention
from connector.sync.upkeep import ledger
from tests.conftest import Clock
from tests.undocumented import NoDocuments

OA = "U" + "0" * 32


@dataclass
class Attic:
    """A database with things of every age, and what prunes it."""

    store: Store
    retention: Retention
    person: Any = None
    record: Any = None
    pair: Any = None

    def ago(self, **by: float) -> datetime:
        return datetime.now(UTC) - timedelta(**by)

    def put(self, *rows: Any) -> None:
        with self.store.transaction() as session:
            for row in rows:
                session.add(row)
                session.flush()

    def received(self, days: float, **columns: Any) -> Received:
        """A finished row of so many days ago."""
        row = Received(
            **{
                "source": Source.LINE,
                "kind": "message",
                "dedupe_key": str(uuid4()),
                "body": {"message": {"text": "你好"}},
                "at": self.ago(days=days),
                "received_at": self.ago(days=days),
                "state": InboxState.DONE,
                "ledger": Ledger.UNCHANGED,
                **columns,
            }
        )
        self.put(row)
        return row

    def message(self, days: float, **columns: Any) -> tuple[Envelope, Notice]:
        """A message of so many days ago, with its notice."""
        letter = Envelope(
            **{
                "id": uuid7(),
                "person_id": self.person,
                "oa": OA,
                "retry_key": uuid4(),
                "state": EnvelopeState.ACCEPTED,
                "body": {"messages": ["案件 00001001"]},
                "created_at": self.ago(days=days),
                **columns,
            }
        )
        notice = Notice(
            id=uuid7(),
            envelope_id=letter.id,
            person_id=self.person,
            rule="menu",
            purpose="service",
            template="menu",
            before={},
            after={"display_name": "小安"},
            created_at=self.ago(days=days),
            expires_at=self.ago(days=days),
            state=NoticeState.ACCEPTED,
        )
        self.put(letter, notice)
        return letter, notice

    def all(self, table: type[Any]) -> list[Any]:
        with self.store.reading() as session:
            return list(session.scalars(sa.select(table).order_by(next(iter(table.__table__.c)))))


@pytest.fixture
def attic(store: Store) -> Attic:
    made = Attic(store, Retention(store))
    person = Person(id=uuid7(), provider_id="1", line_user_id="U1")
    record = Record(id=uuid7(), kind="member", person_id=person.id, values={})
    pair = Pair(
        id=uuid7(),
        record_id=record.id,
        mapping="member-contact",
        org_id="00D",
        object="Contact",
        key=str(uuid7()),
    )
    made.put(person, record, pair)
    made.person, made.record, made.pair = person.id, record.id, pair.id
    return made


def test_a_body_is_masked_after_a_month_and_what_waits_for_a_person_keeps_it(attic: Attic) -> None:
    old = attic.received(31, original={"text": "你好"})
    young = attic.received(29)
    dead = attic.received(31, state=InboxState.DEAD, ledger=Ledger.DEAD)
    act = attic.received(31, source=Source.OPERATOR, body={"author": "ann"})
    assert attic.retention.turn() == {"bodies": 1}
    bodies = {row.id: row.body for row in attic.all(Received)}
    assert bodies.pop(old.id) == {"expired": True}
    assert bodies == {row.id: row.body for row in (young, dead, act)}
    assert attic.all(Received)[0].original is None


def test_what_is_deleted_goes_on_counting(attic: Attic) -> None:
    for days in (91, 91, 92, 1):
        attic.received(days)
    attic.received(91, source=Source.FORM, kind="consents", ledger=Ledger.WRITTEN)
    attic.received(91, state=InboxState.DEAD, ledger=Ledger.DEAD)
    with attic.store.reading() as session:
        before = ledger.count(session)
    assert attic.retention.turn()["received"] == 4
    with attic.store.reading() as session:
        assert ledger.count(session) == before
        assert ledger.balanced(session)
    assert len(attic.all(Received)) == 2
    forms = [each for each in attic.all(Tally) if each.source is Source.FORM]
    assert [(each.kind, each.ledger, each.number) for each in forms] == [("consents", "written", 1)]


def test_hours_that_were_counted_already_are_added_to(attic: Attic) -> None:
    at = attic.ago(days=91)
    for _ in range(2):
        attic.received(91, received_at=at)
        attic.retention.turn()
        tomorrow(attic)
    assert [each.number for each in attic.all(Tally)] == [2]


def test_rows_go_with_their_settled_effects(attic: Attic) -> None:
    row = attic.received(91, ledger=Ledger.WRITTEN)
    held = attic.received(91, ledger=Ledger.PARKED)
    for one, state in ((row, EffectState.WRITTEN), (held, EffectState.PARKED)):
        attic.put(Effect(received_id=one.id, pair_id=attic.pair, version=1, state=state))
    attic.retention.turn()
    assert [effect.received_id for effect in attic.all(Effect)] == [held.id]
    assert [kept.id for kept in attic.all(Received)] == [held.id]


def test_a_delivery_that_may_come_again_is_known_however_short_the_settings(attic: Attic) -> None:
    hasty = Retention(attic.store, Ages(received=timedelta(days=1)))
    attic.received(6)
    assert hasty.turn() == {}
    later = Clock(hasty.clock() + timedelta(hours=25))
    assert Retention(attic.store, hasty.ages, clock=later).turn()["received"] == 1


def test_a_row_finished_after_the_walk_went_by_goes_on_the_next_day(attic: Attic) -> None:
    attic.retention = Retention(attic.store, page=1)
    late = attic.received(91, ledger=Ledger.PARKED)
    attic.received(91)
    assert attic.retention.turn()["received"] == 1
    with attic.store.transaction() as session:
        session.get_one(Received, late.id).ledger = Ledger.WRITTEN
    assert attic.retention.turn() == {}
    assert tomorrow(attic).turn()["received"] == 1
    assert attic.all(Received) == []


def test_group_messages_are_kept_for_a_day(attic: Attic) -> None:
    group = {"source": {"type": "group", "groupId": "C1"}, "message": {"text": "大家好"}}
    attic.received(1.1, body=group, ledger=Ledger.IGNORED)
    attic.received(0.9, body=group, ledger=Ledger.IGNORED)
    assert attic.retention.turn() == {"group bodies": 1}
    assert [row.body for row in attic.all(Received)] == [{"expired": True}, group]


def test_messages_forget_what_they_said_and_go_once_nothing_counts_them(attic: Attic) -> None:
    _, notice = attic.message(91)
    attic.message(31)
    unsent, _ = attic.message(31, state=EnvelopeState.HELD, body=None)
    attic.message(91)
    row = attic.received(1, ledger=Ledger.NOTIFIED)
    attic.put(Effect(received_id=row.id, notice_id=notice.id, state=EffectState.NOTIFIED))
    assert attic.retention.turn() == {"messages": 3, "envelopes": 1}
    said = {letter.id: letter.body for letter in attic.all(Envelope)}
    assert said.pop(unsent.id) is None
    assert list(said.values()) == [{"expired": True}] * 2
    values = [each.after for each in attic.all(Notice) if each.envelope_id != unsent.id]
    assert values == [{}, {}]


def test_a_spent_token_goes_unless_a_message_is_still_tried_on_it(attic: Attic) -> None:
    tokens = [
        ReplyToken(person_id=attic.person, oa=OA, token=name, good_until=attic.ago(hours=hours))
        for name, hours in (("spent", 2), ("tried", 2), ("fresh", 0))
    ]
    attic.put(*tokens)
    sent, _ = attic.message(0, token_id=tokens[0].id)
    attic.message(0, token_id=tokens[1].id, state=EnvelopeState.WAITING)
    assert attic.retention.turn() == {"reply tokens": 1}
    assert [token.token for token in attic.all(ReplyToken)] == ["tried", "fresh"]
    assert attic.all(Envelope)[0].token_id is None


def test_trails_and_closed_matters_go_by_their_age(attic: Attic) -> None:
    old = attic.ago(days=366)
    open_job = BulkJob(
        org_id="00D", job_id="1", object="Lead", operation="upsert", rows=1, state=""
    )
    told = {"version": 1, "name": "name", "before": {}, "after": {}, "side": "line"}
    for at in (old, attic.ago(days=1)):
        closed = {"closed_at": at}
        attic.put(
            History(record_id=attic.record, cause="live", at=at, **told),
            Attempt(pair_id=attic.pair, at=at, operation="update", sent={}, outcome="written"),
            _conflict(attic, at),
            Alert(
                kind=AlertKind.FLIPS,
                subject=str(at),
                message="",
                next_step="",
                opened_at=old,
                **closed,
            ),
            Hole(
                stream="Case", objects=[], since=old, until=old, reason="", found_at=old, **closed
            ),
            Run(
                kind="reconcile",
                subject="Case",
                wanted={},
                place={},
                author="",
                started_at=old,
                finished_at=at,
            ),
        )
    attic.put(_conflict(attic, None), open_job)
    assert attic.retention.turn() == {
        name: 1 for name in ("history", "attempts", "conflicts", "alerts", "holes", "runs")
    }
    left = {t.__name__: len(attic.all(t)) for t in (History, Attempt, Conflict, Alert, Hole, Run)}
    assert left == {**dict.fromkeys(left, 1), "Conflict": 2}


def test_the_newest_run_stays_however_old(attic: Attic) -> None:
    old = attic.ago(days=800)
    run = {"kind": "reconcile", "wanted": {}, "place": {"lows": []}, "author": "ann"}
    attic.put(Run(subject="Case", started_at=old, finished_at=old, **run))
    assert attic.retention.turn() == {}


def test_what_somebody_has_locked_is_left_for_the_next_walk(attic: Attic) -> None:
    taken = attic.received(91)
    attic.received(91)
    with attic.store.transaction() as session:
        session.get_one(Received, taken.id, with_for_update=True)
        assert attic.retention.turn()["received"] == 1
    assert [row.id for row in attic.all(Received)] == [taken.id]


def test_reading_goes_on_beside_an_open_step(attic: Attic) -> None:
    attic.received(91)
    ready = attic.received(91, state=InboxState.READY, ledger=Ledger.IN_FLIGHT)
    profiles = Profiles(attic.store, None, {})  # type: ignore[arg-type]
    reader = Reader(attic.store, NoDocuments(), profiles, timedelta(seconds=5))  # type: ignore[arg-type]
    read: list[int] = []

    def meanwhile(connection: sa.Connection) -> None:
        if not read and _has_deleted(connection):
            read.append(0)
            read[:] = [reader.read()]

    sa.event.listen(attic.store.engine, "commit", meanwhile)
    attic.retention.turn()
    sa.event.remove(attic.store.engine, "commit", meanwhile)
    assert read == [1]
    assert [(row.id, row.ledger) for row in attic.all(Received)] == [(ready.id, Ledger.IGNORED)]


def test_pages_are_small_and_the_next_turn_goes_on(attic: Attic, monkeypatch: Any) -> None:
    for _ in range(5):
        attic.received(31)
    monkeypatch.setattr("connector.sync.privacy.retention._TURN", timedelta(0))
    small = Retention(attic.store, page=2)
    assert small.turn() == {}
    monkeypatch.setattr("connector.sync.privacy.retention._TURN", timedelta(seconds=15))
    assert small.turn()["bodies"] == 5


def tomorrow(attic: Attic) -> Retention:
    """The same, a day later by its own clock."""
    later = Clock(attic.retention.clock() + timedelta(days=1, minutes=1))
    attic.retention = replace(attic.retention, clock=later)
    return attic.retention


def _has_deleted(connection: sa.Connection) -> bool:
    return connection.scalar(sa.select(sa.func.count()).select_from(Tally)) == 1


def _conflict(attic: Attic, resolved_at: datetime | None) -> Conflict:
    return Conflict(
        pair_id=attic.pair,
        kind="merge",
        line="Phone",
        reason="",
        next_step="",
        opened_at=attic.ago(days=400),
        state=ConflictState.RESOLVED if resolved_at else ConflictState.OPEN,
        resolved_at=resolved_at,
    )
