"""A person chooses the row that belongs to a record: one that is there, another's, or a new one."""

from __future__ import annotations

from uuid import UUID

import pytest

from connector.domain.states import ConflictKind, MatchState, PairState
from connector.errors import ConnectorError
from connector.store.tables import Conflict, Pair
from connector.sync.desk import conflicts, resolving, rowchoice
from connector.sync.desk.conflicts import Scope
from connector.sync.desk.resolving import Decision, Way
from tests import interference as stir
from tests.integration.sync.test_matching import CONTACT, friend
from tests.integration.sync.test_merges import bound, merges
from tests.world import World


def decide(
    world: World, pair: Pair, way: Way, given: str | None = None, *, take_over: bool = False
) -> None:
    decision = Decision(way, "an admin", "she phoned", given, take_over)
    for each in resolving.resolve(world.system.store, world.system.catalogs, [pair.id], decision):
        raise each.problem
    world.run_until_idle()


def contact_of(world: World, member: UUID) -> Pair:
    return world.pair(member, "member-contact")


def disputes(world: World) -> list[conflicts.Dispute]:
    with world.system.store.reading() as session:
        return conflicts.listed(session, world.system.catalogs.live(session), Scope())


def two_on_one_row(world: World) -> tuple[str, UUID, str, UUID]:
    """Both bind with one phone; the first has the Contact."""
    first, second = friend(world, "王小明"), friend(world, "小明")
    mine = world.bind(first, "王小明", "0912345678")
    world.run_until_idle()
    yours = world.bind(second, "王小明", "0912345678")
    world.run_until_idle()
    return first, mine, second, yours


def test_of_several_rows_the_one_that_was_chosen_is_taken(world: World) -> None:
    rows = [
        world.agent_makes("Contact", LastName="王", FirstName="小明", MobilePhone="0912345678")
        for _ in range(2)
    ]
    user = friend(world, "王小明")
    member = world.bind(user, "王小明", "0912345678")
    world.run_until_idle()
    (dispute,) = disputes(world)
    assert (dispute.kind, dispute.id) == (ConflictKind.MATCH, contact_of(world, member).id)
    with pytest.raises(ConnectorError, match="no Contact"):
        rowchoice.refuse_unknown_row(world.system.gateway, dispute, "0035g00000AbCdEAAV")
    decide(world, contact_of(world, member), Way.ROW, rows[1])
    pair = contact_of(world, member)
    assert (pair.salesforce_id, pair.match, disputes(world)) == (rows[1], MatchState.FOUND, [])
    marked = {row["Id"]: row["LINE_User_Id__c"] for row in world.rows(CONTACT)}
    assert marked == {rows[0]: None, rows[1]: user}
    with pytest.raises(ConnectorError, match="an admin"):
        decide(world, pair, Way.NEW_ROW)
    assert (world.outbox(), stir.imbalances(world)) == ([], [])


def test_a_row_that_another_record_has_is_taken_only_by_a_clear_word(world: World) -> None:
    first, mine, second, yours = two_on_one_row(world)
    row, pair = world.row(CONTACT)["Id"], contact_of(world, yours)
    with pytest.raises(ConnectorError, match=f"belongs to member:{mine}") as refused:
        decide(world, pair, Way.ROW, row)
    assert refused.value.code == "row_taken"
    assert world.row(CONTACT)["LINE_User_Id__c"] == first
    decide(world, pair, Way.ROW, row, take_over=True)
    held = world.row(CONTACT)
    assert (held["LINE_User_Id__c"], held["LINE_Key__c"]) == (second, pair.key)
    assert contact_of(world, mine).state is PairState.CLOSED
    assert (world.outbox(), stir.imbalances(world)) == ([], [])


def test_a_record_may_have_a_row_of_its_own(world: World) -> None:
    first, mine, second, yours = two_on_one_row(world)
    decide(world, contact_of(world, yours), Way.NEW_ROW)
    users = {row["Id"]: row["LINE_User_Id__c"] for row in world.rows(CONTACT)}
    assert users[contact_of(world, yours).salesforce_id] == second
    assert users[contact_of(world, mine).salesforce_id] == first
    assert world.pair(yours, "member-account").salesforce_id
    (decided,) = stir.all_of(world.system.store, Conflict, Conflict.kind == "match")
    assert (decided.state, decided.decision["way"]) == ("resolved", "new_row")
    assert world.outbox() == []


def test_who_lost_their_row_in_a_merge_may_get_a_new_one(world: World) -> None:
    _, kept = bound(world)
    second, lost = bound(world, "李大同", "0922333444")
    winner, loser = (contact_of(world, each).salesforce_id for each in (kept, lost))
    merges(world, "Contact", winner, loser)
    world.run_until_idle()
    assert [each.name for each in disputes(world)] == [f"member:{lost}"]
    decide(world, contact_of(world, lost), Way.NEW_ROW)
    made = contact_of(world, lost).salesforce_id
    assert made not in (winner, loser)
    row = world.row(f"{CONTACT} WHERE Id = '{made}'")
    assert (row["LastName"], row["LINE_User_Id__c"]) == ("李", second)
    assert (world.outbox(), stir.imbalances(world)) == ([], [])
