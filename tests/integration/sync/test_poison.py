"""What nobody foresaw stops the one record or event that raises it; all others go on."""

from collections.abc import Callable
from typing import Any

import pytest

from connector.domain.states import InboxState, OutboxState
from connector.store import alerts
from connector.store.tables import Outbox, Received, Record
from connector.sync.desk import redriving
from connector.sync.incoming import line_events
from connector.sync.outgoing import settling, writes
from connector.sync.pairs import echoes
from tests import interference as stir
from tests.world import World

POISON = "Mallory Poison"


class Unforeseen(Exception):
    """Nothing in the product knows it."""


def asks(world: World, *symptoms: str) -> None:
    """A member asks for one repair after another."""
    user = world.person()
    world.follow(user)
    world.consent(user)
    world.bind(user, "王小明", "0912345678")
    stir.settle_down(world)
    for symptom in symptoms:
        world.asks_for_repair(user, symptom=symptom)


def poisoned(real: Callable[..., Any], of: Callable[..., Any]) -> Callable[..., Any]:
    """Raises where the value is the poison one, else does what it did."""

    def meets(*args: Any, **named: Any) -> Any:
        if of(*args, **named) == POISON:
            raise Unforeseen(POISON)
        return real(*args, **named)

    return meets


def subjects(world: World) -> list[str]:
    return sorted(row["Subject"] for row in world.rows("SELECT Subject FROM Case"))


def dead(world: World) -> list[Outbox]:
    return stir.all_of(world.system.store, Outbox, Outbox.state == OutboxState.DEAD)


def alert(world: World) -> Any:
    with world.system.store.reading() as session:
        (found,) = alerts.open_alerts(session)
    return found


@pytest.mark.parametrize("place", ["weighing", "settling"])
def test_a_record_that_raises_is_stopped_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    symptoms = [f"漏水 {number}" for number in range(6)]
    asks(world, *symptoms[:3], POISON, *symptoms[3:])
    if place == "weighing":
        meets = poisoned(writes._weigh, lambda job, *_: job.seen.get("symptom"))
        monkeypatch.setattr(writes, "_weigh", meets)
    else:
        meets = poisoned(settling._finish, lambda _, job, *__: job.seen.get("symptom"))
        monkeypatch.setattr(settling, "_finish", meets)
    stir.settle_down(world)
    assert [each for each in subjects(world) if each != POISON] == symptoms
    for row in dead(world):
        assert row.reason is not None
        assert row.reason.startswith(
            "an error that was not foreseen (Unforeseen in test_poison.py:"
        )
        assert row.next_step
    assert len(dead(world)) == 2  # its Case and its WorkOrder
    assert (alert(world).kind, POISON in alert(world).message) == ("unforeseen", False)
    assert stir.imbalances(world) == []

    monkeypatch.undo()
    assert redriving.redrive_all(world.system.store, "dead", "an operator") == 2
    stir.settle_down(world)
    assert subjects(world) == sorted([*symptoms, POISON])
    assert len(world.rows("SELECT Id FROM WorkOrder")) == len(symptoms) + 1


def test_an_event_that_raises_is_buried_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [world.person(f"人{number}") for number in range(3)]
    meets = poisoned(line_events._answer_menu, lambda *args: args[3].raw["message"]["text"])
    monkeypatch.setattr(line_events, "_answer_menu", meets)
    for user, text in zip(users, ("選單", POISON, "選單"), strict=True):
        world.follow(user)
        world.says(user, text)
    stir.settle_down(world)
    (row,) = stir.all_of(world.system.store, Received, Received.state == InboxState.DEAD)
    assert row.reason is not None
    assert row.reason.startswith("an error that was not foreseen (Unforeseen in")
    assert alert(world).kind == "unforeseen"
    assert [len(world.texts(user)) for user in users] == [3, 2, 3]  # greeting, consent, menu


def test_a_row_of_the_org_that_raises_while_echoes_are_sorted_out_is_read_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks(world, "漏水", "異音")
    stir.settle_down(world)
    cases = {row["Subject"]: row["Id"] for row in world.rows("SELECT Id, Subject FROM Case")}
    real = echoes._is_echo

    def meets(scene: Any, pair: Any, seen: Any) -> bool:
        if seen.row_id == cases["漏水"]:
            raise Unforeseen(POISON)
        return real(scene, pair, seen)

    monkeypatch.setattr(echoes, "_is_echo", meets)
    for case in cases.values():
        world.agent_edits("Case", case, Status="Working")
    world.run_until_idle()
    assert {each.values["status"] for each in records(world)} == {"working"}


def records(world: World) -> list[Any]:
    return stir.all_of(world.system.store, Record, Record.kind == "repair_request")
