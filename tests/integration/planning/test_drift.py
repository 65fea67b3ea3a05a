"""The org changes under the live mappings: told before rows fail, and gone once it is mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from connector.planning.drift import looking as drifting
from connector.salesforce.gateway import Gateway
from connector.store.alerts import open_alerts
from connector.store.tables import Drift, Drifted
from connector.sync.live import looking
from connector.sync.live.publishing import live_texts, publish_from_org
from tests.integration.planning.org_setup import OrgSetup
from tests.world import World

LEAD = "friend-lead.yaml"
SHOWN = "LINE_Display_Name__c"


@dataclass(frozen=True)
class Hiding:
    """A gateway to an org that shows one object less."""

    gateway: Gateway
    hidden: str

    api_version = "62.0"

    def exchange(self, method: str, path: str, read: Any, body: bytes, headers: Any) -> Any:
        """Ask for the object under a name that nothing has."""
        asked = body.replace(f"/{self.hidden}/".encode(), b"/Hidden__c/")
        return self.gateway.exchange(method, path, read, asked, headers)


@pytest.fixture
def setup(world: World) -> OrgSetup:
    """An admin of the org, in Setup."""
    return OrgSetup(world)


def look(world: World) -> list[Drift]:
    return drifting.look(world.system.store, world.system.gateway)


def alerted(world: World) -> list[str]:
    with world.system.store.reading() as session:
        return [f"{each.kind} {each.subject}" for each in open_alerts(session)]


def publishes(world: World, before: str, after: str) -> Any:
    with world.system.store.reading() as session:
        texts = live_texts(session)
    assert before in texts[LEAD]
    texts[LEAD] = texts[LEAD].replace(before, after)
    return publish_from_org(world.system.store, world.system.gateway, texts, "amy", "drift")


def test_a_field_that_was_shortened_is_told_until_the_line_cuts_its_text(
    world: World, setup: OrgSetup
) -> None:
    setup.changes(f"Lead.{SHOWN}", length=100)
    (found,) = look(world)
    assert (found.mapping, found.kind) == ("friend-lead", Drifted.SHORTER)
    assert found.proposal == "Write transform: [trim, {truncate: 100}]"
    assert alerted(world) == ["drift friend-lead"]
    before = len(world.org_calls())
    (again,) = look(world)  # the shorter field is what the org says now, and still it does not fit
    assert len(world.org_calls()) == before + 1
    assert (again.id, again.proposal) == (found.id, found.proposal)
    publishes(world, "truncate: 255", "truncate: 100")
    assert look(world) == []
    assert alerted(world) == []


def test_a_renamed_field_is_told_with_its_new_name_for_as_long_as_it_is_missing(
    world: World, setup: OrgSetup
) -> None:
    setup.renames(f"Lead.{SHOWN}", "LINE_Name__c")
    (found,) = look(world)
    assert found.kind is Drifted.FIELD_GONE
    assert "LINE_Name__c" in found.proposal
    (again,) = look(world)
    assert again.proposal == found.proposal
    publishes(world, SHOWN, "LINE_Name__c")
    assert look(world) == []


def test_what_sync_saw_first_is_told_may_be_acknowledged_and_ends_when_it_is_taken_back(
    world: World, setup: OrgSetup
) -> None:
    setup.changes(f"Lead.{SHOWN}", length=100)
    looking.refresh_schemas(world.system.store, world.system.gateway)
    (found,) = look(world)
    drifting.acknowledge(world.system.store, [found.id], "amy")
    assert alerted(world) == []
    (again,) = look(world)
    assert (again.id, again.acknowledged_by) == (found.id, "amy")
    with pytest.raises(drifting.UnknownDrift):
        drifting.acknowledge(world.system.store, [found.id + 1], "amy")
    setup.changes(f"Lead.{SHOWN}", length=255)
    assert look(world) == []


def test_lost_rights_are_told_and_what_was_known_of_a_hidden_object_stays(
    world: World, setup: OrgSetup
) -> None:
    setup.lets_only_read(f"Lead.{SHOWN}")
    without = Hiding(world.system.gateway, "WorkOrder")
    first, second = drifting.look(world.system.store, without)  # type: ignore[arg-type]
    assert (first.subject, first.kind) == (SHOWN, Drifted.NOT_WRITABLE)
    assert (second.mapping, second.kind) == ("repair_request-workorder", Drifted.OBJECT_HIDDEN)
    with world.system.store.reading() as session:
        assert world.system.catalogs.live(session).schemas["WorkOrder"].fields
    assert [each.kind for each in look(world)] == [Drifted.NOT_WRITABLE]
