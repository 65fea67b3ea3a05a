"""What differs between two sets of documents: as text, and in the terms of the language.

A document is compared as it is written, so that what is shown is what an admin edited. Entries of a list
are told apart by what they are about (a field line by its fields), not by where they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from typing import Any

from connector.mapping.documents.places import read_yaml
from connector.planning.versions import Edition

_NAMES = ("salesforce", "id", "name", "line", "kind")
_AROUND = 3


class How(StrEnum):
    """What became of a document, or of a part of one."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class PartDiff:
    """One part of a document, by its path (`fields[Phone].transform`), before and after."""

    part: str
    how: How
    before: Any
    after: Any


@dataclass(frozen=True)
class DocumentDiff:
    """One document. Without parts only layout, comments or the order of lines differ."""

    path: str
    how: How
    text: str
    parts: tuple[PartDiff, ...]


def compare(before: Edition, after: Edition, path: str | None = None) -> list[DocumentDiff]:
    """The documents that differ, all of them or the one at `path`."""
    paths = sorted({*before.texts, *after.texts} if path is None else {path})
    found = (_document(each, before, after) for each in paths)
    return [each for each in found if each is not None]


def _document(path: str, before: Edition, after: Edition) -> DocumentDiff | None:
    one, other = before.texts.get(path), after.texts.get(path)
    if one == other:
        return None
    how = How.ADDED if one is None else How.REMOVED if other is None else How.CHANGED
    named = (f"{path} ({before.name})", f"{path} ({after.name})")
    lines = unified_diff(_lines(one), _lines(other), *named, n=_AROUND)
    read = [read_yaml(text, path).data if text else {} for text in (one, other)]
    parts = tuple(_parts("", *read)) if how is How.CHANGED else ()
    return DocumentDiff(path, how, "".join(lines), parts)


def _lines(text: str | None) -> list[str]:
    """Lines that all end in a newline, so that the last one of a file does not swallow the next."""
    return [f"{line}\n" for line in (text or "").splitlines()]


def _parts(place: str, before: Any, after: Any) -> Iterator[PartDiff]:
    """The innermost parts that differ."""
    named = _named(before, after)
    if named is None:
        if _plain(before) != _plain(after):
            yield PartDiff(place, How.CHANGED, before, after)
        return
    one, other = named
    for name in dict.fromkeys((*one, *other)):
        here = f"{place}{name}" if name.startswith("[") or not place else f"{place}.{name}"
        if name not in other:
            yield PartDiff(here, How.REMOVED, one[name], None)
        elif name not in one:
            yield PartDiff(here, How.ADDED, None, other[name])
        else:
            yield from _parts(here, one[name], other[name])


def _named(before: Any, after: Any) -> Sequence[Mapping[str, Any]] | None:
    """The parts of both by name; None where they are to be compared whole."""
    both = (before, after)
    if all(isinstance(value, dict) for value in both):
        return [{str(name): part for name, part in value.items()} for value in both]
    entries = (each for value in both if isinstance(value, list) for each in value)
    if all(isinstance(value, list) for value in both) and all(isinstance(e, dict) for e in entries):
        return _by_subject(before, after)
    return None


def _by_subject(*lists: Sequence[Mapping[Any, Any]]) -> Sequence[Mapping[str, Any]] | None:
    """Entries by what they are about; where one field is both written and read, by the way too."""
    for told in (_subject, _subject_and_way):
        named = [{f"[{told(entry)}]": entry for entry in entries} for entries in lists]
        whole = all(map(_subject, (entry for entries in lists for entry in entries)))
        if whole and [len(each) for each in named] == [len(each) for each in lists]:
            return named
    return None


def _subject_and_way(entry: Mapping[Any, Any]) -> str:
    return f"{_subject(entry)}, {entry.get('direction', 'to_salesforce')}"


def _subject(entry: Mapping[Any, Any]) -> str | None:
    for name in _NAMES:
        if name in entry:
            told = entry[name]
            return ", ".join(map(str, told)) if isinstance(told, list) else str(told)
    return None


def _plain(value: Any) -> Any:
    """One entry is the same with brackets and without."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
