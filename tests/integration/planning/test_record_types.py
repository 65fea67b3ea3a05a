"""A record type lacks a value of its field: the check says so, the plan foresees it, drift tells when it goes."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from connector.cli import entrance
from connector.mapping.rules import Rule
from connector.planning import previewing
from connector.planning.drift import looking as drifting
from connector.store.tables import Drifted
from connector.sync.catalog import cached_schemas
from connector.sync.live import looking
from connector.sync.live.publishing import publish_from_org
from tests import interference as stir
from tests.integration.planning.conftest import Office
from tests.world import World

WORK_ORDER = "repair_request-workorder.yaml"
TYPED = "lane: urgent\nrecord_type: Repair\n"
MINUTES = "  - {salesforce: DurationType, constant: Minutes}\n"
SAID = "  - {line: symptom, salesforce: DurationType}\n"


def offers(world: World, *values: str) -> None:
    """The record type offers these durations from now on."""
    rule = {"kind": "record_type", "object": "WorkOrder", "developer_name": "Repair"}
    rule |= {"label": "維修", "picklists": {"DurationType": values}}
    url = f"{world.simulators.org_url}/_simulator/rules"
    requests.post(url, json=rule, timeout=5).raise_for_status()


def edited(office: Office, line: str = "") -> dict[str, str]:
    def edit(text: str) -> str:
        typed = text if TYPED in text else text.replace("lane: urgent\n", TYPED)
        return f"{typed.rstrip()}\n{line}"

    return office.edited(WORK_ORDER, edit)


def publish(world: World, texts: dict[str, str]) -> None:
    system = world.system
    publish_from_org(system.store, system.gateway, texts, "amy", "durations")


def test_a_draft_that_names_a_record_type_is_looked_at_with_its_values(
    world: World, office: Office
) -> None:
    offers(world, "Hours")
    texts = edited(office, MINUTES)
    drafted = previewing.drafted(world.system.store, world.system.gateway, texts, "")
    (problem,) = drafted.problems
    assert problem.rule is Rule.PICKLIST_VALUE
    assert "of record type Repair" in problem.message


def test_the_check_refuses_a_value_that_the_record_type_lacks(
    world: World,
    office: Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    offers(world, "Hours")
    for path, text in edited(office, MINUTES).items():
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    monkeypatch.setattr("connector.bootstrap.open_gateway", lambda _: world.system.gateway)
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SALESFORCE_LOGIN_URL"):
        monkeypatch.setenv(f"CONNECTOR_{name}", "http://127.0.0.1:1")
    monkeypatch.chdir(tmp_path)
    assert entrance.run(["mappings", "check", str(tmp_path)]) == 0
    capsys.readouterr()
    assert entrance.run(["mappings", "check", str(tmp_path), "--org"]) == 1
    (told,) = capsys.readouterr().out.splitlines()
    assert told.startswith(f"./{WORK_ORDER}:20:")
    assert "Minutes is not a value of the picklist of record type Repair" in told


def test_a_plan_foresees_what_the_record_type_refuses_and_delivery_does_not_send_it(
    world: World, office: Office
) -> None:
    offers(world, "Hours")
    publish(world, edited(office))
    user = world.person()
    world.follow(user)
    world.bind(user, "王小明", "0912345678")
    for symptom in ("Hours", "Minutes"):
        world.asks_for_repair(user, symptom=symptom)
    world.run_until_idle()
    plan = office.plan(edited(office, SAID))
    told = office.summary(plan)["mappings"]["repair_request-workorder"]
    assert (told["reject"], told["update"], told["lines"]) == (1, 1, {"DurationType": 1})
    (row,) = office.rows(plan, verdict="reject")
    assert "not a value of the picklist of record type Repair" in row["reason"]
    office.publish(plan)
    orders = world.rows("SELECT Subject, DurationType, RecordType.DeveloperName FROM WorkOrder")
    assert {each["Subject"]: each["DurationType"] for each in orders} == {
        "Hours": "Hours",
        "Minutes": None,
    }
    assert {each["RecordType"]["DeveloperName"] for each in orders} == {"Repair"}
    assert stir.imbalances(world) == []


def test_a_value_taken_off_the_record_type_is_drift_until_it_is_back(
    world: World, office: Office
) -> None:
    offers(world, "Hours", "Minutes")
    publish(world, edited(office, MINUTES))
    store, gateway = world.system.store, world.system.gateway
    assert drifting.look(store, gateway) == []
    offers(world, "Hours")
    looking.refresh_schemas(store, gateway, ["WorkOrder"])
    with store.reading() as session:
        known = cached_schemas(session)["WorkOrder"]
    assert known.offered == {"Repair": {"DurationType": ("Hours",)}}
    (found,) = drifting.look(store, gateway)
    assert (found.mapping, found.kind) == ("repair_request-workorder", Drifted.VALUE_GONE)
    told = "WorkOrder.DurationType of record type Repair has no active value Minutes any more"
    assert found.message == told
    (again,) = drifting.look(store, gateway)  # what is offered now is known by then
    assert (again.id, again.message) == (found.id, told)
    offers(world, "Hours", "Minutes")
    assert drifting.look(store, gateway) == []
