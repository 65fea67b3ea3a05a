"""`connector mappings history | diff | rollback`: what was published, what differs, and the way back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.cli.mappings.folders import default_folder, shown_path, texts
from connector.cli.options import author_option, data_option, json_option
from connector.errors import EnvironmentProblem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connector.cli.deployment import Deployment
    from connector.planning.diffs import DocumentDiff
    from connector.planning.versions import Edition
    from connector.store.tables import Published

_COLOURS = {"+": output.GOOD, "-": output.BAD, "@": output.DIM}
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


@click.command("history")
@click.argument("path", required=False)
@data_option
@json_option
def history(path: str | None, data: Path, *, as_json: bool) -> None:
    """List what was published, newest first: when, by whom, why. PATH names one document.

    What was published together has the same moment.

    Example: connector mappings history member-contact.yaml
    """
    from connector.cli.deployment import deployment
    from connector.sync.live import publishing

    with deployment(data).store.reading() as session:
        rows = publishing.history(session, path)
    if as_json:
        output.put_json({"versions": [_version(row) for row in rows]})
    elif not rows:
        output.put("nothing was published yet")
    else:
        output.put(output.table([["version", "", "document", "when", "who", "why"], *_lines(rows)]))


@click.command("diff")
@click.argument("words", nargs=-1, metavar="[A] [B] [PATH]")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Compare what is live with this folder (default: ./mappings).",
)
@data_option
@json_option
def diff(words: tuple[str, ...], folder: Path | None, data: Path, *, as_json: bool) -> None:
    """Show what differs: what is live beside a folder, version A beside what is live, or A beside B.

    A and B are numbers from `connector mappings history`. Versions of two documents stand for the whole
    sets that came with them. PATH names one document.

    Example: connector mappings diff 12 17
    """
    from connector.cli.deployment import deployment
    from connector.planning.diffs import compare

    numbers = [int(word) for word in words if word.isdigit()]
    paths = [word for word in words if not word.isdigit()]
    if len(numbers) > 2 or len(paths) > 1 or (numbers and folder is not None):
        raise click.UsageError("name up to two versions or a --folder, and at most one document")
    before, after = _editions(deployment(data), numbers, folder)
    found = compare(before, after, paths[0] if paths else None)
    if as_json:
        told = {"before": before.name, "after": after.name}
        output.put_json({**told, "documents": [asdict(each) for each in found]})
        return
    for each in found:
        _show(each)
    output.say(f"{len(found)} documents differ between {before.name} and {after.name}")


def _editions(
    here: Deployment, numbers: Sequence[int], folder: Path | None
) -> tuple[Edition, Edition]:
    from connector.planning import versions

    with here.store.reading() as session:
        if len(numbers) == 2:
            return versions.editions(session, *numbers)
        if numbers:
            return versions.beside_live(session, numbers[0])
        place = folder or default_folder()
        return versions.live(session), versions.Edition(str(shown_path(place)), texts(place))


def _show(found: DocumentDiff) -> None:
    output.put(output.heading(f"{found.path} {found.how}"))
    for part in found.parts:
        output.put(f"  {_SIGNS[part.how]} {part.part}{_told(part.before, part.after)}")
    if found.how == "changed" and not found.parts:
        output.put("  only layout, comments or the order of lines")
    for line in found.text.splitlines():
        colour = _COLOURS.get(line[:1])
        output.put(f"    {output.paint(line, colour) if colour else line}")


def _told(before: Any, after: Any) -> str:
    shown = [output.short(each) for each in (before, after) if each is not None]
    return f": {' -> '.join(shown)}" if shown else ""


@click.command("rollback")
@click.argument("version", type=click.IntRange(1), required=False)
@click.option(
    "--to",
    metavar="VERSION|TIME",
    help="Bring the whole set back to how it was right after a version, or at a moment.",
)
@click.option("--reason", required=True, help="Why, for the history.")
@author_option
@data_option
@json_option
def rollback(
    version: int | None, to: str | None, reason: str, author: str, data: Path, *, as_json: bool
) -> None:
    """Make an earlier VERSION of a document live again, as a new version.

    It is checked against the org first, like anything that is published. Values that were written in
    the meantime stay as they are.

    Example: connector mappings rollback 12 --reason "phones came out wrong"
    """
    from connector.cli.deployment import deployment
    from connector.planning import versions

    if (version is None) == (to is None):
        raise click.UsageError("name a VERSION, or a whole set with --to")
    here = deployment(data)
    told = (here.store, here.gateway)
    if version is not None:
        done = versions.roll_back(*told, version, author, reason)
    else:
        done = versions.roll_back_all(*told, _target(to or ""), author, reason)
    if as_json:
        output.put_json({"changed": list(done.changed), "unchanged": done.unchanged})
        return
    for path in done.changed:
        output.put(path)
    what = f"{len(done.changed)} brought back" if done.changed else "all of it is live already"
    output.say(f"{what}, {done.unchanged} unchanged")


def _target(text: str) -> int | datetime:
    """A version, or a moment: with its zone, or of this machine."""
    from datetime import datetime

    if text.isdigit():
        return int(text)
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise EnvironmentProblem(
            "unreadable_time",
            f"{text!r} is neither a version nor a moment",
            "Write a moment as 2026-11-20T09:30, with +08:00 behind it for another zone.",
        ) from None


def _version(row: Published) -> dict[str, Any]:
    from connector.domain.values import moment

    return {
        "version": row.id,
        "path": row.path,
        "live": row.live,
        "removed": not row.text,
        "at": moment(row.at),
        "author": row.author,
        "reason": row.reason,
    }


def _lines(rows: Sequence[Published]) -> list[list[object]]:
    return [
        [
            row.id,
            output.paint("live", output.GOOD) if row.live else "" if row.text else "taken out",
            row.path,
            f"{row.at:%Y-%m-%d %H:%M}",
            row.author,
            row.reason,
        ]
        for row in rows
    ]
