"""A person is erased: from every column here, from their rows in the org, and for good."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
import structlog

from connector import bootstrap
from connector.domain.lines import Lane
from connector.domain.states import EnvelopeState, InboxState, Ledger
from connector.line.events import read_delivery
from connector.logs import configure
from connector.store.tables import (
    Conflict,
    Envelope,
    Friendship,
    Idempotency,
    Pair,
    Person,
    Received,
    Record,
    Source,
    Unit,
)
from connector.sync.desk import redriving
from connector.sync.incoming.intake import receive_events
from connector.sync.privacy import whereabouts
from connector.sync.privacy.erasing import Erasure
from connector.sync.upkeep import ledger
from tests import interference as stir
from tests.buttons import converts, undeletes
from tests.columns import holders
from tests.world import World

NAME, EMAIL, ADDRESS = "歐陽娜娜", "nana.ouyang@example.com", "台北市信義區永吉路七號"
PHONE = "0987-654-321"
PERSONAL = ("Contact", "LastName, FirstName, MobilePhone, Email, LINE_Key__c, LINE_User_Id__c")


@dataclass
class Nana:
    """Somebody who did everything there is to do."""

    user: str
    member: UUID

    @property
    def texts(self) -> Collection[str]:
        spellings = ("+886987654321", "886987654321", "0987654321", PHONE)
        return (self.user, NAME, "娜娜", EMAIL, ADDRESS, *spellings)


def lives(world: World) -> Nana:
    user = world.person(NAME)
    world.follow(user)
    world.consent(user)
    world.run_until_idle()
    world.says(user, f"我是{NAME}，電話{PHONE}")
    member = world.bind(user, NAME, PHONE, email=EMAIL)
    world.run_until_idle()
    world.register(user, world.codes("AC-100")[0])
    world.asks_for_repair(user, address=ADDRESS, contact_phone=PHONE)
    world.run_until_idle()
    return Nana(user, member)


def is_bound(world: World, name: str = NAME) -> Nana:
    """Somebody who only bound their account; nobody looks what the org says by itself."""
    world.polls = False
    user = world.person(name)
    world.follow(user)
    world.run_until_idle()
    member = world.bind(user, name, PHONE, email=EMAIL)
    world.run_until_idle()
    return Nana(user, member)


def erasure(world: World, reason: str = "asked for it") -> Erasure:
    return Erasure(
        world.system.store, bootstrap.tombstones(world.settings), author="ops", reason=reason
    )


def erase(world: World, user: str, reason: str = "asked for it") -> Mapping[str, int]:
    eraser = erasure(world, reason)
    touched: dict[str, int] = {}
    for person in found(world, user):
        for name, number in eraser.erase(person, world.now()).items():
            touched[name] = touched.get(name, 0) + number
    return touched


def found(world: World, reference: str) -> list[UUID]:
    with world.system.store.reading() as session:
        stones = bootstrap.tombstones(world.settings)
        return [person.id for person in whereabouts.find(session, stones, reference)]


def states(world: World, user: str) -> dict[str, str]:
    return {
        row.object: row.state
        for person in found(world, user)
        for row in erasure(world).rows(person)
    }


def test_nothing_of_an_erased_person_is_left_in_any_column_or_row(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    nana = lives(world)
    leaves_traces(world, nana)
    assert len(holders(world.system.store, nana.texts)) >= 15
    planned = sum(erasure(world).would_touch(*found(world, nana.user)).values())
    touched = erase(world, nana.user, f"{NAME} ({PHONE}, {EMAIL}) asked for it")
    assert sum(touched.values()) >= planned > 30
    assert holders(world.system.store, nana.texts) == {}
    assert set(states(world, nana.user).values()) == {"pending"}
    world.run_until_idle()
    assert set(states(world, nana.user).values()) == {"cleared"}
    assert states(world, nana.user).keys() >= {"Lead", "Account", "Contact", "Case", "WorkOrder"}
    assert holders(world.system.store, nana.texts) == {}
    assert said_in_the_org(world, nana.texts) == []
    with world.system.store.reading() as session:
        assert ledger.balanced(session)
        act = session.scalars(sa.select(Received).where(Received.kind == "erase")).one()
        unit = session.scalars(sa.select(Unit).where(Unit.claimed_by.is_not(None))).one()
    assert (act.body["author"], act.ledger) == ("ops", Ledger.WRITTEN)
    assert unit.claimed_by == act.person_id
    told = capsys.readouterr()
    assert not [text for text in nana.texts if text in told.out + told.err]
    structlog.reset_defaults()


def leaves_traces(world: World, nana: Nana) -> None:
    """What comes about on a bad day: a conflict, a body that was edited, an answer kept for a repeat."""
    told = {"value": NAME}
    pair = world.pair(nana.member, "member-contact")
    conflict = {"line": "Email", "base": told, "ours": told, "theirs": told, "next_step": "Decide."}
    broken = Received(
        source=Source.LINE,
        kind="message",
        dedupe_key=str(uuid4()),
        person_id=(person := world.person_id(nana.user)),
        body={"message": {"text": NAME}},
        original={"message": {"text": EMAIL}},
        at=world.now(),
        state=InboxState.DEAD,
        ledger=Ledger.DEAD,
        reason=f"ValueError: {PHONE}",
    )
    answer = {"body": NAME, "headers": {}}
    kept = Idempotency(
        person_id=person, key="k", request_hash="h", status=200, answer=answer, at=world.now()
    )
    with world.system.store.transaction() as session:
        session.add_all([broken, kept])
        session.add(Conflict(pair_id=pair.id, kind="merge", reason=f"{NAME} differs", **conflict))


def says_in_a_group(world: World, nana: Nana) -> None:
    """What was said where nobody becomes a person by it: only the text ties it to somebody."""
    source = {"type": "group", "groupId": "C1", "userId": nana.user}
    event = {"source": source, "message": {"text": f"打{PHONE}給我，{NAME}"}}
    said = Received(
        source=Source.LINE,
        kind="message",
        dedupe_key=str(uuid4()),
        body=event,
        at=world.now(),
        state=InboxState.DONE,
        ledger=Ledger.IGNORED,
        verdict=Ledger.IGNORED,
    )
    with world.system.store.transaction() as session:
        session.add(said)


def said_in_the_org(world: World, texts: Collection[str]) -> list[str]:
    """The rows of the org that still hold something of these texts."""
    asked = {
        "Lead": "LastName, FirstName, Phone, Email, LINE_User_Id__c, LINE_Display_Name__c, LINE_Key__c",
        "Contact": "LastName, FirstName, MobilePhone, Email, LINE_User_Id__c, LINE_Display_Name__c",
        "Account": "Name, LINE_Key__c",
        "Asset": "Name, Description, LINE_Key__c",
        "Case": "Subject, Description, SuppliedPhone, LINE_Key__c",
        "WorkOrder": "Subject, Description, Street, LINE_Key__c",
    }
    rows = [row for name in asked for row in world.rows(f"SELECT Id, {asked[name]} FROM {name}")]
    assert len(rows) >= len(asked)
    return [str(row) for row in rows if any(text in str(row) for text in texts)]


def test_erasing_again_touches_nothing_and_tells_how_far_the_rows_are(world: World) -> None:
    nana = is_bound(world)
    erase(world, nana.user)
    assert erase(world, nana.user) == {}
    world.run_until_idle()
    assert erase(world, nana.user) == {}
    assert len(stir.all_of(world.system.store, Received, Received.kind == "erase")) == 1


def test_late_words_of_an_erased_person_make_nothing_and_are_not_kept(world: World) -> None:
    nana = is_bound(world)
    late = captured(world, nana.user, f"{NAME} 還在嗎")
    erase(world, nana.user)
    world.run_until_idle()
    people = len(stir.all_of(world.system.store, Person, sa.true()))
    deliver(world, late)
    world.polls = True
    touch_rows(world)
    world.run_until_idle()
    assert len(stir.all_of(world.system.store, Person, sa.true())) == people
    assert holders(world.system.store, nana.texts) == {}
    assert world.outbox() == []


def captured(world: World, user: str, text: str) -> bytes:
    """A webhook that is on its way for a while."""
    world.tell(user, type="message", text=text)
    arrived = world.simulators.catcher.arrived
    body, _ = arrived.pop()
    return body


def deliver(world: World, body: bytes) -> None:
    receive_events(world.system.store, [(world.account, read_delivery(body))], world.turns)


def touch_rows(world: World) -> None:
    """An agent types the old values back: the row is nobody's of ours any more."""
    contact = world.row("SELECT Id FROM Contact")["Id"]
    world.agent_edits("Contact", contact, LastName=NAME, MobilePhone=PHONE, Email=EMAIL)


def test_who_writes_again_is_a_new_person(world: World) -> None:
    nana = is_bound(world)
    erase(world, nana.user)
    world.run_until_idle()
    world.says(nana.user, "你好")
    world.run_until_idle()
    with world.system.store.reading() as session:
        people = session.scalars(sa.select(Person).order_by(Person.created_at)).all()
        friends = session.scalars(sa.select(Record).where(Record.kind == "friend")).all()
        assert [person.line_user_id == nana.user for person in people] == [False, True]
        assert sorted(str(friend.values["user_id"]) for friend in friends) == ["None", nana.user]
        assert session.scalars(sa.select(Friendship.following).order_by(Friendship.id)).all() == [
            False,
            True,
        ]
    assert len(found(world, nana.user)) == 2


def test_a_converted_lead_is_parked_until_somebody_deletes_it(world: World) -> None:
    user = world.person(NAME)
    world.follow(user)
    world.consent(user)
    world.run_until_idle()
    lead = world.row("SELECT Id FROM Lead")["Id"]
    converts(world, lead)
    erase(world, user)
    world.run_until_idle()
    (row,) = (row for person in found(world, user) for row in erasure(world).rows(person))
    assert row.state == "parked"
    assert "Delete the converted Lead" in str(row.next_step)
    world.agent_deletes("Lead", lead)
    redriving.redrive_all(world.system.store, "parked", "ops")
    world.run_until_idle()
    assert states(world, user) == {"Lead": "cleared"}


def test_a_row_the_org_refuses_to_clear_is_parked_with_its_next_step(world: World) -> None:
    nana = is_bound(world)
    erase(world, nana.user)
    world.org_fault("validation", object="Contact", message="No blank names")
    world.run_until_idle()
    assert states(world, nana.user)["Contact"] == "parked"
    row = next(
        row
        for person in found(world, nana.user)
        for row in erasure(world).rows(person)
        if row.object == "Contact"
    )
    assert "No blank names" in str(row.reason)
    assert row.next_step


def test_a_row_that_was_being_made_is_cleared_once_it_is_there(world: World) -> None:
    world.polls = False
    user = world.person(NAME)
    world.follow(user)
    world.run_until_idle()
    world.bind(user, NAME, PHONE, email=EMAIL)
    erased: list[bool] = []

    def meanwhile(steps: Any) -> None:
        if stir.writes(steps) and not erased:
            erased.append(True)
            erase(world, user)

    stir.tap(world, before=meanwhile)
    world.run_until_idle()
    texts = Nana(user, UUID(int=0)).texts
    assert erased
    assert holders(world.system.store, texts) == {}
    contact = world.row(f"SELECT {PERSONAL[1]} FROM {PERSONAL[0]}")
    assert [contact[name] for name in ("LastName", "MobilePhone", "Email", "LINE_Key__c")] == [
        "(erased)",
        None,
        None,
        None,
    ]


def test_a_row_of_unknown_outcome_is_found_by_its_key_and_cleared(world: World) -> None:
    world.polls = False
    user = world.person(NAME)
    world.follow(user)
    world.run_until_idle()
    world.bind(user, NAME, PHONE, email=EMAIL)
    stir.each_write_once(world, "reset_after_commit")
    world.system.delivery.deliver(Lane.URGENT)
    assert world.row("SELECT LINE_Key__c FROM Contact")["LINE_Key__c"]
    erase(world, user)
    stir.settle_down(world)
    contact = world.row("SELECT LastName, MobilePhone, LINE_Key__c FROM Contact")
    assert (contact["LastName"], contact["MobilePhone"], contact["LINE_Key__c"]) == (
        "(erased)",
        None,
        None,
    )


def test_the_contact_of_an_earlier_binding_is_cleared_unless_it_is_anothers_now(
    world: World,
) -> None:
    nana = is_bound(world)
    world.unbind(nana.user)
    world.run_until_idle()
    other = world.person("小明")
    world.follow(other)
    world.run_until_idle()
    second = world.bind(other, NAME, PHONE)
    world.run_until_idle()
    erase(world, nana.user)
    world.run_until_idle()
    contact = world.row("SELECT MobilePhone, LINE_Key__c FROM Contact")
    pair = world.pair(second, "member-contact")
    assert contact["LINE_Key__c"] == pair.key
    assert contact["MobilePhone"]
    assert world.outbox() == []


def test_a_message_that_was_owed_is_not_sent_any_more(world: World) -> None:
    nana = is_bound(world)
    said = len(world.chat(nana.user))
    world.says(nana.user, "menu")
    world.system.reader.read()
    erase(world, nana.user)
    unsent = stir.all_of(world.system.store, Envelope, Envelope.via.is_(None))
    assert [letter.state for letter in unsent] == [EnvelopeState.EXPIRED]
    world.run_until_idle()
    assert len(world.chat(nana.user)) == said
    with world.system.store.reading() as session:
        assert ledger.balanced(session)


def test_a_row_that_was_in_the_recycle_bin_is_cleared_when_it_comes_back(world: World) -> None:
    nana = is_bound(world)
    world.polls = True
    contact = world.row("SELECT Id FROM Contact")["Id"]
    world.agent_deletes("Contact", contact)
    world.run_until_idle()
    erase(world, nana.user)
    world.run_until_idle()
    undeletes(world, contact)
    assert world.row("SELECT MobilePhone FROM Contact")["MobilePhone"]
    world.run_until_idle()
    assert world.row("SELECT MobilePhone FROM Contact")["MobilePhone"] is None
    assert holders(world.system.store, nana.texts) == {}


def test_an_erasure_that_was_broken_off_goes_on(world: World, monkeypatch: Any) -> None:
    nana = is_bound(world)
    says_in_a_group(world, nana)
    world.says(nana.user, NAME)
    passes, whole = [], Erasure._through

    def dies(self: Erasure, page: Any) -> Any:
        passes.append(page)
        if len(passes) == 2:  # the person is buried, and nothing tells their phone any more
            raise KeyboardInterrupt
        return whole(self, page)

    monkeypatch.setattr(Erasure, "_through", dies)
    with pytest.raises(KeyboardInterrupt):
        erase(world, nana.user)
    monkeypatch.undo()
    world.run_until_idle()
    assert holders(world.system.store, nana.texts)
    erase(world, nana.user)
    assert holders(world.system.store, nana.texts) == {}
    assert set(states(world, nana.user).values()) == {"cleared"}
    pairs = stir.all_of(world.system.store, Pair, Pair.object != "Product2")
    assert all(pair.erasing for pair in pairs)
