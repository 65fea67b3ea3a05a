"""Both sides edit: what is carried, what is kept, what a person is asked."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from connector.domain.changes import Change
from connector.domain.lines import Lane
from connector.salesforce.steps import Step
from connector.store.tables import Conflict, Pair, Received
from connector.sync.changes import apply_all
from connector.sync.incoming.intake import scene_for
from connector.sync.live import publishing
from tests import interference as stir
from tests.world import World

CONTACT = (
    "SELECT Id, LastName, FirstName, MobilePhone, Email, AccountId, LINE_Key__c, "
    "LINE_Display_Name__c, LINE_Following__c FROM Contact"
)


def member_of(world: World, name: str = "王小明", phone: str = "0912345678") -> tuple[str, UUID]:
    user = world.person(name)
    world.follow(user)
    world.consent(user)
    world.run_until_idle()
    member = world.bind(user, name, phone)
    world.run_until_idle()
    return user, member


def line_edits(world: World, kind: str, record: UUID, **values: Any) -> None:
    with world.system.store.transaction() as session:
        scene = scene_for(session, world.system.catalogs, world.now())
        apply_all(scene, [Change(record, kind, values, world.record(record).person_id)])


def conflicts(world: World) -> list[Conflict]:
    return stir.all_of(world.system.store, Conflict, Conflict.state == "open")


def publish(world: World, **documents: str) -> None:
    with world.system.store.reading() as session:
        live = publishing.live_texts(session)
    texts = {
        **live,
        **{f"{name.replace('__', '-')}.yaml": text for name, text in documents.items()},
    }
    publishing.publish_from_org(world.system.store, world.system.gateway, texts, "test", "test")


def live(world: World, name: str) -> str:
    with world.system.store.reading() as session:
        return publishing.live_texts(session)[f"{name}.yaml"]


def asking(world: World) -> str:
    old = "direction: both, transform: person_name"
    return live(world, "member-contact").replace(old, f"conflict: ask, {old}")


def test_a_name_edited_on_both_sides_is_asked_and_the_other_lines_go_on(world: World) -> None:
    publish(world, member__contact=asking(world))
    _, member = member_of(world)
    contact = world.row(CONTACT)
    line_edits(world, "member", member, name="王中明", email="ming@example.com")
    world.agent_edits("Contact", contact["Id"], FirstName="大明")
    world.run_until_idle()
    (conflict,) = conflicts(world)
    assert (conflict.kind, conflict.line) == ("merge", "LastName,FirstName")
    assert (conflict.base, conflict.ours, conflict.theirs) == (
        {"LastName": "王", "FirstName": "小明"},
        {"LastName": "王", "FirstName": "中明"},
        {"LastName": "王", "FirstName": "大明"},
    )
    row = world.row(CONTACT)
    assert (row["FirstName"], row["Email"]) == ("大明", "ming@example.com")
    assert world.record(member).values["name"] == "王中明"


def test_a_line_that_is_asked_about_when_it_is_written_is_asked_once(world: World) -> None:
    publish(world, member__contact=asking(world))
    _, member = member_of(world)
    line_edits(world, "member", member, name="王中明", email="ming@example.com")
    world.agent_edits("Contact", world.row(CONTACT)["Id"], FirstName="大明")
    world.system.delivery.deliver(Lane.URGENT)
    assert [each.line for each in conflicts(world)] == ["LastName,FirstName"]
    assert stir.parked(world) == []
    assert world.row(CONTACT)["Email"] == "ming@example.com"


def test_a_question_is_closed_once_both_sides_say_the_same(world: World) -> None:
    publish(world, member__contact=asking(world))
    _, member = member_of(world)
    line_edits(world, "member", member, name="王中明")
    world.agent_edits("Contact", world.row(CONTACT)["Id"], FirstName="大明")
    world.run_until_idle()
    world.agent_edits("Contact", world.row(CONTACT)["Id"], FirstName="中明")
    world.run_until_idle()
    assert conflicts(world) == []


def test_a_row_read_before_our_write_does_not_overwrite_it(world: World) -> None:
    _, member = member_of(world)
    world.agent_edits("Contact", world.row(CONTACT)["Id"], Email="old@example.com")
    world.system.streams.read()
    line_edits(world, "member", member, email="new@example.com")
    world.system.delivery.deliver(Lane.URGENT)
    stir.read_all(world)
    (row,) = stir.all_of(
        world.system.store, Received, Received.body["Email"].as_string() == "old@example.com"
    )
    assert row.state == "done"
    world.run_until_idle()
    assert world.record(member).values["email"] == world.row(CONTACT)["Email"]


def test_a_late_page_of_an_older_value_changes_nothing(world: World) -> None:
    _, member = member_of(world)
    world.system.streams.read()
    line_edits(world, "member", member, email="first@example.com")
    world.run_until_idle()
    pages = stir.all_of(
        world.system.store, Received, Received.body["Email"].as_string() == "first@example.com"
    )
    line_edits(world, "member", member, email="second@example.com")
    world.run_until_idle()
    with world.system.store.transaction() as session:
        for page in pages:
            session.execute(sa.update(Received).where(Received.id == page.id).values(state="ready"))
    world.run_until_idle()
    assert world.record(member).values["email"] == "second@example.com"
    assert world.row(CONTACT)["Email"] == "second@example.com"


def test_a_correction_after_a_dead_workers_write_is_not_undone(world: World) -> None:
    _, member = member_of(world)
    line_edits(world, "member", member, email="first@example.com")
    stir.dies_after_write(world)
    line_edits(world, "member", member, email="second@example.com")
    stir.expire_claims(world)
    stir.settle_down(world)
    assert world.record(member).values["email"] == "second@example.com"
    assert world.row(CONTACT)["Email"] == "second@example.com"


def test_an_agents_edit_after_a_dead_workers_first_write_is_taken(world: World) -> None:
    user = world.person("王小明")
    world.follow(user)
    world.run_until_idle()
    member = world.bind(user, "王小明", "0912345678")
    stir.dies_after_write(world)
    world.agent_edits("Contact", world.row(CONTACT)["Id"], FirstName="大明")
    stir.expire_claims(world)
    stir.settle_down(world)
    assert world.record(member).values["name"] == "王大明"
    assert conflicts(world) == []


def test_what_automation_makes_of_our_value_comes_back(world: World) -> None:
    _, member = member_of(world)
    world.org_fault("edit_after", times=1, object="Contact", values={"Email": "AUTO@example.org"})
    line_edits(world, "member", member, email="ming@example.com")
    world.run_until_idle()
    assert world.record(member).values["email"] == "AUTO@example.org"
    assert world.row(CONTACT)["Email"] == "AUTO@example.org"


def test_another_spelling_of_a_phone_is_no_edit(world: World) -> None:
    _, member = member_of(world)
    before = world.record(member).version
    world.agent_edits("Contact", world.row(CONTACT)["Id"], MobilePhone="0912 345 678")
    world.run_until_idle()
    assert world.record(member).version == before
    assert world.row(CONTACT)["MobilePhone"] == "0912 345 678"


def test_a_value_that_is_not_named_parks_its_line_alone(world: World) -> None:
    user, _ = member_of(world)
    text = live(world, "repair_request-case").replace(", high: High}, default", "}, default")
    publish(world, repair_request__case=text)
    request = world.asks_for_repair(user, urgency="high")
    world.run_until_idle()
    assert world.row("SELECT Subject FROM Case")["Subject"] == "不冷"
    (conflict,) = conflicts(world)
    assert (conflict.kind, conflict.line) == ("value", "Priority")
    assert "high" in conflict.reason
    assert world.record(request).values["case_number"]


def test_a_failing_expression_parks_the_record_until_it_is_mended(world: World) -> None:
    user, _ = member_of(world)
    good = live(world, "repair_request-case")
    publish(world, repair_request__case=good.replace("line.product_text,", "line.slots[7],"))
    world.asks_for_repair(user)
    world.run_until_idle()
    rows = stir.parked(world)
    assert any("slots[7]" in (row.reason or "") for row in rows)
    assert world.rows("SELECT Id FROM Case") == []
    publish(world, repair_request__case=good)
    assert stir.redrive_parked(world) >= 1
    world.run_until_idle()
    assert len(world.rows("SELECT Id FROM Case")) == 1
    assert len(world.rows("SELECT Id FROM WorkOrder")) == 1
    assert stir.imbalances(world) == []


def test_a_deleted_contact_is_not_made_again_by_our_next_write(world: World) -> None:
    _, member = member_of(world)
    world.agent_deletes("Contact", world.row(CONTACT)["Id"])
    line_edits(world, "member", member, email="ming@example.com")
    world.run_until_idle()
    pair = world.pair(member, "member-contact")
    assert world.rows(CONTACT) == []
    assert (pair.state, "deleted" in (pair.reason or "")) == ("gone", True)
    assert stir.imbalances(world) == []


def test_a_value_taken_from_salesforce_feeds_the_other_lines_of_its_row(world: World) -> None:
    text = live(world, "member-contact").replace(
        "  - {line: bound_at,",
        '  - {salesforce: Description, expression: \'join(["LINE", line.name], " ")\'}\n  - {line: bound_at,',
    )
    publish(world, member__contact=text)
    member_of(world)
    query = "SELECT Id, Description FROM Contact"
    assert world.row(query)["Description"] == "LINE 王小明"
    world.agent_edits("Contact", world.row(query)["Id"], FirstName="大明")
    world.run_until_idle()
    assert world.row(query)["Description"] == "LINE 王大明"


def test_what_line_shows_is_sent_after_a_first_meeting_that_salesforce_won(world: World) -> None:
    world.agent_makes(
        "Contact",
        LastName="王",
        FirstName="小明",
        MobilePhone="0912345678",
        LINE_Display_Name__c="舊名",
    )
    user, member = member_of(world)
    assert world.row(CONTACT)["LINE_Display_Name__c"] == "舊名"
    assert world.pair(member, "member-contact").match == "found"
    friend = stir.friend_of(world, user)
    line_edits(world, "friend", friend, display_name="新名")
    world.run_until_idle()
    assert world.row(CONTACT)["LINE_Display_Name__c"] == "新名"


def test_the_pairs_of_a_row_taken_at_a_first_meeting_notify_nobody(world: World) -> None:
    world.agent_makes(
        "Contact", LastName="王", FirstName="小明", MobilePhone="0912345678", Email="w@example.com"
    )
    _, member = member_of(world)
    assert world.record(member).values["email"] == "w@example.com"
    assert stir.all_of(world.system.store, Pair, Pair.salesforce_id.is_(None)) == []


def test_what_is_taken_back_while_it_is_being_written_does_not_return(world: World) -> None:
    _, member = member_of(world)
    line_edits(world, "member", member, email="new@example.com")

    def takes_back(steps: Sequence[Step]) -> None:
        if stir.writes(steps) and world.record(member).values["email"]:
            line_edits(world, "member", member, email=None)

    tapped = stir.Tapped(world.system.gateway, after=takes_back)
    stir.delivery(world, tapped).deliver(Lane.URGENT)
    assert world.row(CONTACT)["Email"] == "new@example.com"
    world.run_until_idle()
    assert world.record(member).values["email"] is None
    assert world.row(CONTACT)["Email"] is None
