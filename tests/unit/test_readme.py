"""The README names every setting, with the default it really has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from connector.cli.commands import COMMANDS
from connector.ground.environment import PREFIX, SECRETS_FOLDER
from connector.settings import LineAccountSettings, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\w+)` \| .+ \| (.+) \|$", re.MULTILINE)
ROWS = dict(ROW.findall(README))
SETTINGS = {f"{PREFIX}{name.upper()}": field for name, field in Settings.model_fields.items()}


def shown(field: FieldInfo) -> str:
    """A default as the table writes it."""
    if field.is_required():
        return "required"
    default: Any = field.get_default(call_default_factory=True)
    assert default is not PydanticUndefined
    if default is None or default == "":
        return "none" if default is None else "empty"
    if isinstance(default, tuple | bool):
        return f"`{json.dumps(default)}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


@pytest.mark.parametrize("name", SETTINGS)
def test_the_readme_tells_a_setting_and_its_default(name: str) -> None:
    assert ROWS.get(name) == shown(SETTINGS[name])


@pytest.mark.parametrize("name", LineAccountSettings.model_fields)
def test_the_readme_tells_a_key_of_an_official_account(name: str) -> None:
    assert ROWS.get(name) == shown(LineAccountSettings.model_fields[name])


@pytest.mark.parametrize("file", ["README.md", ".env.example", "docker-compose.yml"])
def test_no_document_names_a_setting_that_does_not_exist(file: str) -> None:
    named = set(re.findall(rf"{PREFIX}\w+", (ROOT / file).read_text("utf-8")))
    assert named - SETTINGS.keys() - {SECRETS_FOLDER} == set()


def test_the_readme_tells_every_command_that_people_call() -> None:
    missing = [name for name in COMMANDS if not re.search(rf"connector {name}\b", README)]
    assert missing in ([], ["subscribe"])  # a process, told as a service of the compose file


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
