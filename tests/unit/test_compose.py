"""Production runs the same processes as `connector up`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.ground.environment import Addresses
from connector.ground.part import Part
from connector.ground.stages import Ground, prepare, services

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
ANYWHERE = ["--host", "0.0.0.0"]  # inside a container, which publishes on the host's own address


def parts() -> list[Part]:
    """Our own processes, as the laptop runs them; what they stand on does not matter here."""
    nothing: Any = None
    ground = Ground(nothing, Addresses(8400), {}, nothing, nothing)
    return [prepare(ground), *services(ground)]


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.name)
def test_a_service_runs_what_the_laptop_runs(part: Part) -> None:
    assert not callable(part.argv)
    command = COMPOSE["services"][part.name]["command"]
    assert command[0] == "python"
    told = [word for word in command[1:] if word not in ANYWHERE]
    assert told == list(part.argv[1:])


def test_there_is_no_service_beside_ours_and_the_two_servers() -> None:
    ours = {part.name for part in parts()}
    assert COMPOSE["services"].keys() - ours == {"postgres", "redis"}


def test_everything_waits_for_the_migrations() -> None:
    for name, service in COMPOSE["services"].items():
        if name not in {"prepare", "postgres", "redis"}:
            done = service["depends_on"]["prepare"]
            assert done == {"condition": "service_completed_successfully"}, name


def test_only_the_web_process_is_reached_and_only_from_this_host() -> None:
    ports = {name: each["ports"] for name, each in COMPOSE["services"].items() if "ports" in each}
    assert list(ports) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in ports["web"])


@pytest.mark.parametrize("file", ["docker-compose.yml", ".env.example"])
def test_no_secret_stands_in_a_file(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    named = r"^[ #]*\w*(?:PASSWORD|TOKEN|SECRET|_KEY)(?!S_DIR)\w*[:=][ ]*(.*)$"
    told = re.findall(named, text, re.MULTILINE)
    assert told
    assert [value for value in told if value and not value.startswith("${")] == []
