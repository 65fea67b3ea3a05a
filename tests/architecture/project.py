"""The project's own files, as a clean checkout holds them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("connector", "jobs", "mappings", "simulator", "webhooks")
TEXT = {".css", ".html", ".js", ".json", ".lark", ".mako", ".md", ".py", ".toml", ".yaml", ".yml"}


@cache
def files() -> list[Path]:
    """Every file that is or would be committed, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    places = [Path(name) for name in listed.split("\0") if name]
    return sorted(place for place in places if (ROOT / place).is_file())


def texts() -> list[tuple[Path, str]]:
    """The text files with what they say."""
    return [
        (place, (ROOT / place).read_text("utf-8"))
        for place in files()
        if place.suffix in TEXT or place.name in {"Makefile", "run"} or place.suffix == ".lock"
    ]


def modules(*rooms: str) -> list[Path]:
    """The Python files of some rooms."""
    return [place for place in files() if place.suffix == ".py" and place.parts[0] in rooms]
