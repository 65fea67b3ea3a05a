"""Records from before their mappings were on: told what would become of them, then given their rows."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connector.bootstrap import STARTER
from connector.cli import entrance
from connector.mapping.loader import read_folder
from connector.store.tables import Outbox, Pair
from connector.sync.desk import adoption
from connector.sync.desk.adoption import Census, Outcome
from connector.sync.live import publishing
from tests import interference as stir
from tests.world import World

OFF = {
    "member-account.yaml": "name",
    "member-contact.yaml": "name",
    "registration-asset.yaml": "code",
    "repair_request-case.yaml": "symptom",
    "repair_request-workorder.yaml": "symptom",
}
CONTACT = "SELECT Id, LastName, FirstName, MobilePhone, LINE_Key__c FROM Contact"


def publish(world: World, *, enabled: bool) -> None:
    texts = read_folder(STARTER)
    for path, value in OFF.items() if not enabled else ():
        texts[path] += f'when: line.{value} == "nobody"\n'
    asset = texts["registration-asset.yaml"]
    texts["registration-asset.yaml"] = asset.replace(
        "parents:", "match: [{line: serial, salesforce: SerialNumber, normalise: exact}]\nparents:"
    )
    publishing.publish_from_org(world.system.store, world.system.gateway, texts, "a", "b")


def bind(world: World, name: str, phone: str) -> tuple[str, UUID]:
    user = world.person(name)
    world.follow(user)
    return user, world.bind(user, name, phone)


@pytest.fixture
def before(world: World) -> World:
    """A world whose members were bound while nothing of them went to Salesforce."""
    world.run_until_idle()
    publish(world, enabled=False)
    return world


def on(world: World) -> None:
    world.run_until_idle()
    publish(world, enabled=True)


def census(world: World) -> dict[tuple[str, str], adoption.Prospect]:
    system = world.system
    found = Census(system.store, system.catalogs, system.gateway).take()
    return {(each.record.partition(":")[2], each.object): each for each in found}


def outcomes(world: World) -> dict[tuple[str, str], Outcome]:
    return {place: each.outcome for place, each in census(world).items()}


def test_the_report_tells_pairs_conflicts_and_creations_apart(before: World) -> None:
    fits = before.agent_makes("Contact", LastName="王", FirstName="小明", MobilePhone="0912345678")
    before.agent_makes("Contact", LastName="李", FirstName="大同", MobilePhone="0922-333-444")
    _, ming = bind(before, "王小明", "0912345678")
    _, max_ = bind(before, "陳美", "0922333444")
    _, new = bind(before, "林新", "0933444555")
    on(before)
    found = census(before)
    assert found[str(ming), "Contact"].outcome is Outcome.PAIR
    assert found[str(ming), "Contact"].salesforce_id == fits
    conflict = found[str(max_), "Contact"]
    assert (conflict.outcome, "name" in conflict.reason.lower()) == (Outcome.CONFLICT, True)
    assert conflict.next_step
    assert found[str(max_), "Account"].outcome is Outcome.WAIT
    assert found[str(new), "Contact"].outcome is Outcome.CREATE
    assert found[str(new), "Account"].outcome is Outcome.CREATE


def test_the_report_writes_nothing_here_or_there(before: World) -> None:
    before.agent_makes("Contact", LastName="王", FirstName="小明", MobilePhone="0912345678")
    bind(before, "王小明", "0912345678")
    on(before)
    store, since = before.system.store, before.org_calls()[-1]["seq"]
    pairs = len(stir.all_of(store, Pair))
    census(before)
    assert len(stir.all_of(store, Pair)) == pairs
    assert stir.all_of(store, Outbox) == []
    assert before.row(CONTACT)["LINE_Key__c"] is None
    assert {call["path"] for call in before.org_calls(since)} <= {"/services/data/v62.0/composite"}


def test_of_two_records_that_fit_one_row_only_the_first_is_promised_it(before: World) -> None:
    before.agent_makes("Contact", LastName="王", FirstName="小明", MobilePhone="0912345678")
    _, first = bind(before, "王小明", "0912345678")
    _, second = bind(before, "王小明", "0912345678")
    on(before)
    found = outcomes(before)
    assert found[str(first), "Contact"] is Outcome.PAIR
    assert found[str(second), "Contact"] is Outcome.CONFLICT


def test_of_two_records_that_would_make_one_row_only_the_first_does(before: World) -> None:
    _, first = bind(before, "王小明", "0912345678")
    _, second = bind(before, "王小明", "0912345678")
    on(before)
    found = outcomes(before)
    assert found[str(first), "Contact"] is Outcome.CREATE
    assert found[str(second), "Contact"] is Outcome.CONFLICT


def test_a_serial_number_finds_the_asset_and_what_waits_says_for_whom(before: World) -> None:
    account = before.agent_makes("Account", Name="經銷商")
    asset = before.agent_makes("Asset", Name="AC", SerialNumber="SN-1", AccountId=account)
    before.agent_makes("Contact", LastName="李", FirstName="大同", MobilePhone="0922333444")
    ming, _ = bind(before, "王小明", "0912345678")
    max_, _ = bind(before, "陳美", "0922333444")
    registered = before.register(ming, unit(before, "SN-1"))
    stuck = before.register(max_, unit(before, "SN-2"))
    on(before)
    found = census(before)
    assert found[str(registered), "Asset"].salesforce_id == asset
    waits = found[str(stuck), "Asset"]
    assert (waits.outcome, waits.reason) == (Outcome.WAIT, "waits for its Account")


def unit(world: World, serial: str) -> str:
    from connector.members import codes
    from connector.store.tables import Record

    (product,) = stir.all_of(
        world.system.store, Record, Record.values["sku"].as_string() == "AC-100"
    )
    with world.system.store.transaction() as session:
        (made,) = codes.make_units(session, product, count=1, serials=[serial])
        return made.code


def test_a_long_list_is_read_in_pages(before: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adoption, "PAGE", 2)
    for number in range(5):
        bind(before, f"王小{number}", f"091234560{number}")
    on(before)
    contacts = [each for each in census(before).values() if each.object == "Contact"]
    assert [each.outcome for each in contacts] == [Outcome.CREATE] * 5


def test_adopting_does_what_the_report_said_and_parks_the_rest(before: World) -> None:
    fits = before.agent_makes("Contact", LastName="王", FirstName="小明", MobilePhone="0912345678")
    before.agent_makes("Contact", LastName="李", FirstName="大同", MobilePhone="0922333444")
    ann, ming = bind(before, "王小明", "0912345678")
    _, max_ = bind(before, "陳美", "0922333444")
    _, new = bind(before, "林新", "0933444555")
    on(before)
    said = census(before)
    heard = len(before.chat(ann))
    adopt(before)
    before.run_until_idle()
    assert before.pair(ming, "member-contact").salesforce_id == fits
    assert before.pair(new, "member-contact").salesforce_id is not None
    assert [str(before.pair(max_, "member-contact").id)] == [
        str(row.pair_id) for row in stir.parked(before)
    ]
    assert said[str(new), "Contact"].outcome is Outcome.CREATE
    assert len(before.chat(ann)) == heard
    assert stir.imbalances(before) == []
    assert len(before.rows(CONTACT)) == 3


def test_what_is_carried_after_the_fact_is_not_announced(before: World) -> None:
    ann, _ = bind(before, "王小明", "0912345678")
    request = before.asks_for_repair(ann)
    on(before)
    heard = len(before.chat(ann))
    adopt(before)
    before.run_until_idle()
    number = before.row("SELECT CaseNumber FROM Case")["CaseNumber"]
    assert before.record(request).values["case_number"] == number
    assert len(before.chat(ann)) == heard


def adopt(world: World) -> int:
    return adoption.adopt(world.system.store, world.system.catalogs, "an admin", lambda _: None)


def test_adopting_again_wants_nothing_and_leaves_what_is_parked(before: World) -> None:
    before.agent_makes("Contact", LastName="李", FirstName="大同", MobilePhone="0922333444")
    bind(before, "陳美", "0922333444")
    on(before)
    assert adopt(before) == 2
    before.run_until_idle()
    assert adopt(before) == 0
    assert len(stir.parked(before)) == 1
    assert list(outcomes(before).values()).count(Outcome.CONFLICT) == 1


# -- the commands


@pytest.fixture
def connector(
    before: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Callable[..., tuple[int, str]]:
    """Calls `connector` on this world."""
    settings = before.settings
    key = settings.salesforce_private_key
    given = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "SALESFORCE_LOGIN_URL": settings.salesforce_login_url,
        "SALESFORCE_CLIENT_ID": settings.salesforce_client_id,
        "SALESFORCE_USERNAME": settings.salesforce_username,
        "SALESFORCE_PRIVATE_KEY": key.get_secret_value() if key else "",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"CONNECTOR_{name}", str(value))
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str]:
        capsys.readouterr()
        code = entrance.run([str(word) for word in words])
        return code, capsys.readouterr().out

    return call


def test_the_command_tells_counts_and_writes_every_record_to_a_file(
    before: World, connector: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    before.agent_makes("Contact", LastName="李", FirstName="大同", MobilePhone="0922333444")
    bind(before, "陳美", "0922333444")
    bind(before, "林新", "0933444555")
    on(before)
    file = tmp_path / "adoption.csv"
    code, told = connector("adopt", "--report", "--csv", file, "--json")
    counts = {each["object"]: each for each in json.loads(told)["counts"]}
    assert (code, counts["Contact"]["conflict"], counts["Contact"]["create"]) == (1, 1, 1)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows: list[dict[str, Any]] = list(csv.DictReader(lines))
    assert sorted(row["outcome"] for row in rows) == ["conflict", "create", "create", "wait"]
    code, told = connector("adopt", "--report")
    assert "what to do" in told
    code, told = connector("adopt", "--yes", "--json")
    assert (code, json.loads(told)) == (0, {"wanted": 4})


def test_the_doctor_probes_the_org_with_rows_that_do_not_stay(
    before: World, connector: Callable[..., tuple[int, str]]
) -> None:
    on(before)
    before.org_fault("validation", times=1, object="Lead", message="no Leads today")
    _, told = connector("doctor", "--probe", "--json")
    probed = [each for each in json.loads(told)["findings"] if each["check"] == "probe"]
    (wrong,) = [each for each in probed if not each["ok"]]
    assert "no Leads today" in wrong["message"]
    assert any("none stayed" in each["message"] for each in probed)
