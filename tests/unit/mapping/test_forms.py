"""Forms as admins write them: what mappings may name of them, and what is wrong with one, at once."""

from __future__ import annotations

import pytest

from connector.domain.records import ValueType
from connector.mapping.loader import check_folder, load
from tests.unit.mapping.building import STARTER, starter

WORDS = "{zh-TW: 甲, en: A, ja: あ}"
HEAD = f"title: {WORDS}\nthanks: {WORDS}\nfields:\n"
MAPPING = "from: survey\nto: Lead\nfields:\n  - {line: %s, salesforce: City%s}\n"
TASTE = f"""\
  - name: taste
    type: choice
    label: {WORDS}
    options: [{{value: sweet, label: {WORDS}}}, {{value: sour, label: {WORDS}}}]
"""


def field(name: str, type_: str, more: str = "") -> str:
    return f"  - {{name: {name}, type: {type_}, label: {WORDS}{more}}}\n"


def problems(form: str, mapping: str | None = None, kind: str = "survey") -> list[str]:
    texts = {f"forms/{kind}.yaml": form}
    if mapping is not None:
        texts["survey-lead.yaml"] = mapping
    return [str(each) for each in load(texts).problems]


def test_the_answers_are_values_of_a_record_kind_with_a_friend_and_a_member() -> None:
    asked = {
        "text": ValueType.TEXT,
        "long text": ValueType.TEXT,
        "phone": ValueType.PHONE,
        "email": ValueType.EMAIL,
        "date": ValueType.DATE,
        "number": ValueType.INTEGER,
        "boolean": ValueType.BOOLEAN,
    }
    named = {type_.replace(" ", "_"): value for type_, value in asked.items()}
    lines = "".join(field(type_.replace(" ", "_"), type_) for type_ in asked)
    schema = load({"forms/survey.yaml": HEAD + lines + TASTE}).forms["survey"].schema
    assert schema.values == {**named, "taste": ValueType.TEXT, "created_at": ValueType.MOMENT}
    assert schema.relations == {"person": "friend", "member": "member"}
    assert schema.options == {"taste": ("sweet", "sour")}


def test_every_answer_is_personal_unless_its_field_denies_it() -> None:
    form = HEAD + field("name", "text") + field("city", "text", ", personal: false")
    assert load({"forms/survey.yaml": form}).forms["survey"].schema.personal == {"name"}


def test_a_mapping_names_answers_and_values_of_who_sent_them() -> None:
    mapping = MAPPING % ("city", "") + "  - {line: person.display_name, salesforce: LastName}\n"
    assert problems(HEAD + field("city", "text"), mapping) == []


def test_everything_wrong_with_a_form_is_said_at_once_with_its_place() -> None:
    form = f"""\
title: {{zh-TW: 甲, en: A}}
thanks: {{zh-TW: 甲, en: " ", ja: あ}}
requires: frend
fields:
  - {{name: Name, type: text, label: {WORDS}, max_lenght: 5}}
  - {{name: in, type: number, label: {WORDS}, max_length: 5}}
  - {{name: created_at, type: date, label: {WORDS}}}
  - {{name: taste, type: choice, label: {WORDS}}}
  - {{name: taste, type: text, label: {WORDS}, options: [{{value: a, label: {WORDS}}}]}}
  - {{name: tags, type: choices, label: {WORDS}, options: [{{value: a;b, label: {WORDS}}}, {{value: a;b, label: {WORDS}}}]}}
"""
    names = "small letters, digits and _, at most 40, a letter first"
    assert [each.removeprefix("forms/survey.yaml:") for each in problems(form)] == [
        "1:8: the key 'ja' is missing",
        "2:24: there is no text",
        "3:11: 'frend' is not possible here (did you mean friend?)",
        f"5:12: 'Name' is no name of a value ({names})",
        "5:63: unknown key 'max_lenght' (did you mean max_length?)",
        "6:12: in means something in expressions (choose another name)",
        "6:75: only text and long text have a length, in is a number",
        "7:12: every record of a form has created_at already (choose another name)",
        "8:5: taste is a choice, which offers 1 to 60 options",
        "9:12: another field is called taste already",
        "9:73: a text has no options (known: choice, choices)",
        "10:84: 'a;b' cannot be a value: it is blank or holds a semicolon",
        "10:131: 'a;b' cannot be a value: it is blank or holds a semicolon",
        "10:131: 'a;b' is offered twice",
    ]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("member", "member is a record kind of the starter set, so no form can be called so"),
        ("My-Form", "the file must be called <kind>.yaml, and 'My-Form' is no name of a kind"),
    ],
)
def test_a_form_cannot_be_called_like_a_kind_that_is_there(kind: str, said: str) -> None:
    (found,) = problems(HEAD + field("city", "text"), kind=kind)
    assert found.startswith(f"forms/{kind}.yaml:1:1: {said}")


@pytest.mark.parametrize(
    ("line", "more", "said"),
    [
        ("tast", "", "4:12: a survey has no value 'tast' (did you mean taste?)"),
        (
            "taste",
            ", values: {sweet: S, sower: A}",
            "4:63: taste is never 'sower' (did you mean sour?)",
        ),
        (
            "taste",
            ", values: {sweet: S}",
            "nothing stands for these options of taste: sour (name them, or give it an otherwise)",
        ),
    ],
)
def test_a_mapping_is_held_against_what_the_form_asks(line: str, more: str, said: str) -> None:
    found = problems(HEAD + TASTE, MAPPING % (line, more))
    assert any(each.endswith(said) for each in found), found


def test_a_mapping_of_a_form_that_cannot_be_read_is_not_blamed_for_it() -> None:
    (found,) = problems(
        "fields: []\nthanks: {}\n".replace("thanks: {}\n", f"thanks: {WORDS}\n"),
        MAPPING % ("x", ""),
    )
    assert found == "forms/survey.yaml:1:1: the key 'title' is missing"


@pytest.mark.parametrize(
    ("queue", "said"),
    [
        ("{line: taste, values: {sweet: Q, sour: R}}", None),
        ("{line: taste, values: {sweet: Q}, otherwise: R}", None),
        ("{line: taste, values: {sweet: Q}}", "nothing stands for these options of taste: sour"),
        ("{line: tast, values: {sweet: Q}}", "a survey has no value 'tast' (did you mean taste?)"),
        ("{name: Q, line: taste}", "gives the queue's name, or the line and values that choose it"),
        ("{line: taste}", "names no queue for any value"),
        ("{line: taste, values: {sweet: [Q, R]}, otherwise: R}", "sweet chooses one queue"),
    ],
)
def test_a_queue_may_be_chosen_by_an_answer(queue: str, said: str | None) -> None:
    mapping = MAPPING % ("taste", "") + f"owner: {{queue: {queue}}}\n"
    found = problems(HEAD + TASTE, mapping)
    assert bool(found) == (said is not None) and all(said in each for each in found if said), found


def test_the_example_sends_each_city_to_a_queue_of_its_own() -> None:
    assert check_folder(STARTER, None) == []
    (owner, _) = starter().mappings["franchise_application-lead"].given
    assert owner.named({"city": "Tainan"}) == "LINE_Franchise_South"
    assert owner.named({"city": None}) == owner.named({"city": "Elsewhere"}) == "LINE_Leads"
