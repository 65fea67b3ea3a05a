"""The folders that documents are read from, and how their problems are told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.errors import EnvironmentProblem
from connector.mapping.documents.reading import MappingProblems
from connector.mapping.loader import read_folder

if TYPE_CHECKING:
    from connector.mapping.documents.places import Problem

STARTER = Path(__file__).resolve().parents[3] / "mappings"

folder_argument = click.argument(
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=False,
)


def default_folder() -> Path:
    """`./mappings`, else the starter set of this checkout."""
    here = Path("mappings")
    return here if here.is_dir() else STARTER


def shown_path(folder: Path) -> Path:
    """The folder as a person at this place would write it."""
    here = Path.cwd()
    whole = folder.resolve()
    return whole.relative_to(here) if whole.is_relative_to(here) else folder


def texts(folder: Path) -> dict[str, str]:
    """The documents of a folder, of which there must be some."""
    found = read_folder(folder)
    if not found:
        raise EnvironmentProblem("no_documents", f"there is no document in {folder}")
    return found


def told(problem: Problem) -> dict[str, Any]:
    """A problem as JSON."""
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "rule": problem.rule,
        "message": problem.message,
        "hint": problem.hint,
    }


def refused(wrong: MappingProblems, folder: Path, what: str, *, as_json: bool) -> int:
    """Tell every problem with the path a person can open."""
    found = [replace(each, file=f"{shown_path(folder)}/{each.file}") for each in wrong.problems]
    if not as_json:
        raise MappingProblems(found)
    error = {"code": wrong.code, "message": f"{folder} {what}", "fix": wrong.fix}
    output.put_json({"error": {**error, "problems": [told(problem) for problem in found]}})
    return 1
