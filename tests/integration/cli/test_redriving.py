"""What waits for a person, and bringing it back."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from connector.domain.identifiers import uuid7
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
    Conflict,
    Effect,
    Envelope,
    History,
    Notice,
    Outbox,
    Pair,
    Person,
    Received,
    Source,
)
from connector.sync import effects, ledger, redriving

NOBODY = "01939000-0000-7000-8000-000000000000"


@pytest.fixture
def stopped(town):
    """A pair that a worker has parked."""
    pair = town.pair(town.friend(), "friend-lead")
    town.stops(pair, reason="FIELD_X: Company is missing")
    return pair


@pytest.fixture
def unread(town):
    """An event that could not be read."""
    with town.store.transaction() as session:
        row = Received(
            source=Source.LINE,
            kind="follow",
            dedupe_key=str(uuid7()),
            body={},
            at=datetime.now(UTC),
            state=InboxState.DEAD,
            ledger=Ledger.DEAD,
            attempts=5,
            reason="KeyError: 'x'",
        )
        session.add(row)
    return row


@pytest.fixture
def unsent(town):
    """A message that LINE refused, and the row that caused it."""
    user = "U" + "9" * 32
    town.friend(user)
    with town.store.transaction() as session:
        person = session.scalars(sa.select(Person).where(Person.line_user_id == user)).one()
        envelope = Envelope(
            person_id=person.id,
            oa="U0",
            retry_key=uuid4(),
            state=EnvelopeState.DEAD,
            reason="400: too long",
        )
        session.add(envelope)
        session.flush()
        notice = Notice(
            envelope_id=envelope.id,
            person_id=person.id,
            rule="menu",
            purpose="service",
            template="menu",
            before={},
            after={},
            expires_at=datetime.now(UTC) + timedelta(hours=1),
            state=NoticeState.DEAD,
        )
        session.add(notice)
        session.flush()
        row = session.scalar(sa.select(sa.func.max(Received.id)))
        effects.link_notice(session, (row,), notice.id)
        effects.move_notices(session, [notice.id], EffectState.DEAD)
    return envelope


def balanced(town):
    with town.store.reading() as session:
        return ledger.imbalances(session) == []


def test_what_stands_still_for_one_reason_is_one_group(town):
    for letter in "abc":
        pair = town.pair(town.friend("U" + letter * 32), "friend-lead")
        town.stops(pair, reason=f"several Lead rows fit: 00Q0000000{letter}0001AAA")
    with town.store.reading() as session:
        (group,) = redriving.parked(session)
    assert (group.state, len(group.items)) == ("parked", 3)
    assert group.reason == "several Lead rows fit: …"
    assert group.next_step == "Mend it."


def test_a_single_reason_keeps_its_ids(town, stopped):
    town.change(Outbox, sa.true(), reason="several fit: 00Q00000000001AAA")
    with town.store.reading() as session:
        (group,) = redriving.parked(session)
    assert group.reason == "several fit: 00Q00000000001AAA"
    assert group.items[0].id == f"pair:{stopped.id}"


def test_dead_events_messages_and_open_questions_are_listed_too(town, unread, unsent):
    pair = town.pair(town.member(), "member-contact")
    with town.store.transaction() as session:
        question = {"kind": "merge", "line": "MobilePhone", "reason": "both changed"}
        session.add(Conflict(pair_id=pair.id, next_step="Choose one.", **question))
    with town.store.reading() as session:
        found = {group.state: group for group in redriving.parked(session)}
        ids = {item.id for group in redriving.parked(session) for item in group.items}
    assert found["conflict"].reason == "Contact.MobilePhone: both changed"
    assert {f"inbox:{unread.id}", f"envelope:{unsent.id}"} <= ids


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
    assert history.after["author"] == "amy"


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


def test_all_parked_leaves_what_is_dead(town, stopped, unread, unsent, connector):
    assert connector("redrive", "--all-parked", "--json").json == {"redriven": 1}
    assert connector("redrive", "--all-parked").out == "0 brought back\n"
    answer = connector("redrive", "--all-dead", "--json", "--author", "amy")
    assert answer.json == {"redriven": 2}
    assert connector("parked").out == "nothing waits for a person\n"


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


@pytest.mark.parametrize("reference", ["pair:x", "17", NOBODY, f"envelope:{NOBODY}"])
def test_what_is_not_stopped_is_refused(town, connector, reference):
    answer = connector("redrive", reference, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (1, "not_stopped")


def test_one_way_of_saying_what_is_asked_for(connector):
    assert connector("redrive").code == 2
    assert connector("redrive", "17", "--all-dead").code == 2


def test_parked_tells_programs_the_ids_to_redrive(town, stopped, connector):
    (group,) = connector("parked", "--json").json["groups"]
    assert (group["count"], group["items"][0]["id"]) == (1, f"pair:{stopped.id}")
    assert group["items"][0]["record"].startswith("friend:")
    assert f"pair:{stopped.id}" in connector("parked").out
