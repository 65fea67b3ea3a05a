"""A backfill that is interrupted, killed, repeated or bounded: nothing is lost, and nothing doubled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from connector.domain.lines import Cause
from connector.errors import ConnectorError
from connector.ground.postgres import Postgres
from connector.store.tables import Received, Run
from connector.sync import runs
from connector.sync.incoming.arrivals import Arrivals
from connector.sync.reading import backfilling, pages
from connector.sync.reading.backfilling import BROUGHT_IN, KIND, KNOWN_ALREADY, Backfill, Order, Via
from connector.sync.runs import Begin, Course
from tests import interference as stir
from tests.integration.sync.quiet_org import agent_makes_many, backfill, brought_in
from tests.world import Simulators, World, make_world

CODES = [f"BF-{n:02d}" for n in range(60)]
PRODUCTS = [{"Name": "冷氣", "ProductCode": code, "IsActive": True} for code in CODES]
ALL = len(CODES) + 3  # three stand there from the beginning


class Killed(BaseException):
    """The process is gone: nothing catches this."""


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEYSET_PAGE", "BULK_PAGE"):
        monkeypatch.setattr(pages, name, 25)


@pytest.fixture(scope="module")
def only_shop(outside: Simulators, postgres: Postgres, template: str) -> Iterator[World]:
    outside.reset()
    name = f"shop_{uuid4().hex}"
    made = make_world(outside, postgres.clone(template, name))
    made.run_until_idle()
    agent_makes_many(made, "Product2", PRODUCTS)
    yield made
    made.system.gateway.close()
    made.system.store.engine.dispose()
    postgres.drop(name)


@pytest.fixture
def shop(only_shop: World) -> Iterator[World]:
    """A world with sixty products in the org that nobody here knows yet."""
    yield only_shop
    with only_shop.system.store.transaction() as session:
        session.execute(sa.delete(Run))
        session.execute(sa.delete(Received).where(Received.cause == Cause.BACKFILL))


def stops(_: Course) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("via", list(Via))
def test_a_run_that_is_interrupted_and_resumed_reads_on_where_it_was(shop: World, via: Via) -> None:
    with pytest.raises(KeyboardInterrupt):
        backfill(shop, "Product2", via, heard=stops)
    assert len(brought_in(shop)) == 22
    seen: list[int] = []
    course = backfill(shop, "Product2", via, heard=lambda now: seen.append(now.done))
    assert (course.resumed, seen) == (True, [50, ALL])
    assert sorted(row.body["ProductCode"] for row in brought_in(shop)) == CODES
    assert course.counts[KNOWN_ALREADY] == 0


def test_a_process_killed_in_the_middle_of_a_page_reads_that_page_again(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in, portions = Arrivals.take_in, 0

    def killed_at_the_fifth(*args: Any) -> int:
        nonlocal portions
        portions += 1
        if portions == 5:
            raise Killed
        return take_in(*args)

    monkeypatch.setattr(backfilling, "_PORTION", 10)
    monkeypatch.setattr(Arrivals, "take_in", killed_at_the_fifth)
    with pytest.raises(Killed):
        backfill(shop, "Product2")
    course = backfill(shop, "Product2")
    assert course.counts[KNOWN_ALREADY] == 10
    assert sorted(row.body["ProductCode"] for row in brought_in(shop)) == CODES


def test_a_run_repeated_before_the_workers_came_brings_nothing_in_twice(shop: World) -> None:
    backfill(shop, "Product2")
    again = backfill(shop, "Product2")
    assert (again.counts[KNOWN_ALREADY], again.counts[BROUGHT_IN]) == (60, 0)


def test_an_expired_job_is_asked_for_anew_and_said(shop: World) -> None:
    with pytest.raises(KeyboardInterrupt):
        backfill(shop, "Product2", Via.BULK, heard=stops)
    left = stir.all_of(shop.system.store, Run)[0]
    backfilling.BulkQuery(shop.system.gateway).end(str(left.place["job"]))
    said: list[str] = []
    course = backfill(shop, "Product2", Via.BULK, said=said.append)
    assert any("begins anew" in line for line in said)
    assert course.done == ALL
    assert sorted(row.body["ProductCode"] for row in brought_in(shop)) == CODES


def test_a_condition_and_a_limit_bound_what_is_read(shop: World) -> None:
    assert backfill(shop, "Product2", where="ProductCode LIKE 'BF-1%'").done == 10
    assert backfill(shop, "Product2", limit=30).done == 30
    assert backfill(shop, "Product2", Via.BULK, limit=30).done == 30


def test_an_unfinished_run_with_other_options_is_neither_lost_nor_mixed_up(shop: World) -> None:
    with pytest.raises(KeyboardInterrupt):
        backfill(shop, "Product2", heard=stops)
    with pytest.raises(ConnectorError, match="other options was left unfinished at 25 rows"):
        backfill(shop, "Product2", limit=10)
    assert backfill(shop, "Product2", how=Begin.ANEW, limit=10).done == 10


def test_two_processes_do_not_carry_on_the_same_run(shop: World) -> None:
    def another_process_runs(course: Course) -> None:
        if not course.resumed:
            backfill(shop, "Product2")

    with pytest.raises(runs.RunElsewhere):
        backfill(shop, "Product2", heard=another_process_runs)
    assert len(brought_in(shop)) == 60


def test_an_object_or_field_that_nothing_reads_is_refused_by_name(shop: World) -> None:
    with pytest.raises(ConnectorError, match="no live mapping reads Opportunity"):
        backfill(shop, "Opportunity")
    with pytest.raises(ConnectorError, match="no live mapping reads Fax of Contact"):
        backfill(shop, "Contact", fields=("Fax",))


def test_work_stops_where_the_days_calls_are_left_to_others(shop: World) -> None:
    system = shop.system
    made = Backfill(system.store, system.catalogs, system.gateway, Order("Product2"), lambda: False)
    course = runs.begin(system.store, KIND, "Product2", made.order.told(), "小美")
    with pytest.raises(backfilling.BudgetSpent, match="stopped after 25 rows"):
        made.run(course, made.bounds(), lambda _: None, lambda _: None)
    assert backfill(shop, "Product2").done == ALL
