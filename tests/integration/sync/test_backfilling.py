"""What stood in the org already is brought in, and told to nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from connector.store.tables import Pair, Record
from connector.sync.reading import sieve
from connector.sync.reading.backfilling import BROUGHT_IN, Via
from connector.sync.reading.sieve import FOREIGN, IN_STEP, UNKNOWN_KEY
from tests import interference as stir
from tests.integration.sync.quiet_org import (
    agent_makes_many,
    backfill,
    brought_in,
    catch_up,
    member,
)
from tests.world import World


def long_ago(world: World) -> None:
    """Our last looks at the rows lie a while back; what is read within their second is read again."""
    with world.system.store.transaction() as session:
        session.execute(sa.update(Pair).values(seen_at=world.now() - timedelta(minutes=1)))


def test_what_an_agent_changed_unseen_is_taken_and_told_to_nobody(world: World) -> None:
    user, _ = member(world)
    request = world.asks_for_repair(user)
    world.run_until_idle()
    told = len(world.chat(user))
    case = world.row("SELECT Id FROM Case")["Id"]
    agent_makes_many(world, "Case", [{"Subject": f"別人的 {n}"} for n in range(30)])
    world.agent_edits("Case", case, Status="Working")
    course = backfill(world, "Case", Via.BULK)
    catch_up(world)
    assert world.record(request).values["status"] == "working"
    assert (course.done, course.counts[FOREIGN], course.counts[BROUGHT_IN]) == (31, 30, 1)
    assert [row.subject for row in brought_in(world)] == [case]
    assert len(world.chat(user)) == told
    assert stir.imbalances(world) == []


def test_rows_that_salesforce_may_create_become_records_once(world: World) -> None:
    world.run_until_idle()
    codes = [f"BF-{n}" for n in range(8)]
    agent_makes_many(world, "Product2", [{"Name": "冷氣", "ProductCode": code} for code in codes])
    backfill(world, "Product2")
    catch_up(world)
    found = stir.all_of(world.system.store, Record, Record.kind == "product")
    assert {str(row.values["sku"]) for row in found} >= set(codes)
    again = backfill(world, "Product2")
    assert (again.counts[IN_STEP], again.counts[BROUGHT_IN]) == (11, 0)
    assert stir.imbalances(world) == []


def test_a_member_is_found_among_many_strangers_and_only_the_named_fields_are_filled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sieve, "FEW_PAIRS", 0)  # ids are sought page by page
    _, record = member(world)
    world.run_until_idle()
    agent_makes_many(world, "Contact", [{"LastName": f"別 {n}"} for n in range(30)])
    key = "01939000-0000-7000-8000-000000000000"
    world.agent_makes("Contact", LastName="別", LINE_Key__c=key)
    contact = world.row("SELECT Id FROM Contact WHERE LastName = '王'")["Id"]
    world.agent_edits("Contact", contact, LastName="李", Email="ming@example.com")
    long_ago(world)
    course = backfill(world, "Contact", fields=("Email",))
    catch_up(world)
    values = world.record(record).values
    assert (values["name"], values["email"]) == ("王小明", "ming@example.com")
    assert (course.counts[FOREIGN], course.counts[UNKNOWN_KEY]) == (30, 1)
    hidden = world.pair(record, "member-contact")
    with world.system.store.transaction() as session:
        session.merge(hidden).salesforce_id = None  # an answer that was lost
    backfill(world, "Contact")
    catch_up(world)
    assert world.pair(record, "member-contact").salesforce_id == contact
