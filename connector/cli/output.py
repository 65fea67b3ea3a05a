"""How commands speak: JSON for programs, tables and colours for people, errors for both."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.errors import ConnectorError

GOOD, BAD, DIM = "green", "red", "bright_black"
_GAP = "  "


def put_json(value: Any) -> None:
    """Print one JSON value."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def put_json_line(value: Any) -> None:
    """Print one JSON value on one line."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def put_error(problem: ConnectorError, *, as_json: bool) -> None:
    """Say what is wrong and what to do: JSON on stdout, words on stderr."""
    if as_json:
        told = {"code": problem.code, "message": problem.message, "fix": problem.fix}
        put_json({"error": told})
        return
    click.echo(f"{paint('error:', BAD)} {problem.message}", err=True)
    if problem.fix:
        click.echo(f"what to do: {problem.fix}", err=True)


def put(text: str = "") -> None:
    """Print a line for people."""
    click.echo(text)


def say(text: str) -> None:
    """Tell the person something that is not the command's result."""
    click.echo(text, err=True)


def paint(text: str, colour: str) -> str:
    """The text in a colour; click drops it again where nobody could see it."""
    return click.style(text, fg=colour)


def heading(text: str) -> str:
    """A line above a table."""
    return click.style(text, bold=True)


def table(rows: Sequence[Sequence[object]], indent: int = 2) -> str:
    """Rows as aligned columns; wide characters count twice, numbers stand to the right."""
    shown = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(width(cell) for cell in column) for column in zip(*shown, strict=True)]
    lines = []
    for row, texts in zip(rows, shown, strict=True):
        cells = [
            _padded(text, room, right=isinstance(cell, int | float) and not isinstance(cell, bool))
            for cell, text, room in zip(row, texts, widths, strict=True)
        ]
        lines.append(" " * indent + _GAP.join(cells).rstrip())
    return "\n".join(lines)


def width(text: str) -> int:
    """How many columns a text takes on a terminal."""
    plain = click.unstyle(text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in plain)


def short(value: Any, most: int = 60) -> str:
    """A value on one line, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _padded(text: str, room: int, *, right: bool) -> str:
    blank = " " * (room - width(text))
    return blank + text if right else text + blank
