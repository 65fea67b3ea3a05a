"""Words and sizes: names a stranger can guess, and nothing that belongs to one machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.project import ROOMS, ROOT, files, modules, texts

BANNED = {"helper", "helpers", "manager", "managers", "mock", "mocks", "util", "utils"}
MACHINE = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/\w")
REGISTRY = re.compile(r"(?:pypi\.org|pythonhosted\.org|/simple/|index-url\s+http|registry\.npmjs)")
LONGEST_FILE, LONGEST_FUNCTION = 400, 50
HERE = Path("tests/architecture")
# The migration of the first tables is one list, written by a machine and never edited again.
GENERATED = ("connector/store/migrations/versions/",)


def parts(name: str) -> set[str]:
    """The words in a name: `FileManager`, `file_manager` and `file-manager` all hold manager."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return {part.lower() for part in re.split(r"[^A-Za-z0-9]+|_", spaced)}


def holds_one(text: str) -> bool:
    """Whether a banned word stands anywhere in a text; where none does, no name can be one."""
    return any(word in text.lower() for word in BANNED)


def names(tree: ast.AST) -> Iterator[str]:
    """What a module defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def test_no_name_is_a_banned_word() -> None:
    found = [
        f"{place}: {name}"
        for place in modules(*ROOMS, "tests")
        if holds_one(f"{place} {_text(place)}")
        for name in [*place.with_suffix("").parts, *names(_tree(place))]
        if parts(name) & BANNED
    ]
    assert found == []


def test_a_banned_word_would_be_seen() -> None:
    assert parts("FileManager") & BANNED
    assert parts("test_utils") & BANNED
    assert not parts("managed") & BANNED
    assert holds_one("class FileManager: ...")
    assert not holds_one("class FileCabinet: ...")


def test_no_file_names_a_place_on_one_machine() -> None:
    assert _lines_with(MACHINE) == []


def test_no_file_names_a_package_registry() -> None:
    assert _lines_with(REGISTRY) == []


def test_no_file_or_function_is_too_long() -> None:
    code = [place for place in modules(*ROOMS) if not str(place).startswith(GENERATED)]
    long = [f"{place}: {n} lines" for place in code if (n := _length(place)) > LONGEST_FILE]
    long += [
        f"{place}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for place in code
        for node in ast.walk(_tree(place))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_every_file_is_named_in_plain_ascii() -> None:
    assert [str(place) for place in files() if not str(place).isascii()] == []


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{place}:{number}: {line.strip()[:100]}"
        for place, text in texts()
        if HERE not in place.parents
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def _tree(place: Path) -> ast.AST:
    return ast.parse(_text(place))


def _length(place: Path) -> int:
    return len(_text(place).splitlines())


def _text(place: Path) -> str:
    return (ROOT / place).read_text("utf-8")
