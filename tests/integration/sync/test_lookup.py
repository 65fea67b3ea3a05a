"""Lookup lines: a reference filled by another field, through the whole loop."""

import pytest
import sqlalchemy as sa

from connector.store.tables import Conflict
from connector.sync.live import publishing
from tests.world import World

LINE = (
    "  - {line: language, salesforce: OwnerId, lookup: {object: User, by: Username, missing: %s}}\n"
)


def publish_with(world: World, missing: str) -> None:
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    path = "friend-lead.yaml"
    texts[path] = texts[path].rstrip() + "\n" + LINE % missing
    publishing.publish_from_org(
        world.system.store, world.system.gateway, texts, "an admin", "owners by language"
    )


def consenting(world: World) -> None:
    user = world.person("安安", language="zh-TW")
    world.follow(user)
    world.consent(user)
    world.run_until_idle()


@pytest.mark.parametrize("missing", ["blank", "park"])
def test_a_lookup_that_finds_nothing_leaves_the_other_lines_alone(
    world: World, missing: str
) -> None:
    publish_with(world, missing)
    consenting(world)
    assert world.row("SELECT LINE_Display_Name__c FROM Lead")["LINE_Display_Name__c"] == "安安"
    with world.system.store.reading() as session:
        asked = session.scalars(sa.select(Conflict.reason)).all()
    assert len(asked) == (1 if missing == "park" else 0)


def test_a_lookup_names_the_row_that_holds_the_value(world: World) -> None:
    agent = world.simulators.org["username"]
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    line = LINE % "park"
    constant = line.replace("line: language", f"constant: '{agent.upper()}'")
    texts["friend-lead.yaml"] = texts["friend-lead.yaml"].rstrip() + "\n" + constant
    publishing.publish_from_org(
        world.system.store, world.system.gateway, texts, "an admin", "one owner"
    )
    consenting(world)
    lead = world.row("SELECT Owner.Username FROM Lead")
    assert lead["Owner"]["Username"] == agent
