"""Repair requests."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from connector.members import binding, registration, repair
from connector.members.limits import Limits
from connector.members.refusals import Refused
from connector.store.tables import Person
from tests.integration.members.conftest import Town

FORM = {
    "product": "老冷氣",
    "symptom": "不冷",
    "description": "吹出來的風是溫的",
    "address": "台北市信義路五段 7 號",
    "slots": ["2026-11-25 PM", "2026-11-24 AM"],
    "contact_phone": "02-2345-6789",
}


def ask(town: Town, person: Person, limits: Limits | None = None, **form: object) -> UUID:
    whole = {**FORM, **form}
    made, changes = repair.ask(town.session, person, whole, town.clock(), limits=limits or Limits())
    town.apply(changes)
    return made


def registered(town: Town, person: Person) -> UUID:
    form = {"code": town.unit().code, "purchased_on": "2026-11-01"}
    found, changes = registration.claim(town.session, person, form, town.clock())
    town.apply(changes)
    assert not isinstance(found, Refused)
    return found.registration_id


def test_a_request_holds_what_was_asked(town: Town) -> None:
    made = ask(town, town.member())
    record = town.record("repair_request")
    assert record.id == made
    assert {name: value for name, value in record.values.items() if value is not None} == {
        "product_text": "老冷氣",
        "symptom": "不冷",
        "description": "吹出來的風是溫的",
        "address": "台北市信義路五段 7 號",
        "slots": ["2026-11-24 AM", "2026-11-25 PM"],
        "contact_phone": "+886223456789",
        "urgency": "normal",
        "status": "received",
        "created_at": "2026-11-21T04:00:00.000Z",
    }
    assert town.related(made) == {"member": town.record("member").id}


def test_a_request_for_a_registered_unit_names_its_registration(town: Town) -> None:
    ann = town.member()
    unit = registered(town, ann)
    made = ask(town, ann, registration_id=str(unit), product=None)
    assert town.related(made)["registration"] == unit


def test_a_request_needs_a_binding(town: Town) -> None:
    with pytest.raises(Refused) as refused:
        ask(town, town.friend())
    assert refused.value.code == "binding_required"


@pytest.mark.parametrize("given", ["01890000-0000-7000-8000-000000000000", "nonsense"])
def test_an_unknown_registration_is_refused(town: Town, given: str) -> None:
    with pytest.raises(Refused) as refused:
        ask(town, town.member(), registration_id=given)
    assert refused.value.code == "unknown_registration"


def test_another_persons_registration_is_unknown(town: Town) -> None:
    unit = registered(town, town.member("ann"))
    with pytest.raises(Refused) as refused:
        ask(town, town.member("bob", phone="0912000001"), registration_id=str(unit))
    assert refused.value.code == "unknown_registration"


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"product": " "}, ("product", "required")),
        ({"symptom": ""}, ("symptom", "required")),
        ({"symptom": "冷" * 256}, ("symptom", "too_long")),
        ({"description": "冷" * 2001}, ("description", "too_long")),
        ({"address": None}, ("address", "required")),
        ({"contact_phone": "123"}, ("contact_phone", "phone")),
        ({"urgency": "now"}, ("urgency", "choice")),
        ({"slots": []}, ("slots", "slots")),
        ({"slots": "2026-11-25 PM"}, ("slots", "slots")),
        ({"slots": ["2026-11-25 PM"] * 2}, ("slots", "slots")),
        ({"slots": [f"2026-11-2{day} PM" for day in range(2, 6)]}, ("slots", "slots")),
        ({"slots": ["2026-11-25 NIGHT"]}, ("slots", "slots")),
        ({"slots": ["2026-11-31 AM"]}, ("slots", "slots")),
        ({"slots": ["2026-11-20 AM"]}, ("slots", "slots_past")),
        ({"from_chat": 1}, ("from_chat", "flag")),
    ],
)
def test_wrong_answers_are_told(
    town: Town, form: dict[str, object], wrong: tuple[str, str]
) -> None:
    with pytest.raises(Refused) as refused:
        ask(town, town.member(), **form)
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [wrong]


def test_all_wrong_answers_are_told_at_once(town: Town) -> None:
    with pytest.raises(Refused) as refused:
        ask(town, town.member(), symptom="", address="", slots=[], contact_phone="x")
    wrong = [problem.field for problem in refused.value.problems]
    assert wrong == ["symptom", "address", "slots", "contact_phone"]


def test_a_flood_of_requests_is_stopped(town: Town) -> None:
    ann, limits = town.member(), Limits(repairs_per_person_and_day=1)
    town.clock.now = ask_time(town)
    slots = [f"{town.clock.now + timedelta(days=3):%Y-%m-%d} AM"]
    ask(town, ann, limits, slots=slots)
    with pytest.raises(Refused, match="too many"):
        ask(town, ann, limits, slots=slots)


def ask_time(town: Town):  # type: ignore[no-untyped-def]
    """Records bear the database's time, which the clock must not lag behind."""
    import sqlalchemy as sa

    return town.session.scalar(sa.select(sa.func.clock_timestamp()))


def test_requests_stay_with_the_member_that_made_them(town: Town) -> None:
    ann = town.member()
    ask(town, ann)
    town.apply(binding.unbind(town.session, ann, town.clock()))
    assert repair.list_of(town.session, ann) == []
    town.clock.move(minutes=1)
    town.confirm(ann, town.begin(ann))
    assert repair.list_of(town.session, ann) == []


def test_the_list_tells_what_became_of_a_request(town: Town) -> None:
    ann = town.member()
    unit = registered(town, ann)
    made = ask(town, ann, registration_id=str(unit))
    record = town.record("repair_request")
    record.values = {**record.values, "status": "working", "case_number": "00001000"}
    (mine,) = repair.list_of(town.session, ann)
    assert mine["repair_request_id"] == str(made)
    assert (mine["registration_id"], mine["status"], mine["case_number"]) == (
        str(unit),
        "working",
        "00001000",
    )
    assert set(mine) == {
        "repair_request_id",
        "registration_id",
        "symptom",
        "status",
        "case_number",
        "visit_at",
        "created_at",
        "updated_at",
    }
