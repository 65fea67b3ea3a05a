"""A form without code: published, filled in over HTTP, a Lead of its kind in the queue of its city."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import requests
import sqlalchemy as sa

from connector import bootstrap
from connector.cli.story import as_told
from connector.members.tombstones import Tombstones
from connector.store.tables import History, Received, Record
from connector.sync import finding
from connector.sync.catalog import Catalogs
from connector.sync.desk import explain
from connector.sync.live import publishing
from connector.sync.privacy import erasing
from connector.sync.veil import Veil
from tests.integration.webhooks.site import serving
from tests.world import World
from webhooks.app import make_app
from webhooks.web import Web

FORM, MAPPING = "forms/franchise_application.yaml", "franchise_application-lead.yaml"
LEAD = (
    "SELECT Id, Name, Company, City, MobilePhone, Description, Owner.Name, "
    "RecordType.DeveloperName FROM Lead WHERE RecordType.DeveloperName = 'Franchise'"
)
SERVICE = {"purpose": "service", "version": "1"}
ANSWERS = {
    "applicant": "陳大文",
    "phone": "0987-654-321",
    "city": "Tainan",
    "interests": ["Repair", "Sales"],
    "budget": 300,
    "experience": True,
}


def publish(world: World, **old_and_new: tuple[str, str]) -> None:
    """Publish the live set with the form and its mapping enabled, and with further changes of the form."""
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    for path in (FORM, MAPPING):
        texts[path] = texts[path].replace("enabled: false", "enabled: true")
    for old, new in old_and_new.values():
        assert old in texts[FORM]
        texts[FORM] = texts[FORM].replace(old, new)
    here = (world.system.store, world.system.gateway, texts, "an admin", "franchises wanted")
    publishing.publish_from_org(*here)


def withdraw(world: World) -> None:
    """Publish the live set without the form and its mapping."""
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    kept = {path: text for path, text in texts.items() if path not in (FORM, MAPPING)}
    here = (world.system.store, world.system.gateway, kept, "an admin", "no more franchises")
    publishing.publish_from_org(*here)


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """The web process, which was there before anything was published."""
    settings = world.settings
    web = Web(
        store=world.system.store,
        catalogs=Catalogs(),
        accounts=tuple(world.system.accounts.values()),
        verifier=bootstrap.verifier(settings),
        sms=bootstrap.sms_sender(settings),
        settings=settings,
    )
    with serving(make_app(web)) as url:
        yield f"{url}/liff/api/forms/franchise_application"


def phone(world: World, user: str) -> requests.Session:
    """A session with the user's own ID token, as the page has it from LINE."""
    session = requests.Session()
    token = world._line(f"/users/{user}/id-token")["id_token"]
    session.headers.update({"Authorization": f"Bearer {token}", "Accept-Language": "en"})
    return session


def record(world: World, answer: requests.Response) -> Record:
    assert answer.status_code == 201, answer.text
    return world.record(UUID(answer.json()["id"]))


def told(world: World, made: Record) -> dict[str, Any]:
    with world.system.store.reading() as session:
        found = finding.find(session, f"{made.kind}:{made.id}")
        catalog = world.system.catalogs.live(session)
        return as_told(explain.tell(session, catalog, found, datetime.now(UTC)), Veil())


def test_an_application_becomes_a_lead_of_its_record_type_in_the_queue_of_its_city(
    world: World, address: str
) -> None:
    user = world.person()
    world.follow(user)
    ann = phone(world, user)
    assert ann.get(address).status_code == 404  # it is shipped switched off
    publish(world)
    assert ann.get(address).json()["title"] == "Franchise application"
    made = record(world, ann.post(address, json={"answers": ANSWERS, "consents": [SERVICE]}))
    world.run_until_idle()
    lead = world.row(LEAD)
    assert (lead["Name"], lead["Company"], lead["City"]) == ("大文 陳", "陳大文", "Tainan")
    assert lead["MobilePhone"] == "+886987654321"
    assert lead["Owner"]["Name"] == "LINE 加盟 南區"
    assert lead["Description"] == "Repair, Sales\nNT$3000,000\nHas worked with appliances"
    with world.system.store.reading() as session:
        here = sa.select(Received.ledger).where(Received.kind == "forms.franchise_application")
        assert session.scalars(here).one() == "written"
    story = told(world, made)
    assert [pair["mapping"] for pair in story["pairs"]] == ["franchise_application-lead"]
    values = story["record"]["values"]
    assert (values["applicant"], values["city"]) == ("陳… (3)", "Tainan")
    assert "陳大文" not in str(story)


def test_a_form_is_asked_anew_as_soon_as_it_is_published_again(world: World, address: str) -> None:
    publish(world)
    user = world.person()
    world.follow(user)
    ann = phone(world, user)
    older = record(world, ann.post(address, json={"answers": ANSWERS, "consents": [SERVICE]}))
    question = "  - {name: floor, type: text, label: {zh-TW: 樓層, en: Floor, ja: 階}}\n"
    publish(world, more=("fields:\n", f"fields:\n{question}"))
    refused = ann.post(address, json={"answers": ANSWERS})
    assert [each["field"] for each in refused.json()["errors"]] == ["floor"]
    newer = record(world, ann.post(address, json={"answers": {**ANSWERS, "floor": "1"}}))
    world.run_until_idle()
    assert (older.values.get("floor"), newer.values["floor"]) == (None, "1")
    assert len(world.rows(LEAD)) == 2
    withdraw(world)
    assert ann.get(address).status_code == 404
    assert told(world, newer)["record"]["values"]["applicant"] == "陳… (3)"


def test_erasing_a_person_takes_their_answers_out_of_record_history_and_lead(
    world: World, address: str
) -> None:
    publish(world)
    user = world.person()
    world.follow(user)
    made = record(
        world,
        phone(world, user).post(address, json={"answers": ANSWERS, "consents": [SERVICE]}),
    )
    world.run_until_idle()
    tombstones = Tombstones(world.settings.secret_key.get_secret_value())
    eraser = erasing.Erasure(world.system.store, tombstones, "an operator", "asked for it")
    eraser.erase(world.person_id(user), world.now())
    world.run_until_idle()
    kept = world.record(made.id).values
    assert {name for name, value in kept.items() if value} == {"city", "interests", "created_at"}
    with world.system.store.reading() as session:
        past = session.scalars(sa.select(History.after).where(History.record_id == made.id)).all()
    assert past and all(each == {"value": None} for each in past)
    lead = world.row("SELECT LastName, MobilePhone, City FROM Lead WHERE City = 'Tainan'")
    assert (lead["LastName"], lead.get("MobilePhone")) == ("(erased)", None)
