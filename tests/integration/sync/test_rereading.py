"""Rows read anew: because an operator wants it, or because comparing the whole org found them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from connector.domain.lines import Cause, Lane
from connector.domain.states import OutboxState, PairState
from connector.ground.postgres import Postgres
from connector.store.tables import Outbox, Pair, Received, Record, Source, Stream
from connector.sync import rechecking
from connector.sync.reading import buckets
from connector.sync.reading.comparing import What
from connector.sync.reading.reconciling import Reconciliation, Report
from connector.sync.rechecking import Ask, Scope
from tests import interference as stir
from tests.integration.sync.quiet_org import brought_in, catch_up, member
from tests.world import Simulators, World, make_world

UNKNOWN = "01939000-0000-7000-8000-000000000000"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "PAIRS", 2)
    monkeypatch.setattr(rechecking, "PAGE", 2)


@pytest.fixture(scope="module")
def only_town(outside: Simulators, postgres: Postgres, template: str) -> Iterator[World]:
    outside.reset()
    world = make_world(outside, postgres.clone(template, f"town_{uuid4().hex}"))
    users = [member(world, "王小明", f"091234567{n}")[0] for n in range(5)]
    for _ in range(2):
        world.asks_for_repair(users[0])
    world.run_until_idle()
    yield world
    world.system.gateway.close()
    world.system.store.engine.dispose()


@pytest.fixture
def town(only_town: World) -> World:
    """Five members, two requests of the first; all is in step, and the polls have gone to sleep."""
    later = only_town.now() + timedelta(hours=1)
    with only_town.system.store.transaction() as session:
        session.execute(sa.update(Stream).values(read_through=later, watermark=later))
    reconcile(only_town)
    catch_up(only_town)
    reconcile(only_town)
    return only_town


def reconcile(world: World, *names: str, acts: bool = True) -> list[Report]:
    system = world.system
    return Reconciliation(system.store, system.catalogs, system.gateway, "夜", acts).run(names)


def found(reports: list[Report]) -> dict[str, Counter[What]]:
    return {report.object: report.counts for report in reports if report.counts}


def recheck(world: World, scope: Scope, **ask: Any) -> int:
    system = world.system
    return rechecking.recheck(system.store, system.catalogs, scope, Ask("recheck", "小美", **ask))


def of_record(world: World, reference: str) -> Scope:
    with world.system.store.reading() as session:
        return rechecking.scope_of(session, reference)


def pairs(world: World, name: str) -> list[Pair]:
    mine = (Pair.object == name, Pair.state == PairState.OPEN)
    return sorted(stir.all_of(world.system.store, Pair, *mine), key=lambda pair: pair.key)


def statuses(world: World) -> list[Any]:
    return [world.record(pair.record_id).values["status"] for pair in pairs(world, "Case")]


def messages(world: World) -> int:
    people = stir.all_of(world.system.store, Record, Record.kind == "friend")
    return sum(len(world.chat(str(friend.values["user_id"]))) for friend in people)


def test_an_edit_that_no_poll_saw_is_found_and_told_only_where_that_is_wanted(
    town: World,
) -> None:
    first, second = pairs(town, "Case")
    told = messages(town)
    for pair in (first, second):
        town.agent_edits("Case", str(pair.salesforce_id), Status="Working")
    assert recheck(town, of_record(town, str(first.salesforce_id)), lane=Lane.URGENT) == 2
    catch_up(town)
    assert (statuses(town), messages(town)) == (["working", "received"], told)
    assert recheck(town, Scope(object="Case"), cause=Cause.LIVE) == 2
    catch_up(town)
    assert (statuses(town), messages(town)) == (["working", "working"], told + 1)
    acts = stir.all_of(town.system.store, Received, Received.source == Source.OPERATOR)
    assert {act.ledger.value for act in acts if act.kind == "recheck"} == {"unchanged", "notified"}
    assert stir.imbalances(town) == []


def test_what_is_parked_is_read_anew_only_by_its_name(town: World) -> None:
    pair = pairs(town, "Contact")[-1]
    parked = Outbox(pair_id=pair.id, lane=Lane.URGENT, cause=Cause.LIVE, reason="refused")
    parked.state = OutboxState.PARKED
    with town.system.store.transaction() as session:
        session.add(parked)
    others = len(pairs(town, "Contact")) - 1
    assert recheck(town, Scope(object="Contact")) == others
    assert stir.intent(town, pair.id).state is OutboxState.PARKED
    assert recheck(town, of_record(town, f"member:{pair.record_id}")) == 2
    catch_up(town)
    assert stir.intent(town, pair.id) is None
    assert stir.imbalances(town) == []


def test_an_org_in_step_costs_a_few_counts_and_no_rows(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sum(report.read for report in reconcile(town)) > 0  # changed a moment ago
    monkeypatch.setattr(buckets, "LATE", -timedelta(hours=1))
    reconcile(town)
    since = town.org_calls()[-1]["seq"]
    reports = reconcile(town)
    assert sum(report.buckets for report in reports) == 12
    assert (found(reports), [report.read for report in reports]) == ({}, [0] * 7)
    assert len(town.org_calls(since)) == 3


def test_a_row_changed_behind_our_back_is_found_alone_and_mended(town: World) -> None:
    pair = pairs(town, "Contact")[1]
    email = f"{uuid4().hex}@example.com"
    town.agent_edits("Contact", str(pair.salesforce_id), Email=email)
    for acts in (False, False, True):  # a dry run does nothing
        report = reconcile(town, "Contact", acts=acts)[0]
        assert report.counts == {What.CHANGED: 1}
        assert [each.salesforce_id for each in report.findings] == [pair.salesforce_id]
    catch_up(town)
    assert town.record(pair.record_id).values["email"] == email
    assert found(reconcile(town, "Contact")) == {}
    assert stir.imbalances(town) == []


def test_what_the_stream_has_yet_to_bring_is_left_to_it(town: World) -> None:
    with town.system.store.transaction() as session:
        early = town.now() - timedelta(minutes=1)
        session.execute(sa.update(Stream).values(read_through=early))
    town.agent_edits("Contact", str(pairs(town, "Contact")[1].salesforce_id), FirstName="大明")
    assert found(reconcile(town, "Contact"))["Contact"] == {What.UNDER_WAY: 1}
    assert town.outbox() == []


@pytest.fixture
def untidy(town: World) -> Iterator[tuple[Pair, str, str]]:
    """A row deleted, one without its key, one with a key of nobody; then put in order again."""
    _, stripped, *_, lost, _ = pairs(town, "Contact")
    town.agent_deletes("Contact", str(lost.salesforce_id))
    town.agent_edits("Contact", str(stripped.salesforce_id), LINE_Key__c=None)
    copied = town.agent_makes("Contact", LastName="別", LINE_Key__c=UNKNOWN)
    yield lost, str(stripped.salesforce_id), copied
    town.agent_edits("Contact", str(stripped.salesforce_id), LINE_Key__c=stripped.key)
    town.agent_deletes("Contact", copied)


def test_rows_that_are_gone_or_were_never_seen_are_told_apart(
    town: World, untidy: tuple[Pair, str, str]
) -> None:
    lost, stripped, copied = untidy
    town.agent_makes("Product2", Name="新機", ProductCode="NEW-1")
    counts = found(reconcile(town))
    assert counts["Contact"] == {What.GONE: 1, What.KEY_LOST: 1, What.UNKNOWN_KEY: 1}
    assert counts["Product2"] == {What.MISSED: 1}
    catch_up(town)
    [pair] = stir.all_of(town.system.store, Pair, Pair.id == lost.id)
    assert pair.state is PairState.GONE
    assert [row.body["ProductCode"] for row in brought_in(town, Cause.RECONCILE)] == ["NEW-1"]
    report = reconcile(town, "Contact")[0]  # what nobody explained is told again
    assert (report.counts, report.unexplained) == ({What.KEY_LOST: 1, What.UNKNOWN_KEY: 1}, 2)
    assert {each.salesforce_id for each in report.findings} == {stripped, copied}
