"""The ledger's equation, and that what breaks it is named."""

import pytest
import sqlalchemy as sa

from connector.domain.states import EffectState, Ledger, OutboxState
from connector.store.tables import Effect, Outbox, Received
from connector.sync.upkeep import ledger


@pytest.fixture
def broken(town):
    def rows():
        with town.store.reading() as session:
            return ledger.imbalances(session)

    return rows


def test_it_holds_while_something_is_open_parked_and_written(town, broken):
    open_, parked, written = (town.friend("U" + c * 32) for c in "abc")
    town.stops(town.pair(parked, "friend-lead"))
    town.settles(town.pair(written, "friend-lead"), "00Q000000000001AAA")
    assert broken() == []
    with town.store.reading() as session:
        count = ledger.count(session)
        assert ledger.balanced(session)
    assert count.by_class["in_flight"] == count.by_class["parked"] == count.by_class["written"] == 1
    assert (count.received, count.by_source["line"], count.adds_up) == (3, 3, True)
    assert town.pair(open_, "friend-lead").salesforce_id is None


def test_a_row_stored_in_another_class_than_its_effects_come_to_is_named(town, broken):
    town.friend()
    town.change(Received, sa.true(), ledger=Ledger.WRITTEN)
    (row,) = broken()
    assert (row.stored, row.derived, row.source) == ("written", "in_flight", "line")


def test_an_open_effect_whose_intent_is_lost_is_named(town, broken):
    pair = town.pair(town.friend(), "friend-lead")
    with town.store.transaction() as session:
        session.execute(sa.delete(Outbox).where(Outbox.pair_id == pair.id))
    (row,) = broken()
    assert row.why == "its effect is open, but the pair has no intent any more"


def test_an_open_effect_whose_intent_is_parked_is_named(town, broken):
    pair = town.pair(town.friend(), "friend-lead")
    town.change(Outbox, Outbox.pair_id == pair.id, state=OutboxState.PARKED)
    (row,) = broken()
    assert row.why == "its effect is open, but the pair's intent is parked"


def test_a_parked_effect_whose_intent_goes_on_is_named(town, broken):
    town.friend()
    town.change(Effect, sa.true(), state=EffectState.PARKED)
    town.change(Received, sa.true(), ledger=Ledger.PARKED)
    (row,) = broken()
    assert "its effect is parked, but the pair's intent is ready" in row.why


def test_the_command_names_the_rows_and_exits_with_1(town, connector):
    town.friend()
    assert connector("ledger").code == 0
    town.change(Received, sa.true(), ledger=Ledger.DEAD)
    answer = connector("ledger", "--json")
    assert answer.code == 1
    assert answer.json["balanced"] is False
    assert answer.json["rows"][0]["stored"] == "dead"
    told = connector("ledger")
    assert (told.code, "not balanced: 1 rows" in told.out) == (1, True)


def test_a_row_is_looked_at_even_when_it_is_old_and_settled(town, broken, monkeypatch):
    monkeypatch.setattr(ledger, "_NEWEST", 0)
    town.friend()
    assert broken() == []
    town.change(Received, sa.true(), ledger=Ledger.WRITTEN)
    assert [row.derived for row in broken()] == ["in_flight"]


def test_the_number_of_rows_named_is_limited(town):
    for number in range(3):
        town.friend("U" + f"{number}" * 32)
    town.change(Received, sa.true(), ledger=Ledger.WRITTEN)
    with town.store.reading() as session:
        assert len(ledger.imbalances(session, limit=2)) == 2
