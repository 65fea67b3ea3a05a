"""Bringing back what is parked or dead."""

import sqlalchemy as sa

from connector.domain.states import (
    EffectState,
    EnvelopeState,
    InboxState,
    Ledger,
    MatchState,
    NoticeState,
    OutboxState,
)
from connector.store.tables import (
    Effect,
    Envelope,
    History,
    Notice,
    Pair,
    Received,
    Source,
)
from connector.sync.desk import redriving
from connector.sync.upkeep import ledger

NOBODY = "01939000-0000-7000-8000-000000000000"


def balanced(town):
    with town.store.reading() as session:
        return ledger.imbalances(session) == []


def test_a_parked_pair_comes_back_and_who_did_it_is_kept(town, stopped):
    assert redriving.redrive(town.store, f"pair:{stopped.id}", "amy") == 1
    row = town.intent(stopped)
    assert (row.state, row.attempts, row.reason, row.next_step) == (
        OutboxState.READY,
        0,
        None,
        None,
    )
    with town.store.reading() as session:
        act = session.scalars(sa.select(Received).where(Received.kind == "redrive")).one()
        history = session.scalars(sa.select(History).where(History.name == "redrive")).one()
    assert (act.source, act.body["author"]) == (Source.OPERATOR, "amy")
    assert (history.side, history.received_id) == ("operator", act.id)
    assert history.author == "amy"


def test_bringing_back_keeps_the_ledger_balanced_until_all_is_written(town, stopped):
    redriving.redrive(town.store, str(stopped.id), "amy")
    assert balanced(town)
    with town.store.reading() as session:
        assert ledger.count(session).by_class["in_flight"] == 2
    town.settles(stopped, "00Q000000000001AAA")
    assert balanced(town)
    with town.store.reading() as session:
        assert ledger.count(session).by_class["written"] == 2


def test_a_record_brings_back_all_its_stopped_pairs(town):
    member = town.member()
    for mapping in ("member-contact", "member-account"):
        town.stops(town.pair(member, mapping))
    assert redriving.redrive(town.store, f"member:{member}", "amy") == 2


def test_a_pair_whose_match_was_unclear_is_matched_anew(town):
    pair = town.pair(town.member(), "member-contact")
    town.change(Pair, Pair.id == pair.id, match=MatchState.CONFLICT)
    town.stops(pair)
    redriving.redrive(town.store, pair.key, "amy")
    with town.store.reading() as session:
        assert session.get_one(Pair, pair.id).match is MatchState.PENDING


def test_a_pair_with_a_row_reads_it_before_it_writes(town, stopped):
    town.change(Pair, Pair.id == stopped.id, salesforce_id="00Q000000000001AAA")
    redriving.redrive(town.store, f"pair:{stopped.id}", "amy")
    assert town.intent(stopped).recheck is True


def test_a_dead_event_is_read_again(town, unread):
    assert redriving.redrive(town.store, f"inbox:{unread.id}", "amy") == 1
    with town.store.reading() as session:
        row = session.get_one(Received, unread.id)
    assert (row.state, row.ledger, row.attempts) == (InboxState.READY, Ledger.IN_FLIGHT, 0)
    assert balanced(town)


def test_a_dead_message_is_owed_again(town, unsent):
    assert redriving.redrive(town.store, f"envelope:{unsent.id}", "amy") == 1
    with town.store.reading() as session:
        assert session.get_one(Envelope, unsent.id).state is EnvelopeState.READY
        assert session.scalars(sa.select(Notice)).one().state is NoticeState.OWED
        states = set(session.scalars(sa.select(Effect.state).where(Effect.notice_id.is_not(None))))
    assert states == {EffectState.OPEN}
    assert balanced(town)


def test_many_are_brought_back_in_parts(town, monkeypatch):
    monkeypatch.setattr(redriving, "_BATCH", 2)
    for number in range(5):
        town.stops(town.pair(town.friend("U" + f"{number}" * 32), "friend-lead"))
    assert redriving.redrive_all(town.store, "parked", "amy") == 5
    assert balanced(town)


def test_the_queues_are_woken(town, stopped, woken):
    woken.clear()
    redriving.redrive(town.store, str(stopped.id), "amy")
    assert woken == [f"deliver.{town.intent(stopped).lane.value}"]
