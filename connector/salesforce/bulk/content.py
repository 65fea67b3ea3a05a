"""The CSV of an ingest job: one row for each intent, blank and silent told apart; pure.

An empty cell says nothing and `#N/A` says null, so that rows which say different things can share
their columns. A text that reads `#N/A` itself, or is too long, cannot be said in Bulk at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from connector.domain.values import Value
from connector.mapping.canonical import plain_text
from connector.salesforce.plans import KEY_FIELD, WriteIntent

NULL = "#N/A"
MOST_ROWS = 10_000  # what the org works off as one batch
_MOST_BYTES = 80_000_000  # of values; an upload holds 100 MB
_LONGEST_CELL = 32_000
_LONGEST_ROW = 400_000
_DELICATE = re.compile(r'[",\r\n]|^\s|\s$')


def key_column(intent: WriteIntent) -> str:
    """The column by which an intent's row and its result are known."""
    return KEY_FIELD if intent.salesforce_id is None else "Id"


def key_of(intent: WriteIntent) -> str:
    """What an intent's row holds in that column."""
    return intent.salesforce_id or intent.key


def fits(intent: WriteIntent) -> bool:
    """Whether everything that an intent says can be said in CSV."""
    texts = [plain_text(value) for value in intent.fields.values() if value is not None]
    sizes = [len(text) for text in texts]
    return (
        NULL not in texts and max(sizes, default=0) <= _LONGEST_CELL and sum(sizes) < _LONGEST_ROW
    )


def portions(intents: Sequence[WriteIntent]) -> Iterator[Sequence[WriteIntent]]:
    """The intents of one job after the other, each within what an upload may hold."""
    held: list[WriteIntent] = []
    size = 0
    for intent in intents:
        more = sum(len(plain_text(value).encode()) + 3 for value in intent.fields.values())
        if held and (len(held) == MOST_ROWS or size + more > _MOST_BYTES):
            yield held
            held, size = [], 0
        held.append(intent)
        size += more
    if held:
        yield held


def content(intents: Sequence[WriteIntent]) -> bytes:
    """The upload: rows of one object that are all created, or all updated."""
    rows = [_cells(intent) for intent in intents]
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([row.get(name, "") for name in names] for row in rows)]
    return "".join(f"{_line(line)}\n" for line in lines).encode()


def _cells(intent: WriteIntent) -> Mapping[str, str]:
    cells = {key_column(intent): key_of(intent)}
    for name, value in intent.fields.items():
        cells[name] = _text(value)
    for parent in intent.parents:
        if parent.id is not None:
            cells[parent.field] = parent.id
        elif parent.key is not None:
            cells[f"{parent.relationship}.{KEY_FIELD}"] = parent.key
    return cells


def _text(value: Value) -> str:
    return NULL if value is None or value in ("", []) else plain_text(value)


def _line(cells: Iterable[str]) -> str:
    return ",".join(_cell(text) for text in cells)


def _cell(text: str) -> str:
    if not _DELICATE.search(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
