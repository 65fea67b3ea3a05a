"""What a person decides about a line: both sides were edited, an edit was overwritten, a value flips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from connector.domain.states import ConflictKind
from connector.errors import ConnectorError
from connector.ground.postgres import Postgres
from connector.salesforce.steps import Step
from connector.store.tables import Alert, Conflict, History, Pair, Received
from connector.sync.desk import conflicts, resolving
from connector.sync.desk.resolving import Decision, Way
from tests import interference as stir
from tests.integration.sync.conftest import close
from tests.integration.sync.test_merging import asking, line_edits, publish
from tests.members import members, want_all
from tests.world import Simulators, World, open_world

NAMES = "SELECT Id, LastName, FirstName, Email FROM Contact"
MANY = 24


@dataclass
class Town:
    """A world in which names are asked about, and its members: each test takes one of its own."""

    world: World
    members: list[UUID]


@pytest.fixture(scope="module")
def town(outside: Simulators, postgres: Postgres, prepared: str) -> Iterator[Town]:
    outside.reset()
    name = f"conflicts_{uuid4().hex}"
    world = open_world(outside, postgres.clone(prepared, name))
    assert world.system.guard.holds()
    publish(world, member__contact=asking(world))
    made = members(world, MANY)
    want_all(world, made)
    world.run_until_idle()
    yield Town(world, made)
    close(world)
    postgres.drop(name)


@dataclass
class Ming:
    """One member, and their Contact."""

    world: World
    id: UUID

    @property
    def pair(self) -> Pair:
        return self.world.pair(self.id, "member-contact")

    @property
    def row(self) -> dict[str, Any]:
        return self.world.row(f"{NAMES} WHERE Id = '{self.pair.salesforce_id}'")

    @property
    def names(self) -> tuple[str, str]:
        """Of both sides."""
        row = self.row
        return self.world.record(self.id).values["name"], row["LastName"] + row["FirstName"]

    @property
    def emails(self) -> tuple[Any, Any]:
        return self.world.record(self.id).values["email"], self.row["Email"]

    def says(self, **values: Any) -> None:
        line_edits(self.world, "member", self.id, **values)

    def agent(self, **values: Any) -> None:
        self.world.agent_edits("Contact", self.pair.salesforce_id, **values)

    def settles(self) -> None:
        self.world.run_until_idle()

    def open(self) -> list[Conflict]:
        mine = Conflict.pair_id == self.pair.id, Conflict.state == "open"
        return stir.all_of(self.world.system.store, Conflict, *mine)

    def decides(self, way: Way, given: str | None = None) -> None:
        (conflict,) = self.open()
        decide(self.world, conflict.id, way, given)


def decide(world: World, which: UUID, way: Way, given: str | None = None) -> None:
    decision = Decision(way, "an admin", "she phoned", given)
    for each in resolving.resolve(world.system.store, world.system.catalogs, [which], decision):
        raise each.problem


@pytest.fixture
def ming(town: Town) -> Iterator[Ming]:
    yield Ming(town.world, town.members.pop())
    town.world.system.__dict__.pop("delivery", None)
    stir.clear_faults(town.world)


@pytest.fixture
def asked(ming: Ming) -> Ming:
    """The name was edited on both sides: LINE says 王中明, Salesforce 王大明."""
    ming.says(name="王中明")
    ming.agent(LastName="王", FirstName="大明")
    ming.settles()
    return ming


# -- both were edited


@pytest.mark.parametrize(
    ("way", "given", "name"),
    [
        (Way.LINE, None, "王中明"),
        (Way.SALESFORCE, None, "王大明"),
        (Way.VALUE, "王小華", "王小華"),
    ],
)
def test_what_was_decided_stands_on_both_sides(
    asked: Ming, way: Way, given: str | None, name: str
) -> None:
    (conflict,) = asked.open()
    asked.decides(way, given)
    asked.settles()
    assert (asked.names, asked.open()) == ((name, name), [])
    (decided,) = stir.all_of(asked.world.system.store, Conflict, Conflict.id == conflict.id)
    assert (decided.resolved_by, decided.decision["way"]) == ("an admin", way.value)
    assert stir.imbalances(asked.world) == []


def test_a_decision_is_a_change_with_an_author_and_is_made_once(asked: Ming) -> None:
    (conflict,) = asked.open()
    asked.decides(Way.VALUE, "王小華")
    with pytest.raises(ConnectorError, match="an admin") as refused:
        decide(asked.world, conflict.id, Way.SALESFORCE)
    assert refused.value.code == "already_resolved"
    asked.settles()
    store = asked.world.system.store
    mine = Received.body["conflicts"].contains([str(conflict.id)])
    (act,) = stir.all_of(store, Received, Received.kind == "resolve", mine)
    assert (act.source, act.ledger, act.body["author"]) == ("operator", "written", "an admin")
    rows = stir.all_of(store, History, History.received_id == act.id)
    told = {row.name: (row.side, row.author) for row in rows}
    assert told == {"resolve": ("operator", "an admin"), "name": ("operator", "an admin")}


@pytest.mark.parametrize("way", [Way.LINE, Way.VALUE])
def test_what_an_agent_edits_before_the_decision_is_asked_about_anew(asked: Ming, way: Way) -> None:
    asked.agent(FirstName="太明")
    asked.decides(way, "王小華" if way is Way.VALUE else None)
    asked.settles()
    (again,) = asked.open()
    assert again.theirs == {"LastName": "王", "FirstName": "太明"}
    assert asked.row["FirstName"] == "太明"


def test_what_the_person_edits_before_the_decision_is_not_overwritten(asked: Ming) -> None:
    asked.says(name="王春明")
    with pytest.raises(ConnectorError) as refused:
        asked.decides(Way.VALUE, "王小華")
    assert refused.value.code == "changed_since"
    asked.decides(Way.SALESFORCE)
    asked.settles()
    (again,) = asked.open()
    assert again.ours == {"LastName": "王", "FirstName": "春明"}
    assert asked.names == ("王春明", "王大明")


def test_an_open_question_shows_what_both_sides_hold_now(asked: Ming) -> None:
    (conflict,) = asked.open()
    asked.agent(FirstName="太明")
    asked.says(name="王春明")
    asked.settles()
    (still,) = asked.open()
    assert still.id == conflict.id
    assert (still.ours["FirstName"], still.theirs["FirstName"]) == ("春明", "太明")
    assert still.told["ours"]["side"] == "line"


@pytest.mark.parametrize(("way", "name"), [(Way.LINE, "王中明"), (Way.SALESFORCE, "王大明")])
def test_a_decision_while_the_row_is_being_written_is_not_lost(
    asked: Ming, way: Way, name: str
) -> None:
    def before(steps: Sequence[Step]) -> None:
        if stir.writes(steps) and asked.open():
            asked.decides(way)

    stir.tap(asked.world, before=before)
    asked.says(email="ming@example.com")
    asked.settles()
    assert asked.names == (name, name)
    assert (asked.open(), asked.emails) == ([], ("ming@example.com",) * 2)


def test_the_org_is_asked_who_changed_the_row_last(asked: Ming) -> None:
    world, (conflict,) = asked.world, asked.open()
    with world.system.store.reading() as session:
        catalog = world.system.catalogs.live(session)
        dispute = conflicts.find(session, catalog, str(conflict.id))
    sight = conflicts.look(world.system.gateway, dispute)
    agent = f"Username = '{world.simulators.org['username']}'"
    assert sight.fields == {"LastName": "王", "FirstName": "大明"}
    assert sight.by == world.row(f"SELECT Name FROM User WHERE {agent}")["Name"]
    assert str(sight.at) > "2026"


def test_a_value_that_no_field_can_hold_is_refused(asked: Ming) -> None:
    with pytest.raises(ConnectorError):
        asked.decides(Way.VALUE, "王" + "明" * 90)
    assert asked.world.record(asked.id).values["name"] == "王中明"
    assert len(asked.open()) == 1


def test_the_same_is_decided_for_all_that_are_like_it(town: Town, asked: Ming) -> None:
    other = Ming(town.world, town.members.pop())
    other.says(name="王春明")
    other.agent(LastName="王", FirstName="太明")
    other.settles()
    store, catalogs = town.world.system.store, town.world.system.catalogs
    with store.reading() as session:
        first = conflicts.find(session, catalogs.live(session), str(asked.open()[0].id))
        others = conflicts.like(session, first)
    assert other.open()[0].id in others
    decision = Decision(Way.SALESFORCE, "an admin", "the import was right")
    assert resolving.resolve(store, catalogs, [first.id, *others], decision, dry=True) == []
    assert len(other.open()) == len(asked.open()) == 1
    assert resolving.resolve(store, catalogs, [first.id, *others], decision) == []
    other.settles()
    assert (asked.names, other.names) == (("王大明",) * 2, ("王太明",) * 2)


# -- an edit was overwritten


def agent_comes_between(ming: Ming, **values: Any) -> None:
    """An agent edits after our look and before our write."""
    came: list[str] = []

    def before(steps: Sequence[Step]) -> None:
        if stir.writes(steps) and not came:
            came.append("once")
            ming.agent(**values)

    stir.tap(ming.world, before=before)


def test_an_edit_that_our_write_came_over_is_shown_to_a_person(ming: Ming) -> None:
    with ming.world.listening():
        agent_comes_between(ming, Email="agent@example.com")
        before = ming.row["Email"]
        ming.says(email="ming@example.com")
        ming.world.until(lambda: bool(ming.open()))
        ming.world.catch_up()
        (conflict,) = ming.open()
        assert (conflict.kind, conflict.line) == (ConflictKind.OVERWRITTEN, "Email")
        sides = [each["Email"] for each in (conflict.base, conflict.ours, conflict.theirs)]
        assert sides == [before, "ming@example.com", "agent@example.com"]
        assert conflict.told["theirs"]["by"].startswith("005")
        assert ming.emails == ("ming@example.com",) * 2
        ming.decides(Way.SALESFORCE)
        ming.world.catch_up()
        assert (ming.emails, ming.open()) == (("agent@example.com",) * 2, [])


def test_an_edit_that_comes_right_after_our_write_is_taken(ming: Ming) -> None:
    came: list[str] = []

    def after(steps: Sequence[Step]) -> None:
        if stir.writes(steps) and not came:
            came.append("once")
            ming.agent(Email="agent@example.com")

    with ming.world.listening():
        stir.tap(ming.world, after=after)
        ming.says(email="ming@example.com")
        ming.world.catch_up()
        assert (ming.emails, ming.open()) == (("agent@example.com",) * 2, [])


def test_an_edit_that_a_write_without_an_answer_came_over_is_shown_too(ming: Ming) -> None:
    with ming.world.listening():
        agent_comes_between(ming, Email="agent@example.com")
        match = {"path": "/services/data/*/composite", "client": "line-connector*"}
        tapped = ming.world.system.delivery.gateway
        before = tapped.before

        def lose_the_answer(steps: Sequence[Step]) -> None:
            if stir.writes(steps) and not tapped.written:
                ming.world.org_fault("reset_after_commit", times=1, match=match)
            before(steps)

        tapped.before = lose_the_answer
        ming.says(email="ming@example.com")
        ming.world.until(lambda: bool(ming.open()))
        assert [each.kind for each in ming.open()] == [ConflictKind.OVERWRITTEN]
        assert ming.emails == ("ming@example.com",) * 2


def test_quick_edits_of_one_side_overwrite_nothing(ming: Ming) -> None:
    with ming.world.listening():
        ming.world.org_fault("duplicate_events", match={"method": "GRPC"})
        for email in ("a@example.com", "b@example.com"):
            ming.says(email=email)
            ming.settles()
        ming.agent(Email="c@example.com")
        ming.settles()
        ming.says(email="d@example.com")
        ming.world.catch_up()
        assert (ming.emails, ming.open()) == (("d@example.com",) * 2, [])


# -- a value flips


def flips(ming: Ming, times: int) -> None:
    """An automation of the org turns the e-mail address back whenever we send one."""
    automation = {"object": "Contact", "values": {"Email": "auto@example.org"}}
    match = {"client": "line-connector*"}
    ming.world.org_fault("edit_after", match=match, **automation)
    for _ in range(times):
        ming.says(email="ming@example.com")
        ming.settles()


def test_a_value_that_is_turned_back_twice_is_frozen_and_the_other_lines_go_on(ming: Ming) -> None:
    flips(ming, 3)
    (conflict,) = ming.open()
    assert (conflict.kind, conflict.line) == (ConflictKind.FLIPS, "Email")
    assert (conflict.ours["Email"], conflict.theirs["Email"]) == (
        "ming@example.com",
        "auto@example.org",
    )
    (alert,) = stir.all_of(ming.world.system.store, Alert, Alert.closed_at.is_(None))
    assert (alert.kind, alert.subject) == ("flips", f"{ming.pair.id}:Email")
    ming.says(email="other@example.com", name="王春明")
    ming.settles()
    assert ming.emails == ("other@example.com", "auto@example.org")
    assert ming.names == ("王春明", "王春明")
    stir.clear_faults(ming.world)
    ming.decides(Way.LINE)
    ming.settles()
    assert (ming.emails, ming.open()) == (("other@example.com",) * 2, [])
    assert stir.all_of(ming.world.system.store, Alert, Alert.closed_at.is_(None)) == []


def test_a_value_that_is_turned_back_once_is_not_frozen(ming: Ming) -> None:
    flips(ming, 2)
    assert (ming.open(), ming.emails) == ([], ("auto@example.org",) * 2)


def test_edits_of_an_agent_and_a_person_in_turn_are_no_flips(ming: Ming) -> None:
    for at in range(3):
        ming.says(email=f"ming{at}@example.com")
        ming.settles()
        ming.agent(Email=f"agent{at}@example.com")
        ming.settles()
    assert (ming.open(), ming.emails) == ([], ("agent2@example.com",) * 2)
