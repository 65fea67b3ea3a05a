"""The LIFF JSON API over HTTP."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import requests
import sqlalchemy as sa

from connector.domain.identifiers import uuid7
from connector.members import codes
from connector.store.session import Store
from connector.store.tables import Idempotency, Received, Record, Unit
from tests.integration.webhooks.site import Site

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SERVICE = {"purpose": "service", "version": "1"}
TODAY = (datetime.now(UTC) + timedelta(hours=8)).date()


@pytest.fixture
def unit(store: Store) -> Unit:
    """A unit nobody has claimed."""
    with store.transaction() as session:
        values = {"sku": "AC-100", "name": "Air", "warranty_months": 24}
        product = Record(id=uuid7(), kind="product", values=values)
        session.add(product)
        session.flush()
        return codes.make_units(session, product, serials=["SN-1"])[0]


def repair(**more: object) -> dict[str, object]:
    return {
        "product": "老冷氣",
        "symptom": "不冷",
        "description": "溫的",
        "address": "台北市",
        "slots": [f"{TODAY + timedelta(days=3)} AM"],
        "contact_phone": "0912345678",
        **more,
    }


def problem(answer: requests.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"], body["code"]) == ("about:blank", status, code)
    assert set(body) == {"type", "title", "status", "code", "detail", "errors", "retry_after"}
    return dict(body)


def rows(store: Store, table: type) -> int:
    with store.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "token_missing"),
        ("Bearer ", "token_missing"),
        ("Basic abc", "token_missing"),
        ("Bearer nonsense", "token_invalid"),
        ("Bearer expired-ann", "token_expired"),
    ],
)
def test_who_is_not_vouched_for_is_refused(site: Site, header: str | None, code: str) -> None:
    headers = {"Authorization": header} if header else {}
    problem(requests.get(f"{site.url}/liff/api/me", headers=headers, timeout=20), 401, code)


def test_a_stranger_learns_that_nothing_is_known(site: Site, store: Store) -> None:
    assert site.get("/me") == {
        "user_id": "ann",
        "following": False,
        "consents": [],
        "member": None,
    }
    assert rows(store, Received) == 0


def test_a_consent_is_given_and_withdrawn(site: Site) -> None:
    assert site.post("/consents", {**SERVICE, "given": True}).status_code == 204
    (consent,) = site.get("/me")["consents"]
    assert MOMENT.fullmatch(consent.pop("at"))
    assert consent == {**SERVICE, "given": True}
    site.post("/consents", {**SERVICE, "given": False})
    assert site.get("/me")["consents"][0]["given"] is False


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"purpose", "version", "given"}),
        ({**SERVICE, "given": "yes"}, {"given"}),
        ({"purpose": "spying", "version": "1", "given": True}, {"purpose"}),
    ],
)
def test_a_consent_has_to_be_whole(site: Site, body: object, fields: set[str]) -> None:
    told = problem(site.post("/consents", body), 422, "invalid")
    assert {error["field"] for error in told["errors"]} == fields


def test_binding_sends_a_code_and_confirming_it_makes_a_member(site: Site) -> None:
    form = {
        "name": "王小明",
        "phone": "0912-345-678",
        "email": "m@example.com",
        "consents": [SERVICE],
    }
    begun = site.post("/bindings", form)
    assert begun.status_code == 202
    told = begun.json()
    path = f"/bindings/{told.pop('challenge_id')}/confirm"
    assert told == {"expires_in": 300, "resend_in": 60, "sent_to": "+886 912 *** 678"}
    ((to, _),) = site.phones.texts
    assert to == "+886912345678"
    confirmed = site.post(path, {"code": site.phones.code})
    assert confirmed.status_code == 200
    member_id = confirmed.json()["member_id"]
    assert UUID(member_id).version == 7
    assert site.post(path, {"code": site.phones.code}).json() == {"member_id": member_id}
    me = site.get("/me")
    assert me["member"] == {
        "member_id": member_id,
        "name": "王小明",
        "phone": "+886912345678",
        "email": "m@example.com",
    }


def test_the_code_comes_in_the_persons_language(site: Site) -> None:
    form = {"name": "王", "phone": "0912345678", "consents": [SERVICE]}
    site.post("/bindings", form, language="zh-TW")
    assert re.match(r"驗證碼 \d{6}", site.phones.texts[0][1])


def test_every_wrong_answer_is_told_in_the_persons_language(site: Site) -> None:
    told = problem(
        site.post("/bindings", {"phone": "12"}, language="zh-TW,en;q=0.5"), 422, "invalid"
    )
    assert told["errors"] == [
        {"field": "name", "code": "required", "message": "請填寫姓名。"},
        {
            "field": "phone",
            "code": "phone",
            "message": "電話號碼好像不對，例如 0912-345-678。",
        },
        {"field": "consents", "code": "consent_required", "message": "需要您同意，才能為您服務。"},
    ]
    assert told["title"] == "部分內容需要修改"


@pytest.mark.parametrize(
    ("language", "title"),
    [("", "部分內容需要修改"), ("fr", "部分內容需要修改"), ("ja", "入力内容をご確認ください")],
)
def test_the_first_language_is_taiwans(site: Site, language: str, title: str) -> None:
    assert site.post("/bindings", {}, language=language).json()["title"] == title


def test_binding_needs_the_required_consent(site: Site) -> None:
    answer = site.post("/bindings", {"name": "王", "phone": "0912345678"})
    problem(answer, 422, "consent_required")


def test_wrong_codes_are_counted_and_then_the_challenge_is_over(site: Site) -> None:
    form = {"name": "王", "phone": "0912345678", "consents": [SERVICE]}
    path = f"/bindings/{site.post('/bindings', form).json()['challenge_id']}/confirm"
    wrong = f"{(int(site.phones.code) + 1) % 1_000_000:06}"
    for left in (4, 3, 2, 1, 0):
        told = problem(site.post(path, {"code": wrong}), 422, "wrong_code")
        assert str(left) in str(told["detail"])
    problem(site.post(path, {"code": site.phones.code}), 410, "challenge_expired")


@pytest.mark.parametrize("challenge", ["01890000-0000-7000-8000-000000000000", "nonsense"])
def test_an_unknown_challenge_is_not_found(site: Site, challenge: str) -> None:
    answer = site.post(f"/bindings/{challenge}/confirm", {"code": "123456"})
    problem(answer, 404, "unknown_challenge")


def test_a_bound_person_cannot_bind_again(site: Site) -> None:
    site.bind()
    form = {"name": "王", "phone": "0912345678", "consents": [SERVICE]}
    problem(site.post("/bindings", form), 409, "already_bound")


def test_the_fourth_code_in_an_hour_has_to_wait(site: Site) -> None:
    form = {"name": "王", "phone": "0912345678", "consents": [SERVICE]}
    for _ in range(3):
        assert site.post("/bindings", form).status_code == 202
    answer = site.post("/bindings", form, who="token-bob")
    told = problem(answer, 429, "too_many")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert told["retry_after"] == int(answer.headers["Retry-After"])


def test_a_code_that_cannot_be_sent_may_be_asked_for_again_with_the_same_key(site: Site) -> None:
    form = {"name": "王", "phone": "0912345678", "consents": [SERVICE]}
    key, site.phones.broken = str(uuid4()), True
    answer = site.post("/bindings", form, key=key)
    problem(answer, 503, "try_later")
    assert int(answer.headers["Retry-After"]) > 0
    site.phones.broken = False
    assert site.post("/bindings", form, key=key).status_code == 202
    assert len(site.phones.texts) == 1


def test_unbinding_lets_go_of_the_member(site: Site) -> None:
    site.bind()
    assert site.call("DELETE", "/bindings/me").status_code == 204
    assert site.get("/me")["member"] is None
    assert site.call("DELETE", "/bindings/me").status_code == 204


def test_a_unit_is_registered_once_and_listed(site: Site, unit: Unit) -> None:
    form = {"code": codes.shown(unit.code), "purchased_on": str(TODAY), "shop": "全國"}
    made = site.post("/registrations", form)
    again = site.post("/registrations", form)
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    (listed,) = site.get("/registrations")
    assert MOMENT.fullmatch(listed.pop("created_at"))
    assert listed == {
        "registration_id": made.json()["registration_id"],
        "code": codes.shown(unit.code),
        "product": {"sku": "AC-100", "name": "Air"},
        "serial": "SN-1",
        "purchased_on": str(TODAY),
        "shop": "全國",
        "warranty_until": None,
    }


def test_another_persons_unit_and_an_unknown_one_are_refused(site: Site, unit: Unit) -> None:
    form = {"code": unit.code, "purchased_on": str(TODAY)}
    site.post("/registrations", form)
    problem(site.post("/registrations", form, who="token-bob"), 409, "code_claimed")
    unknown = {**form, "code": codes.new_code()}
    problem(site.post("/registrations", unknown), 404, "unknown_code")
    assert site.get("/registrations", who="token-bob") == []


def test_two_people_who_claim_at_the_same_moment_get_one_registration(
    site: Site, unit: Unit
) -> None:
    form = {"code": unit.code, "purchased_on": str(TODAY)}
    people = [f"token-person{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda who: site.post("/registrations", form, who=who), people))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


def test_guessing_codes_is_stopped(site: Site) -> None:
    form = {"purchased_on": str(TODAY)}
    for _ in range(10):
        answer = site.post("/registrations", {**form, "code": codes.new_code()})
        assert answer.status_code == 404
    problem(site.post("/registrations", {**form, "code": codes.new_code()}), 429, "too_many")


def test_a_repair_request_needs_a_binding(site: Site) -> None:
    problem(site.post("/repair-requests", repair()), 403, "binding_required")
    assert site.get("/repair-requests") == []


def test_a_member_asks_for_a_repair_and_sees_it(site: Site, unit: Unit) -> None:
    site.bind()
    registered = site.post(
        "/registrations", {"code": unit.code, "purchased_on": str(TODAY)}
    ).json()["registration_id"]
    made = site.post("/repair-requests", repair(registration_id=registered, from_chat=True))
    assert made.status_code == 201
    (listed,) = site.get("/repair-requests")
    assert MOMENT.fullmatch(listed.pop("created_at"))
    assert MOMENT.fullmatch(listed.pop("updated_at"))
    assert listed == {
        **made.json(),
        "registration_id": registered,
        "symptom": "不冷",
        "status": "received",
        "case_number": None,
        "visit_at": None,
    }


def test_the_form_is_kept_with_where_it_was_opened(site: Site, store: Store) -> None:
    site.bind()
    site.post("/repair-requests", repair(from_chat=True, user_id="someone else"))
    with store.reading() as session:
        row = session.scalars(sa.select(Received).where(Received.kind == "repair-requests")).one()
    assert row.body["from_chat"] is True
    assert "user_id" not in row.body


def test_an_unknown_registration_cannot_be_repaired(site: Site) -> None:
    site.bind()
    answer = site.post("/repair-requests", repair(registration_id=str(uuid4())))
    problem(answer, 404, "unknown_registration")


def test_no_one_time_code_is_kept_in_the_clear(site: Site, store: Store) -> None:
    site.bind()
    with store.reading() as session:
        bodies = session.scalars(sa.select(sa.cast(Received.body, sa.Text))).all()
    assert bodies
    assert not any(site.phones.code in body for body in bodies)


def test_the_same_key_and_body_get_the_same_answer_and_one_effect(site: Site, store: Store) -> None:
    site.bind()
    key = str(uuid4())
    first = site.post("/repair-requests", repair(), key=key)
    again = site.post("/repair-requests", repair(), key=key)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert len(site.get("/repair-requests")) == 1


def test_the_same_key_with_another_body_is_a_mismatch(site: Site) -> None:
    site.bind()
    key = str(uuid4())
    site.post("/repair-requests", repair(), key=key)
    other = site.post("/repair-requests", repair(symptom="漏水"), key=key)
    problem(other, 422, "idempotency_mismatch")


def test_another_person_may_use_the_same_key(site: Site) -> None:
    key = str(uuid4())
    body = {**SERVICE, "given": True}
    assert site.post("/consents", body, key=key).status_code == 204
    assert site.post("/consents", body, key=key, who="token-bob").status_code == 204
    assert len(site.get("/me", who="token-bob")["consents"]) == 1


def test_a_double_tap_is_one_request(site: Site) -> None:
    site.bind()
    key = str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        taps = [pool.submit(site.post, "/repair-requests", repair(), key=key) for _ in range(8)]
        answers = [tap.result() for tap in taps]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(site.get("/repair-requests")) == 1


def test_a_refusal_is_repeated_too_and_leaves_nothing_else(site: Site, store: Store) -> None:
    key = str(uuid4())
    first = site.post("/repair-requests", repair(), key=key)
    site.bind()
    before = rows(store, Received)
    again = site.post("/repair-requests", repair(), key=key)
    assert (first.status_code, again.status_code) == (403, 403)
    assert rows(store, Received) == before


def test_a_wrong_code_sent_twice_with_one_key_counts_once(site: Site) -> None:
    form = {"name": "王", "phone": "0912345678", "consents": [SERVICE]}
    path = f"/bindings/{site.post('/bindings', form).json()['challenge_id']}/confirm"
    wrong = {"code": f"{(int(site.phones.code) + 1) % 1_000_000:06}"}
    key = str(uuid4())
    assert site.post(path, wrong, key=key).text == site.post(path, wrong, key=key).text
    assert "3" in site.post(path, wrong).json()["detail"]


def test_a_key_may_be_used_anew_after_a_day(site: Site, store: Store) -> None:
    key, body = str(uuid4()), {**SERVICE, "given": True}
    site.post("/consents", body, key=key)
    with store.transaction() as session:
        session.execute(sa.update(Idempotency).values(at=Idempotency.at - timedelta(hours=24)))
    assert site.post("/consents", {**body, "given": False}, key=key).status_code == 204


def test_a_refusal_that_passes_is_not_kept(site: Site) -> None:
    form = {"purchased_on": str(TODAY), "code": codes.new_code()}
    for _ in range(10):
        site.post("/registrations", form)
    key = str(uuid4())
    problem(site.post("/registrations", form, key=key), 429, "too_many")
    problem(site.post("/registrations", {**form, "shop": "x"}, key=key), 429, "too_many")


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"text"', b"\xff"])
def test_what_is_no_json_object_is_invalid(site: Site, body: bytes) -> None:
    headers = {"Authorization": "Bearer token-ann"}
    url = f"{site.url}/liff/api/consents"
    problem(requests.post(url, body, headers=headers, timeout=20), 422, "invalid")


def test_a_body_over_64_kilobytes_is_too_large(site: Site) -> None:
    problem(site.post("/consents", {"purpose": "x" * 65536}), 413, "too_large")


def test_text_that_a_database_refuses_is_refused_with_its_field(site: Site) -> None:
    site.bind()
    told = problem(site.post("/repair-requests", repair(symptom="a\x00b")), 422, "invalid")
    assert [error["field"] for error in told["errors"]] == ["symptom"]


def test_an_unknown_call_is_a_problem_too(site: Site) -> None:
    problem(site.call("GET", "/nothing"), 404, "not_found")
    problem(site.call("PUT", "/me", {}), 405, "method_not_allowed")


def test_answers_are_not_cached(site: Site) -> None:
    assert site.call("GET", "/me").headers["cache-control"] == "no-store"


def test_guesses_at_the_same_moment_are_all_counted(site: Site) -> None:
    form = {"name": "王", "phone": "0912345678", "consents": [SERVICE]}
    path = f"/bindings/{site.post('/bindings', form).json()['challenge_id']}/confirm"
    wrong = {"code": f"{(int(site.phones.code) + 1) % 1_000_000:06}"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: site.post(path, wrong), range(8)))
    assert sorted(answer.status_code for answer in answers) == [410] * 3 + [422] * 5


def test_requests_of_one_person_at_the_same_moment_do_not_block_each_other(site: Site) -> None:
    site.bind()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: site.post("/repair-requests", repair()), range(8)))
    assert [answer.status_code for answer in answers] == [201] * 8
