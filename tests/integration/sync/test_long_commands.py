"""The commands for long work, as an operator calls them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest

from connector.cli import entrance
from connector.cli.progress import Progress
from connector.ground.postgres import Postgres
from connector.sync.reading.backfilling import Backfill
from tests.integration.sync.quiet_org import catch_up, member
from tests.world import Simulators, World, make_world


class Answer(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


class Town(NamedTuple):
    """One member with a repair request, all in step."""

    world: World
    request: UUID
    case: str


@pytest.fixture(scope="module")
def town(outside: Simulators, postgres: Postgres, template: str) -> Iterator[Town]:
    outside.reset()
    world = make_world(outside, postgres.clone(template, f"town_{uuid4().hex}"))
    user, _ = member(world)
    request = world.asks_for_repair(user)
    world.run_until_idle()
    yield Town(world, request, str(world.pair(request, "repair_request-case").salesforce_id))
    world.system.gateway.close()
    world.system.store.engine.dispose()


@pytest.fixture
def connector(
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Callable[..., Answer]:
    """Calls `connector` on the town's database and org."""
    settings = town.world.settings
    key = settings.salesforce_private_key
    given = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "SALESFORCE_LOGIN_URL": settings.salesforce_login_url,
        "SALESFORCE_CLIENT_ID": settings.salesforce_client_id,
        "SALESFORCE_USERNAME": settings.salesforce_username,
        "SALESFORCE_PRIVATE_KEY": key.get_secret_value() if key else "",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"CONNECTOR_{name}", str(value))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def call(*words: object) -> Answer:
        capsys.readouterr()
        code = entrance.run([str(word) for word in words])
        return Answer(code, *capsys.readouterr())

    return call


def test_backfill_shows_its_bounds_and_tells_what_became_of_the_rows(
    town: Town, connector: Callable[..., Answer]
) -> None:
    town.world.agent_edits("Case", town.case, Status="Escalated")
    town.world.agent_makes("Case", Subject="別人的")
    answer = connector("backfill", "Case", "--yes")
    assert "2 rows of Case by queries by Id, about 1 API calls" in answer.err
    assert "2 rows of Case read" in answer.out
    assert "1  of no concern" in answer.out
    catch_up(town.world)
    assert town.world.record(town.request).values["status"] == "working"
    answer = connector("backfill", "Case", "--via", "bulk", "--json")
    told = json.loads(answer.out)
    assert (answer.code, told["via"], told["rows"], told["counts"]["in_step"]) == (0, "bulk", 2, 1)
    assert connector("backfill", "Case").code == 130  # nobody answered the question
    assert connector("backfill", "Case", "--resume", "--yes").code == 1


def test_a_backfill_that_is_broken_off_says_that_nothing_is_lost(
    connector: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Backfill, "_bring_in", interrupted)
        answer = connector("backfill", "Case", "--yes")
    assert answer.code == 130
    assert "stopped after 0 rows; the same command goes on from here" in answer.err
    assert "going on after 0 rows" in connector("backfill", "Case", "--resume", "--yes").err


def test_recheck_reads_one_record_or_all(town: Town, connector: Callable[..., Answer]) -> None:
    town.world.agent_edits("Case", town.case, Status="Closed")
    assert json.loads(connector("recheck", town.case, "--json").out) == {"rechecked": 2}
    catch_up(town.world)
    assert town.world.record(town.request).values["status"] == "closed"
    assert "7 rows will be read anew" in connector("recheck", "--all", "--yes").out
    assert connector("recheck", "--object", "Case", "--notify", "--json").code == 130
    assert connector("recheck").code == 2
    assert connector("recheck", f"member:{uuid4()}").code == 1
    catch_up(town.world)


def test_reconcile_ends_with_one_where_something_remains_unexplained(
    town: Town, connector: Callable[..., Answer]
) -> None:
    answer = connector("reconcile", "Contact")
    assert (answer.code, "all is in step" in answer.out) == (0, True)
    key = "01939000-0000-7000-8000-000000000000"
    row = town.world.agent_makes("Contact", LastName="別", LINE_Key__c=key)
    answer = connector("reconcile", "--json")
    [contact] = [each for each in json.loads(answer.out) if each["object"] == "Contact"]
    assert (answer.code, contact["counts"]["unknown_key"]) == (1, 1)
    assert contact["findings"][0]["salesforce_id"] == row
    answer = connector("reconcile", "Contact", "--dry-run")
    assert (answer.code, key in answer.out) == (1, True)
    assert connector("reconcile", "Opportunity").code == 1


def test_recover_tells_what_it_will_do_and_what_to_look_at_next(
    connector: Callable[..., Answer],
) -> None:
    answer = connector("recover", "--since", "2026-11-21T18:30", "--yes")
    assert answer.code == 0
    assert "read again from 2026-11-21T18:30:00.000Z, 7 rows are read anew" in answer.err
    assert "7  rows are read anew on both sides" in answer.out
    assert "connector reconcile" in answer.out
    told = json.loads(connector("recover", "--json").out)
    assert (told["rechecked"], told["expired"]) == (7, 0)
    assert connector("recover", "--since", "yesterday").code == 2


def test_progress_tells_share_rate_and_time_left() -> None:
    line = Progress(1_000_000, "rows", begun_at=200_000).line(500_000, 30.0)
    assert line.endswith("50%  500,000 of 1,000,000 rows  10,000/s  0:50 left")
