"""Who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.project import ROOMS, ROOT, modules


def imported(tree: ast.AST) -> Iterator[str]:
    """The top names of everything a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def ours(place: Path) -> set[str]:
    """What of ours a module imports, by statement or by name."""
    tree = ast.parse((ROOT / place).read_text("utf-8"))
    named = {
        node.value.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_path(node.value)
    }
    return (set(imported(tree)) | named) & {*ROOMS, "tests"}


def _is_path(text: str) -> bool:
    return "." in text and all(part.isidentifier() for part in text.split("."))


def test_every_import_contract_holds() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_simulators_import_nothing_of_ours() -> None:
    found = {str(place): ours(place) - {"simulator"} for place in modules("simulator")}
    assert {place: names for place, names in found.items() if names} == {}


def test_an_import_of_ours_would_be_seen(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from connector.line import events\n")
    assert set(imported(ast.parse(module.read_text()))) == {"connector"}


def test_only_bootstrap_and_cli_read_settings() -> None:
    allowed = ("connector/bootstrap.py", "connector/cli/", "connector/settings.py")
    readers = [
        str(place)
        for place in modules("connector", "webhooks", "simulator")
        if "load_settings" in (ROOT / place).read_text("utf-8")
        and not str(place).startswith(allowed)
        and place.name != "__main__.py"
    ]
    assert readers == []
