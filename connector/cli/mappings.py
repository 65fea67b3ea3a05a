"""`connector mappings`: check, publish, history, export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.cli.options import author_option, data_option, json_option
from connector.errors import ConnectorError, EnvironmentProblem
from connector.mapping.loader import check_folder, load, read_folder
from connector.mapping.reading import MappingProblems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.mapping.places import Problem
    from connector.mapping.schema import ObjectSchema
    from connector.store.tables import Published

STARTER = Path(__file__).resolve().parents[2] / "mappings"

folder_argument = click.argument(
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=False,
)


@click.group("mappings")
def command() -> None:
    """The documents that admins own: mappings, notices and messages.

    Editing files changes nothing until they are published.
    """


@command.command("check")
@folder_argument
@click.option("--org", is_flag=True, help="Check against the org's objects and fields, too.")
@data_option
@json_option
def check(folder: Path | None, data: Path, *, org: bool, as_json: bool) -> int:
    """Report everything that is wrong in a folder (./mappings), each with file, line and column.

    Needs neither settings nor a database; with --org it asks the org that these name.

    Example: connector mappings check mappings --org
    """
    place = folder or _default_folder()
    problems = check_folder(_shown_path(place), _schemas(place, data) if org else None)
    if as_json:
        rows = [_told(problem) for problem in problems]
        output.put_json({"folder": str(place), "ok": not problems, "problems": rows})
    elif problems:
        for problem in problems:
            output.put(str(problem))
        output.say(f"{len(problems)} problems in {place}")
    else:
        output.put(f"{len(read_folder(place))} documents in {place} are in order")
    return 1 if problems else 0


@command.command("publish")
@folder_argument
@click.option("--reason", required=True, help="Why, for the history.")
@author_option
@data_option
@json_option
def publish(folder: Path | None, reason: str, author: str, data: Path, *, as_json: bool) -> int:
    """Make the documents of a folder live, all or none, after checking them against the org.

    Documents that the folder no longer has stop being live.

    Example: connector mappings publish mappings --reason "warranty in months"
    """
    from connector.cli.deployment import deployment
    from connector.sync.publishing import publish_from_org

    place, here = folder or _default_folder(), deployment(data)
    try:
        done = publish_from_org(here.store, here.gateway, _texts(place), author, reason)
    except MappingProblems as wrong:
        return _refused(wrong, place, as_json=as_json)
    if as_json:
        output.put_json({"changed": list(done.changed), "unchanged": done.unchanged})
    else:
        for path in done.changed:
            output.put(path)
        output.say(f"{len(done.changed)} changed, {done.unchanged} unchanged")
    return 0


@command.command("history")
@click.argument("path", required=False)
@data_option
@json_option
def history(path: str | None, data: Path, *, as_json: bool) -> None:
    """List what was published, newest first: when, by whom, why. PATH names one document.

    Example: connector mappings history member-contact.yaml
    """
    from connector.cli.deployment import deployment
    from connector.sync import publishing

    with deployment(data).store.reading() as session:
        rows = publishing.history(session, path)
    if as_json:
        output.put_json({"versions": [_version(row) for row in rows]})
    elif not rows:
        output.put("nothing was published yet")
    else:
        output.put(output.table([["version", "", "document", "when", "who", "why"], *_lines(rows)]))


@command.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--force", is_flag=True, help="Overwrite documents that are there already.")
@data_option
@json_option
def export(folder: Path, data: Path, *, force: bool, as_json: bool) -> None:
    """Write the live documents into a folder, as they were published.

    Example: connector mappings export ./from-production
    """
    from connector.cli.deployment import deployment
    from connector.sync.publishing import live_texts

    with deployment(data).store.reading() as session:
        texts = live_texts(session)
    if not texts:
        raise ConnectorError("nothing_live", "no document is live", "Publish a folder first.")
    there = [path for path in texts if _differs(folder / path, texts[path])]
    if there and not force:
        message = f"{folder} already holds other versions of: {', '.join(there)}"
        raise ConnectorError("would_overwrite", message, "Choose another folder, or --force.")
    for path, text in texts.items():
        _write(folder / path, text)
    if as_json:
        output.put_json({"folder": str(folder), "documents": sorted(texts)})
    else:
        output.put(f"{len(texts)} documents written to {folder}")


def _default_folder() -> Path:
    """`./mappings`, else the starter set of this checkout."""
    here = Path("mappings")
    return here if here.is_dir() else STARTER


def _shown_path(folder: Path) -> Path:
    """The folder as a person at this place would write it."""
    here = Path.cwd()
    whole = folder.resolve()
    return whole.relative_to(here) if whole.is_relative_to(here) else folder


def _schemas(folder: Path, data: Path) -> dict[str, ObjectSchema]:
    """What the org says of the objects that are named; one it does not show is left out."""
    from connector.cli.deployment import deployment
    from connector.salesforce.faults import CallFailed

    gateway, found = deployment(data).gateway, {}
    for name in load(read_folder(folder)).objects:
        try:
            found[name] = gateway.describe(name)
        except CallFailed as failed:
            if failed.fault.org_wide or failed.fault.code != "INVALID_TYPE":
                raise
    return found


def _texts(folder: Path) -> dict[str, str]:
    texts = read_folder(folder)
    if not texts:
        raise EnvironmentProblem("no_documents", f"there is no document in {folder}")
    return texts


def _refused(wrong: MappingProblems, folder: Path, *, as_json: bool) -> int:
    """Tell every problem with the path a person can open."""
    found = [replace(each, file=f"{_shown_path(folder)}/{each.file}") for each in wrong.problems]
    if not as_json:
        raise MappingProblems(found)
    error = {"code": wrong.code, "message": f"{folder} cannot be published", "fix": wrong.fix}
    output.put_json({"error": {**error, "problems": [_told(problem) for problem in found]}})
    return 1


def _told(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "hint": problem.hint,
    }


def _version(row: Published) -> dict[str, Any]:
    from connector.domain.values import moment

    return {
        "version": row.id,
        "path": row.path,
        "live": row.live,
        "at": moment(row.at),
        "author": row.author,
        "reason": row.reason,
    }


def _lines(rows: Sequence[Published]) -> list[list[object]]:
    return [
        [
            row.id,
            output.paint("live", output.GOOD) if row.live else "",
            row.path,
            f"{row.at:%Y-%m-%d %H:%M}",
            row.author,
            row.reason,
        ]
        for row in rows
    ]


def _differs(file: Path, text: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8") != text


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise EnvironmentProblem(
            "unwritable", f"{file} cannot be written ({problem.strerror})", "Choose another folder."
        ) from None
