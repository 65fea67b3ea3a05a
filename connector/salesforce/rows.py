"""Rows made flat: no `attributes`, parents as dotted paths, names as they were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.salesforce.steps import Row


def flat(row: Mapping[str, Any], names: Sequence[str] | None) -> Row:
    """One row under the names asked for; without names every answered one, parents dotted."""
    if names is None:
        return dict(_walk(row, ""))
    if all(name in row for name in names):
        return {name: row[name] for name in names}
    folded = {key.lower(): value for key, value in row.items()}
    return {name: _dig(folded, name.lower().split(".")) for name in names}


def _dig(row: Mapping[str, Any], path: Sequence[str]) -> Any:
    value = row.get(path[0])
    if len(path) == 1 or not isinstance(value, dict):
        return value if len(path) == 1 else None
    return _dig({key.lower(): inner for key, inner in value.items()}, path[1:])


def _walk(row: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in row.items():
        if key == "attributes":
            continue
        if isinstance(value, dict) and "attributes" in value:
            found += _walk(value, f"{prefix}{key}.")
        else:
            found.append((prefix + key, value))
    return found
