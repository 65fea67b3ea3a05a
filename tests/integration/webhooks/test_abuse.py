"""Whoever sends more than an honest person is refused, and an alarm is raised that names nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import requests
import sqlalchemy as sa

from connector.domain.identifiers import uuid7
from connector.members import codes
from connector.members.limits import Limits
from connector.store.session import Store
from connector.store.tables import Alert, Record
from connector.sync.privacy.retention import Retention
from tests.conftest import Clock
from tests.integration.webhooks.site import Site, serving
from webhooks.app import make_app
from webhooks.web import Web

SERVICE = {"purpose": "service", "version": "1"}
PHONE = "0912345678"
THERE = "203.0.113.7"  # kept for examples, so nobody's; the tests make it count as public
Tries = Callable[[Site], requests.Response]


class Door:
    """Opens the site under its own limits, as seen from behind a proxy."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def __call__(self, limits: Limits) -> Iterator[Site]:
        web = replace(self._web, limits=limits)
        with serving(make_app(web)) as url:
            yield Site(url, web.sms)  # type: ignore[arg-type]


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def site(web: Web, limits: Limits, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr("connector.members.challenge.is_public", lambda address: address == THERE)
    yield from Door(web)(limits)


def post(
    site: Site, path: str, body: object, who: str = "ann", **more: object
) -> requests.Response:
    """One form, forwarded by the proxy for an address."""
    headers = {
        "Authorization": f"Bearer token-{who}",
        "X-Forwarded-For": THERE,
        "Idempotency-Key": str(uuid7()),
    }
    return requests.post(f"{site.url}/liff/api{path}", json=body, headers=headers, timeout=20)


def guesses(site: Site, who: str = "ann") -> requests.Response:
    body = {"code": codes.new_code(), "purchased_on": "2026-11-01"}
    return post(site, "/registrations", body, who)


def begins(site: Site, who: str = "ann", phone: str = PHONE) -> requests.Response:
    return post(site, "/bindings", {"name": "王小明", "phone": phone, "consents": [SERVICE]}, who)


def confirms_wrongly(site: Site, who: str = "ann") -> requests.Response:
    begun = begins(site, who).json()
    wrong = "000000" if site.phones.code != "000000" else "111111"
    return post(site, f"/bindings/{begun['challenge_id']}/confirm", {"code": wrong}, who)


def changes_mind(site: Site, given: bool = True) -> requests.Response:
    return post(site, "/consents", {**SERVICE, "given": given})


def asks_for_repair(site: Site) -> requests.Response:
    body = {
        "product": "冷氣",
        "symptom": "不冷",
        "address": "台北市",
        "slots": ["2036-01-02 AM"],
        "contact_phone": PHONE,
    }
    return post(site, "/repair-requests", body)


def binds_again(site: Site) -> requests.Response:
    site.bind()
    assert site.call("DELETE", "/bindings/me").status_code == 204
    begun = begins(site).json()
    path = f"/bindings/{begun['challenge_id']}/confirm"
    return post(site, path, {"code": site.phones.code})


def twice(act: Tries) -> Tries:
    def do(site: Site) -> requests.Response:
        act(site)
        return act(site)

    return do


def by_two(act: Callable[[Site, str], requests.Response]) -> Tries:
    def do(site: Site) -> requests.Response:
        act(site, "ann")
        return act(site, "bob")

    return do


def bound_twice(act: Tries) -> Tries:
    def do(site: Site) -> requests.Response:
        site.bind()
        act(site)
        return act(site)

    return do


CASES: dict[str, tuple[Tries, str, str]] = {
    "codes_per_person_and_day": (twice(begins), "flooding", "person:"),
    "codes_per_address_and_day": (by_two(begins), "flooding", "address:"),
    "codes_per_day": (twice(begins), "flooding", "everybody"),
    "wrong_codes_per_person_and_day": (twice(confirms_wrongly), "guessing", "person:"),
    "wrong_codes_per_phone_and_day": (by_two(confirms_wrongly), "guessing", "phone:"),
    "wrong_codes_per_address_and_day": (by_two(confirms_wrongly), "guessing", "address:"),
    "unknown_units_per_person_and_hour": (twice(guesses), "guessing", "person:"),
    "unknown_units_per_person_and_day": (twice(guesses), "guessing", "person:"),
    "unknown_units_per_address_and_day": (by_two(guesses), "guessing", "address:"),
    "unknown_units_per_day": (by_two(guesses), "guessing", "everybody"),
    "bindings_per_person_and_day": (binds_again, "flooding", "person:"),
    "consents_per_person_and_day": (twice(changes_mind), "flooding", "person:"),
    "repairs_per_person_and_day": (bound_twice(asks_for_repair), "flooding", "person:"),
    "forms_per_person_and_day": (twice(changes_mind), "flooding", "person:"),
    "answers_per_person_and_day": (twice(guesses), "flooding", "person:"),
    "forms_per_address_and_day": (twice(changes_mind), "flooding", "address:"),
}


def alerts(store: Store) -> list[Alert]:
    with store.reading() as session:
        return list(session.scalars(sa.select(Alert).where(Alert.closed_at.is_(None))))


@pytest.mark.parametrize(
    ("limits", "tries", "kind", "whose"),
    [(Limits(**{name: 1}), *case) for name, case in CASES.items()],
    ids=CASES,
)
def test_the_second_is_refused_and_an_alarm_says_so_without_saying_of_whom(
    site: Site, store: Store, tries: Tries, kind: str, whose: str
) -> None:
    answer = tries(site)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many")
    assert 0 < int(answer.headers["Retry-After"]) <= 86400
    (alert,) = alerts(store)
    assert alert.kind == kind
    assert alert.subject.startswith(whose)
    assert alert.next_step
    told = f"{alert.subject} {alert.message}"
    assert not [text for text in ("ann", THERE, PHONE, PHONE[1:]) if f" {text}" in told]


@pytest.mark.parametrize("limits", [Limits(registrations_per_person_and_day=1)])
def test_nobody_registers_more_products_in_a_day_than_a_limit(site: Site, store: Store) -> None:
    with store.transaction() as session:
        product = Record(id=uuid7(), kind="product", values={"sku": "AC-100", "name": "Air"})
        session.add(product)
        session.flush()
        units = [unit.code for unit in codes.make_units(session, product, count=2)]
    answers = [
        post(site, "/registrations", {"code": unit, "purchased_on": "2026-11-01"}) for unit in units
    ]
    assert [answer.status_code for answer in answers] == [201, 429]
    assert [alert.kind for alert in alerts(store)] == ["flooding"]


@pytest.mark.parametrize("limits", [Limits(repairs_per_phone_and_day=1)])
def test_a_number_that_is_named_often_raises_an_alarm_and_locks_nobody_out(
    site: Site, store: Store
) -> None:
    site.bind()
    assert [asks_for_repair(site).status_code for _ in range(2)] == [201, 201]
    (alert,) = alerts(store)
    assert (alert.kind, alert.subject.partition(":")[0]) == ("flooding", "phone")


@pytest.mark.parametrize("limits", [Limits(codes_per_person_and_day=1)])
def test_an_alarm_is_raised_once_and_over_after_a_quiet_day(site: Site, store: Store) -> None:
    for _ in range(3):
        begins(site)
    (alert,) = alerts(store)
    assert alert.times == 2
    Retention(store).turn()
    assert len(alerts(store)) == 1
    tomorrow = Clock(alert.last_at + timedelta(days=1, minutes=1))
    Retention(store, clock=tomorrow).turn()
    assert alerts(store) == []


@pytest.mark.parametrize("limits", [Limits(codes_per_phone_and_hour=1)])
def test_known_and_unknown_numbers_get_the_same_answer(site: Site) -> None:
    site.bind("token-bob", PHONE)
    begins(site, "ann", "0922222222")
    known, unknown = begins(site, "ann", PHONE), begins(site, "ann", "0922222222")
    assert known.status_code == unknown.status_code == 429
    assert known.json().keys() == unknown.json().keys()
    assert known.json()["detail"] == unknown.json()["detail"]
