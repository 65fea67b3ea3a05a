"""A mapping is published anew while a pair is under way: its base is right, and the new version has its say."""

from __future__ import annotations

from collections.abc import Sequence

from connector.domain.lines import Lane
from connector.salesforce.steps import Step
from connector.store.tables import Attempt
from connector.sync.live.publishing import live_texts, publish_from_org
from tests import interference as stir
from tests.integration.sync.test_merging import conflicts, line_edits, member_of
from tests.world import World

CONTACT = "member-contact.yaml"
EMAIL = "{line: email, salesforce: Email, direction: both, transform: email, first_meeting: ask}"
ROW = "SELECT Email, Department, LINE_Following__c FROM Contact"


def publishes(world: World, before: str, after: str) -> int:
    """Publish the member's mapping with one line written otherwise; the new version."""
    with world.system.store.reading() as session:
        texts = live_texts(session)
    assert before in texts[CONTACT]
    texts[CONTACT] = texts[CONTACT].replace(before, after)
    publish_from_org(world.system.store, world.system.gateway, texts, "amy", "meanwhile")
    return version(world)


def version(world: World) -> int:
    """The live version of the member's mapping."""
    with world.system.store.reading() as session:
        return world.system.catalogs.live(session).mappings["member-contact"].version


def during_a_write(world: World, before: str, after: str) -> None:
    """What is ready is claimed, weighed and written while the mapping is published anew."""
    published: list[int] = []

    def meanwhile(steps: Sequence[Step]) -> None:
        if stir.writes(steps) and not published:
            published.append(publishes(world, before, after))

    worker = stir.delivery(world, stir.Tapped(world.system.gateway, before=meanwhile))
    worker.deliver(Lane.URGENT)
    assert published


def test_a_line_that_was_added_is_written_and_the_others_keep_the_base_of_their_version(
    world: World,
) -> None:
    _, member = member_of(world)
    old = version(world)
    line_edits(world, "member", member, email="a@example.com")
    also = "{line: email, salesforce: Department, transform: {truncate: 80}}"
    during_a_write(world, EMAIL, f"{EMAIL}\n  - {also}")
    base = world.pair(member, "member-contact").base
    assert (base["Email"]["value"], base["Email"]["version"]) == ("a@example.com", old)
    assert "Department" not in base
    world.run_until_idle()
    assert world.row(ROW)["Department"] == "a@example.com"
    base = world.pair(member, "member-contact").base
    assert base["Department"]["version"] == version(world)
    tried = stir.all_of(world.system.store, Attempt, Attempt.mapping_version == version(world))
    assert [list(each.sent) for each in tried] == [["Department"]]
    assert stir.imbalances(world) == []


def test_a_line_that_was_renamed_goes_to_its_new_field_and_later_edits_too(world: World) -> None:
    _, member = member_of(world)
    line_edits(world, "member", member, email="a@example.com")
    during_a_write(world, EMAIL, "{line: email, salesforce: Department, transform: {truncate: 80}}")
    world.run_until_idle()
    row = world.row(ROW)
    assert (row["Email"], row["Department"]) == ("a@example.com", "a@example.com")
    line_edits(world, "member", member, email="b@example.com")
    world.run_until_idle()
    row = world.row(ROW)
    assert (row["Email"], row["Department"]) == ("a@example.com", "b@example.com")


def test_a_line_that_was_removed_asks_nothing_any_more(world: World) -> None:
    _, member = member_of(world)
    line_edits(world, "member", member, email="a@example.com")
    world.run_until_idle()
    publishes(world, "transform: email, first_meeting: ask", "transform: email, conflict: ask")
    line_edits(world, "member", member, email="b@example.com")
    contact = world.row("SELECT Id FROM Contact")["Id"]
    world.agent_edits("Contact", contact, Email="c@example.com")
    world.run_until_idle()
    assert [each.line for each in conflicts(world)] == ["Email"]
    line_edits(world, "member", member, email="d@example.com", phone="+886987654321")
    during_a_write(world, "- {line: email, salesforce: Email", "# {line: email, salesforce: Email")
    world.run_until_idle()
    assert conflicts(world) == []
    row = world.row("SELECT Email, MobilePhone FROM Contact")
    assert row["Email"] == "c@example.com"
    assert row["MobilePhone"].endswith("987654321")


def test_what_the_old_version_parked_is_tried_by_the_new_one(world: World) -> None:
    _, member = member_of(world)
    line_edits(world, "member", member, email="a@example.com")
    world.org_fault("validation", times=1, object="Contact", message="no e-mail, please")
    during_a_write(world, EMAIL, "{line: email, salesforce: Department, transform: {truncate: 80}}")
    world.run_until_idle()
    assert world.outbox() == []
    row = world.row(ROW)
    assert (row["Email"], row["Department"]) == (None, "a@example.com")
