"""What is data: the schema, the locales, the decisions."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.mapping.json_schema import form_schema, mapping_schema
from tests.architecture.project import ROOT, files

LOCALES = {"en", "ja", "zh-TW"}
DECISIONS = ROOT / "connector" / "decisions"
# English labels of fields and picklists are the org's own, told by describe; the others add to them.
TOLD_BY_THE_ORG = {Path("simulator/salesforce/locales"): ("fields.", "values.")}
PLACEHOLDER = re.compile(r"\{(\w*)[^{}]*\}")


def keys(content: Any, above: str = "") -> Iterator[tuple[str, str]]:
    """Every key of a locale with its text, nested ones by a dotted name."""
    if isinstance(content, Mapping):
        for name, inner in content.items():
            yield from keys(inner, f"{above}.{name}" if above else str(name))
    else:
        yield above, str(content)


def locale_folders() -> list[Path]:
    """Where strings for people are kept."""
    return sorted({place.parent for place in files() if place.parent.name == "locales"})


def test_the_mapping_schema_is_fresh() -> None:
    kept = (ROOT / "mappings" / "schema.json").read_text("utf-8")
    assert kept == mapping_schema(), "run: python -m connector.mapping.json_schema"


def test_the_form_schema_is_fresh() -> None:
    kept = (ROOT / "mappings" / "forms.schema.json").read_text("utf-8")
    assert kept == form_schema(), "run: python -m connector.mapping.json_schema"


def test_there_are_locales() -> None:
    assert len(locale_folders()) >= 3


@pytest.mark.parametrize("folder", locale_folders(), ids=str)
def test_the_locales_of_a_folder_say_the_same_things(folder: Path) -> None:
    found = {place.stem: _own(folder, place) for place in (ROOT / folder).glob("*.json")}
    assert set(found) == LOCALES
    for name, texts in found.items():
        assert texts.keys() == found["zh-TW"].keys(), f"{folder}/{name}.json"
        assert not [key for key, text in texts.items() if not text.strip()], name
        for key, text in texts.items():
            wanted = set(PLACEHOLDER.findall(found["zh-TW"][key]))
            assert set(PLACEHOLDER.findall(text)) == wanted, f"{folder}/{name}.json: {key}"


def test_every_message_exists_in_every_language() -> None:
    found = defaultdict(set)
    for place in (ROOT / "mappings" / "messages").glob("*.yaml"):
        template, _, locale = place.stem.rpartition(".")
        found[template].add(locale)
    assert found
    assert {template: names for template, names in found.items() if names != LOCALES} == {}


def test_decisions_are_numbered_without_gap() -> None:
    numbers = sorted(int(place.name.split("-")[0]) for place in DECISIONS.glob("[0-9]*.md"))
    assert numbers, "the first decision is that the top-level names are never published"
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_decision_says_context_options_choice_and_cost() -> None:
    for place in DECISIONS.glob("[0-9]*.md"):
        text = place.read_text("utf-8").lower()
        missing = [word for word in ("context", "options", "choice", "cost") if word not in text]
        assert not missing, f"{place.name}: {missing}"


def _own(folder: Path, place: Path) -> dict[str, str]:
    told = TOLD_BY_THE_ORG.get(folder, ())
    return {key: text for key, text in keys(_read(place)) if not key.startswith(told)}


def _read(place: Path) -> Any:
    return json.loads(place.read_text("utf-8"))
