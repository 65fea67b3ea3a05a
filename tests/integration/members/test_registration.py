"""Product registration: the first claim wins, and guessing does not pay."""

from __future__ import annotations

import pytest

from connector.members import codes, registration
from connector.members.refusals import Refused
from connector.members.registration import Claimed
from connector.store.tables import CodeTry, Person
from tests.integration.members.conftest import Town


def claim(town: Town, person: Person, code: str, **form: object) -> Claimed | Refused:
    whole = {"code": code, "purchased_on": "2026-11-20", **form}
    found, changes = registration.claim(town.session, person, whole, town.clock())
    town.apply(changes)
    return found


def test_a_claim_makes_a_registration_of_the_units_product(town: Town) -> None:
    unit = town.unit("SN-1")
    found = claim(town, town.friend(), unit.code, shop=" 全國電子 ")
    record = town.record("registration")
    assert found == Claimed(record.id, created=True)
    assert dict(record.values) == {
        "code": codes.shown(unit.code),
        "serial": "SN-1",
        "purchased_on": "2026-11-20",
        "shop": "全國電子",
        "warranty_until": None,
    }
    assert town.related(record.id) == {"product": unit.product_id}


def test_a_members_registration_names_the_member(town: Town) -> None:
    ann = town.member()
    claim(town, ann, town.unit().code)
    assert town.related(town.record("registration").id)["member"] == town.record("member").id


def test_a_code_may_be_typed_carelessly(town: Town) -> None:
    code = town.unit().code
    typed = codes.shown(code).lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert isinstance(claim(town, town.friend(), typed), Claimed)


def test_the_same_person_again_gets_the_same_registration(town: Town) -> None:
    ann, unit = town.friend(), town.unit()
    first, again = claim(town, ann, unit.code), claim(town, ann, unit.code)
    assert isinstance(first, Claimed)
    assert again == Claimed(first.registration_id, created=False)


def test_another_person_is_refused(town: Town) -> None:
    unit = town.unit()
    claim(town, town.friend("ann"), unit.code)
    with pytest.raises(Refused) as refused:
        claim(town, town.friend("bob"), unit.code)
    assert refused.value.code == "code_claimed"


@pytest.mark.parametrize("code", ["7KQ2-M9XR-4TBD", "x", "0" * 50])
def test_an_unknown_code_is_refused_and_counted(town: Town, code: str) -> None:
    found = claim(town, town.friend(), code)
    assert isinstance(found, Refused)
    assert found.code == "unknown_code"
    assert town.session.query(CodeTry).count() == 1


def test_after_ten_guesses_in_an_hour_even_a_good_code_has_to_wait(town: Town) -> None:
    ann, unit = town.friend(), town.unit()
    for _ in range(10):
        claim(town, ann, codes.new_code())
    with pytest.raises(Refused) as refused:
        claim(town, ann, unit.code)
    assert (refused.value.code, refused.value.retry_after) == ("too_many", 3600)
    town.clock.move(hours=1)
    assert isinstance(claim(town, ann, unit.code), Claimed)


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"purchased_on": "2026-11-22"}, ("purchased_on", "date_future")),
        ({"purchased_on": "1989-12-31"}, ("purchased_on", "date_past")),
        ({"purchased_on": "2026-02-30"}, ("purchased_on", "date")),
        ({"purchased_on": "21/11/2026"}, ("purchased_on", "date")),
        ({"purchased_on": None}, ("purchased_on", "required")),
        ({"shop": "店" * 81}, ("shop", "too_long")),
        ({"from_chat": "yes"}, ("from_chat", "flag")),
    ],
)
def test_wrong_answers_are_told(
    town: Town, form: dict[str, object], wrong: tuple[str, str]
) -> None:
    with pytest.raises(Refused) as refused:
        claim(town, town.friend(), town.unit().code, **form)
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [wrong]


def test_today_is_taipeis_today(town: Town) -> None:
    town.clock.now = town.clock.now.replace(hour=16, minute=1)  # already tomorrow in Taipei
    assert isinstance(
        claim(town, town.friend(), town.unit().code, purchased_on="2026-11-22"), Claimed
    )


def test_the_list_tells_the_product_and_is_the_persons_own(town: Town) -> None:
    ann, unit = town.friend("ann"), town.unit("SN-1")
    claim(town, ann, unit.code)
    claim(town, town.friend("bob"), town.unit().code)
    (mine,) = registration.list_of(town.session, ann)
    assert mine["product"] == {"sku": "AC-100", "name": "Air"}
    assert (mine["code"], mine["serial"]) == (codes.shown(unit.code), "SN-1")
    assert set(mine) == {
        "registration_id",
        "code",
        "product",
        "serial",
        "purchased_on",
        "shop",
        "warranty_until",
        "created_at",
    }
