"""The sentences of refusals: in every language, for every code."""

from __future__ import annotations

import re
import string
from pathlib import Path

import orjson
import pytest

import connector.members
import webhooks
from connector.members.refusals import SENTENCES, FieldProblem, Refused
from webhooks.problems import STATUSES, Words

FOLDER = Path(webhooks.__file__).parent / "locales"
LOCALES = {file.stem: orjson.loads(file.read_bytes()) for file in FOLDER.glob("*.json")}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_there_are_three_languages() -> None:
    assert set(LOCALES) == {"zh-TW", "en", "ja"}


@pytest.mark.parametrize("name", LOCALES)
def test_every_language_says_the_same_things(name: str) -> None:
    first = LOCALES["zh-TW"]
    assert set(LOCALES[name]) == set(first)
    assert {key: placeholders(text) for key, text in LOCALES[name].items()} == {
        key: placeholders(text) for key, text in first.items()
    }


@pytest.mark.parametrize("code", STATUSES)
def test_every_code_has_a_title_and_a_detail(code: str) -> None:
    assert f"problem.{code}.title" in LOCALES["en"]
    assert f"problem.{code}.detail" in LOCALES["en"]


def test_every_refusal_has_a_status() -> None:
    assert set(SENTENCES) <= set(STATUSES)


def test_every_field_code_that_is_used_has_a_sentence() -> None:
    sources = Path(connector.members.__file__).parent.glob("*.py")
    text = "".join(source.read_text("utf-8") for source in sources)
    patterns = (
        r'\.wrong\(\s*\w+,\s*"(\w+)"',
        r'\.wrong\(\s*"\w+",\s*"(\w+)"',
        r'FieldProblem\("\w+", "(\w+)"',
    )
    used = {code for pattern in patterns for code in re.findall(pattern, text)}
    assert len(used) > 10
    assert {f"field.{code}" for code in used} <= set(LOCALES["en"])


def test_a_fields_own_sentence_is_preferred() -> None:
    words = Words()
    problems = [FieldProblem("name", "required"), FieldProblem("shop", "required")]
    answer = words.answer(Refused("invalid", problems), words.locale("en"))
    messages = [error["message"] for error in answer.body["errors"]]  # type: ignore[index,call-overload]
    assert messages == ["Please enter your name.", "Please fill this in."]


def test_facts_fill_the_sentence() -> None:
    words = Words()
    problem = FieldProblem("name", "too_long", {"longest": 80})
    answer = words.answer(Refused("invalid", [problem]), words.locale("en"))
    assert answer.body["errors"][0]["message"] == "At most 80 characters."  # type: ignore[index,call-overload]
