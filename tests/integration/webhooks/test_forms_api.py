"""Forms that admins wrote, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
import sqlalchemy as sa

from connector.mapping.loader import load
from connector.settings import Settings
from connector.store.session import Store
from connector.store.tables import Friendship, Received, Record, Relation
from tests.integration.webhooks.site import ACCOUNT, OA, Phones, Site, Vouching
from tests.undocumented import NoDocuments
from webhooks.web import Web

SERVICE = {"purpose": "service", "version": "1"}
WORDS = "{zh-TW: 甲, en: A, ja: あ}"
FORM = f"""\
title: {{zh-TW: 調查, en: Survey, ja: アンケート}}
thanks: {WORDS}
requires: friend
fields:
  - {{name: code, type: text, max_length: 5, label: {WORDS}}}
  - {{name: phone, type: phone, label: {WORDS}, required: false}}
  - {{name: email, type: email, label: {WORDS}}}
  - {{name: day, type: date, label: {WORDS}, required: false}}
  - {{name: age, type: number, label: {WORDS}, required: false}}
  - {{name: sure, type: boolean, label: {WORDS}}}
  - name: taste
    type: choice
    label: {WORDS}
    options: [{{value: sweet, label: {WORDS}}}, {{value: sour, label: {WORDS}}}]
  - name: tags
    type: choices
    label: {WORDS}
    required: false
    options: [{{value: b, label: {WORDS}}}, {{value: a, label: {WORDS}}}]
"""
GOOD = {"code": "x", "email": "a@example.com", "sure": True, "taste": "sour", "tags": ["b", "a"]}


@pytest.fixture
def web(store: Store, settings: Settings) -> Web:
    """What the application stands on, with a survey for friends, one for members and one taken down."""
    texts = {
        "forms/survey.yaml": FORM,
        "forms/club.yaml": FORM.replace("requires: friend", "requires: member"),
        "forms/closed.yaml": FORM + "enabled: false\n",
    }
    documents = load(texts)
    assert documents.problems == ()
    kinds = {kind: form.schema for kind, form in documents.forms.items()}
    live = NoDocuments()
    catalogs = replace(live, forms=documents.forms, kinds={**live.kinds, **kinds})
    return Web(store, catalogs, (ACCOUNT,), Vouching(), Phones(), settings)  # type: ignore[arg-type]


def send(site: Site, answers: object = None, **more: Any) -> requests.Response:
    body = {"answers": GOOD if answers is None else answers, "consents": [SERVICE]}
    return site.post("/forms/survey", {**body, **more.pop("body", {})}, **more)


def wrong(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {each["field"]: each["code"] for each in answer.json()["errors"]}


def test_a_form_is_told_in_the_callers_language(site: Site) -> None:
    told = site.get("/forms/survey", language="ja")
    assert (told["title"], told["requires"], told["intro"]) == ("アンケート", "friend", None)
    assert told["fields"][0] == {
        "name": "code",
        "type": "text",
        "label": "あ",
        "help": None,
        "required": True,
        "max_length": 5,
        "options": [],
    }
    assert told["fields"][6]["options"][1] == {"value": "sour", "label": "あ"}


@pytest.mark.parametrize("kind", ["nothing", "closed", "repair_request"])
def test_a_form_that_is_not_live_is_not_there(site: Site, kind: str) -> None:
    assert site.call("GET", f"/forms/{kind}").status_code == 404
    assert site.post(f"/forms/{kind}", {"answers": GOOD}).status_code == 404


def test_answers_are_kept_as_their_fields_are_typed(site: Site, store: Store) -> None:
    more = {"phone": "0912-345-678", "age": 7.0, "day": "2026-02-28", "unasked": "?"}
    made = send(site, {**GOOD, **more}, body={"from_chat": True, "more": 1})
    assert made.status_code == 201
    with store.reading() as session:
        record = session.get_one(Record, UUID(made.json()["id"]))
        friend = session.scalars(sa.select(Friendship)).one()
        relations = session.scalars(sa.select(Relation)).all()
        kept = session.scalars(sa.select(Received)).one()
    values = dict(record.values)
    assert record.kind == "survey" and values.pop("created_at")
    assert values == {
        **GOOD,
        "phone": "+886912345678",
        "age": 7,
        "day": "2026-02-28",
        "tags": ["a", "b"],
    }
    assert [(each.name, each.target_id) for each in relations] == [("person", friend.id)]
    assert (kept.kind, kept.oa, kept.ledger) == ("forms.survey", OA, "unchanged")
    assert "unasked" not in kept.body["answers"] and "more" not in kept.body


@pytest.mark.parametrize(
    ("answers", "problems"),
    [
        ({}, dict.fromkeys(("code", "email", "sure", "taste"), "required")),
        ({**GOOD, "code": "123456"}, {"code": "too_long"}),
        ({**GOOD, "code": " ", "tags": []}, {"code": "required"}),
        ({**GOOD, "phone": "12"}, {"phone": "phone"}),
        ({**GOOD, "email": "a@b", "day": "2026-02-30"}, {"email": "email", "day": "date"}),
        ({**GOOD, "age": "7"}, {"age": "number"}),
        ({**GOOD, "age": True}, {"age": "number"}),
        ({**GOOD, "age": 1e300}, {"age": "number"}),
        ({**GOOD, "sure": False}, {"sure": "required"}),
        ({**GOOD, "sure": "yes"}, {"sure": "flag"}),
        ({**GOOD, "taste": "salty", "tags": ["a", "a"]}, {"taste": "choice", "tags": "choice"}),
        ({**GOOD, "tags": ["a", {}]}, {"tags": "choice"}),
        ({**GOOD, "tags": "a"}, {"tags": "choice"}),
        ("nothing", dict.fromkeys(("code", "email", "sure", "taste"), "required")),
    ],
)
def test_all_that_is_wrong_is_said_at_once(
    site: Site, store: Store, answers: object, problems: dict[str, str]
) -> None:
    assert wrong(send(site, answers)) == problems
    with store.reading() as session:
        assert session.scalars(sa.select(Record).where(Record.kind == "survey")).all() == []


def test_the_words_of_a_refusal_do_not_mistake_the_field_for_one_of_ours(site: Site) -> None:
    answers = {**GOOD, "code": ""}
    (problem,) = send(site, answers).json()["errors"]
    assert problem["message"] == "Please fill this in."  # not: Please enter the code.


def test_who_agreed_before_need_not_agree_again(site: Site) -> None:
    refused = send(site, body={"consents": []})
    assert (refused.status_code, refused.json()["code"]) == (422, "consent_required")
    assert wrong(send(site, {**GOOD, "code": ""}, body={"consents": []})) == {
        "code": "required",
        "consents": "consent_required",
    }
    assert send(site).status_code == 201
    assert send(site, body={"consents": []}).status_code == 201
    (service,) = site.get("/me")["consents"]
    assert (service["purpose"], service["given"]) == ("service", True)


def test_a_form_for_members_asks_for_a_binding(site: Site, store: Store) -> None:
    refused = site.post("/forms/club", {"answers": GOOD})
    assert (refused.status_code, refused.json()["code"]) == (403, "binding_required")
    member = site.bind()
    assert site.post("/forms/club", {"answers": GOOD}).status_code == 201
    with store.reading() as session:
        club = sa.select(Record.id).where(Record.kind == "club")
        here = sa.select(Relation.target_id).where(
            Relation.record_id.in_(club), Relation.name == "member"
        )
        assert session.scalars(here).all() == [UUID(member)]


def test_what_was_sent_before_binding_is_the_members_afterwards(site: Site, store: Store) -> None:
    sent = UUID(send(site).json()["id"])
    member = site.bind()
    with store.reading() as session:
        here = sa.select(Relation.target_id).where(
            Relation.record_id == sent, Relation.name == "member"
        )
        assert session.scalars(here).all() == [UUID(member)]


def test_a_double_tap_is_one_record(site: Site, store: Store) -> None:
    key = str(uuid4())
    first, second = send(site, key=key), send(site, key=key)
    assert first.json() == second.json()
    assert send(site, {**GOOD, "code": "y"}, key=key).json()["code"] == "idempotency_mismatch"
    with store.reading() as session:
        assert len(session.scalars(sa.select(Record).where(Record.kind == "survey")).all()) == 1


def test_one_person_may_send_a_form_so_often_a_day(site: Site, web: Web) -> None:
    for _ in range(web.limits.answers_per_form_person_and_day):
        assert send(site).status_code == 201
    refused = send(site)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
    assert send(site, who="token-bob").status_code == 201
