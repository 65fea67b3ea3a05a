"""A plan says what publishing would do, publishing does just that, and undoing takes it back."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from connector.errors import ConnectorError
from connector.planning import pages
from connector.store.tables import Plan, PlanRow
from connector.sync.live import publishing
from tests import interference as stir
from tests.integration.planning.conftest import CASE, Customer, Office
from tests.world import World

SUBJECT = "{line: symptom, salesforce: Subject, transform: [trim, {truncate: 255}]}"
SHORT = "{line: symptom, salesforce: Subject, transform: [trim, {truncate: 2}]}"


def shortened(text: str) -> str:
    return text.replace(SUBJECT, SHORT)


def subjects(world: World) -> set[str]:
    return {row["Subject"] for row in world.rows("SELECT Subject FROM Case")}


def test_a_mapping_is_planned_published_and_taken_back(
    world: World, office: Office, customer: Customer
) -> None:
    before = subjects(world)
    plan = office.plan(office.edited(CASE, shortened))
    told = office.summary(plan)["mappings"]["repair_request-case"]
    assert (told["records"], told["update"], told["create"], told["fields"]) == (
        3,
        3,
        0,
        {"Subject": 3},
    )
    assert {tuple(row["fields"]["Subject"]) for row in office.rows(plan)} == {
        (subject, subject[:2]) for subject in before
    }
    assert subjects(world) == before
    office.publish(plan)
    assert subjects(world) == {subject[:2] for subject in before}
    office.undo(plan)
    assert subjects(world) == before
    assert office.texts()[CASE] == office.edited(CASE, shortened)[CASE].replace(SHORT, SUBJECT)
    assert stir.imbalances(world) == []


def test_undoing_leaves_what_an_agent_changed_since(
    world: World, office: Office, customer: Customer
) -> None:
    plan = office.plan(office.edited(CASE, shortened))
    office.publish(plan)
    row = world.row("SELECT Id FROM Case WHERE Subject = '一漏'")
    world.agent_edits("Case", row["Id"], Subject="換冷媒")
    world.run_until_idle()
    office.undo(plan)
    assert subjects(world) == {"零漏水", "換冷媒", "二漏水"}
    world.run_until_idle()
    assert subjects(world) == {"零漏水", "換冷媒", "二漏水"}


def test_undoing_empties_a_field_that_nothing_maps_any_more(
    world: World, office: Office, customer: Customer
) -> None:
    line = "  - {line: urgency, salesforce: SuppliedName}\n"
    plan = office.plan(
        office.edited(CASE, lambda text: text.replace("fields:\n", "fields:\n" + line))
    )
    office.publish(plan)
    assert {row["SuppliedName"] for row in world.rows("SELECT SuppliedName FROM Case")} == {"high"}
    office.undo(plan)
    assert {row["SuppliedName"] for row in world.rows("SELECT SuppliedName FROM Case")} == {None}


def test_a_field_from_salesforce_is_filled_for_records_that_are_there(
    world: World, office: Office, customer: Customer
) -> None:
    case = world.row("SELECT Id FROM Case WHERE Subject = '零漏水'")["Id"]
    world.agent_edits("Case", case, SuppliedCompany="三樓")
    world.run_until_idle()
    line = "  - {line: product_text, salesforce: SuppliedCompany, direction: from_salesforce}\n"
    plan = office.plan(
        office.edited(CASE, lambda text: text.replace("fields:\n", "fields:\n" + line))
    )
    found = {row["record"]: row["values"]["product_text"] for row in office.rows(plan)}
    was, would_be = found[f"repair_request:{customer.requests[0]}"]
    assert would_be == "三樓" != was
    office.publish(plan)
    assert world.record(customer.requests[0]).values["product_text"] == "三樓"
    office.undo(plan)
    assert world.record(customer.requests[0]).values["product_text"] == was


def test_what_salesforce_would_refuse_is_foreseen_and_not_sent(
    world: World, office: Office, customer: Customer
) -> None:
    too_long = f"{{prefix: '{'很' * 254}'}}"
    edited = office.edited(CASE, lambda text: text.replace("{truncate: 255}", too_long))
    plan = office.plan(edited)
    told = office.summary(plan)["mappings"]["repair_request-case"]
    assert (told["reject"], told["lines"]) == (3, {"Subject": 3})
    row = office.rows(plan, verdict="reject")[0]
    assert "the field holds 255" in row["reason"]
    office.publish(plan)
    assert "零漏水" in subjects(world)


def test_the_org_itself_is_asked_and_rolls_back_what_it_was_asked(
    world: World, office: Office, customer: Customer
) -> None:
    before = subjects(world)
    world.org_fault("validation", object="Case", message="Subject is too short", times=1)
    plan = office.plan(office.edited(CASE, shortened), tries=10)
    told = office.summary(plan)["mappings"]["repair_request-case"]
    assert (told["reject"], told["update"]) == (1, 2)
    assert "Subject is too short" in office.rows(plan, verdict="reject")[0]["reason"]
    assert subjects(world) == before


def test_a_switched_on_mapping_finds_makes_and_asks(
    world: World, office: Office, customer: Customer
) -> None:
    other = world.person("阿美")
    world.follow(other)
    world.consent(other)
    world.run_until_idle()
    texts = office.texts()
    lead = "friend-lead.yaml"
    without = {path: text for path, text in texts.items() if path != lead}
    office.publish(office.plan(without, "member-contact"))
    plan = office.plan(
        {
            **without,
            "friend-contact.yaml": texts[lead]
            .replace("to: Lead", "to: Contact")
            .replace("Company", "Department"),
        }
    )
    told = office.summary(plan)["mappings"]["friend-contact"]
    assert told["create"] + told["left_out"] + told["wait"] == told["records"] == 2


def test_personal_values_are_masked_unless_asked_for(office: Office, customer: Customer) -> None:
    plan = office.plan(office.edited(CASE, shortened))
    assert "漏" not in str(office.rows(plan, reveal=False))
    assert "漏" in str(office.rows(plan))


def test_rows_are_searched_by_field_text_and_page(office: Office, customer: Customer) -> None:
    plan = office.plan(office.edited(CASE, shortened))
    first, second = office.rows(plan, limit=2)
    assert [row["id"] for row in office.rows(plan, after=second["id"])] > [first["id"]]
    assert len(office.rows(plan, text="二漏水")) == 1
    assert office.rows(plan, field="Priority") == []


def test_what_changes_much_needs_force(
    world: World, office: Office, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.planning.applying._FEW", 2)
    plan = office.plan(office.edited(CASE, shortened))
    with pytest.raises(ConnectorError, match="3 of 3 records would be written"):
        office.publish(plan, most=0.2)
    assert "零漏" not in subjects(world)
    office.publish(plan, most=0.2, force=True)
    assert "零漏" in subjects(world)


def test_a_plan_is_refused_where_others_published_meanwhile(
    office: Office, customer: Customer
) -> None:
    plan = office.plan(office.edited(CASE, shortened))
    office.publish(
        office.plan(
            office.edited("friend-lead.yaml", lambda text: text + "\n# seen\n"), "friend-lead"
        )
    )
    with pytest.raises(ConnectorError, match=r"others published friend-lead\.yaml"):
        office.publish(plan)


def test_undoing_takes_nothing_back_that_others_publish_just_then(
    office: Office, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = office.plan(office.edited(CASE, shortened))
    office.publish(plan)
    asks = publishing.fetch_schemas

    def meanwhile(*asked: Any) -> Any:
        monkeypatch.setattr(publishing, "fetch_schemas", asks)
        lead = office.edited("friend-lead.yaml", lambda text: text + "\n# seen\n")
        office.publish(office.plan(lead, "friend-lead"))
        return asks(*asked)

    monkeypatch.setattr(publishing, "fetch_schemas", meanwhile)
    with pytest.raises(ConnectorError, match=r"others published friend-lead\.yaml"):
        office.undo(plan)
    assert office.texts()["friend-lead.yaml"].endswith("# seen\n")
    office.undo(plan)


def test_a_plan_that_was_broken_off_goes_on_where_it_was(
    world: World, office: Office, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SIZE", 1)
    survey = office.survey(office.edited(CASE, shortened))

    def break_off(course: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        survey.run(survey.begin("ada"), break_off)
    again = survey.begin("ada")
    assert (again.resumed, again.done) == (True, 1)
    plan = survey.run(again)
    with world.system.store.reading() as session:
        records = session.scalars(sa.select(PlanRow.record_id).where(PlanRow.plan_id == plan)).all()
        assert session.scalar(sa.select(sa.func.count()).select_from(Plan)) == 1
    assert sorted(records) == sorted(customer.requests)


def test_planning_says_so_where_no_record_would_be_different(office: Office) -> None:
    with pytest.raises(ConnectorError, match="no mapping that runs would be different"):
        office.plan(office.texts())
