"""The body of something received, part by part: named by a path of names and numbers with dots between."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy

from connector.domain.values import Value, storable
from connector.errors import ConnectorError


def whole(body: Value) -> dict[str, Value]:
    """A body given as a whole; it must be an object."""
    if not isinstance(body, dict):
        raise ConnectorError(
            "bad_body", "a body is a JSON object", 'Give one, as {"type": "follow"}.'
        )
    return {str(name): value for name, value in body.items()}


def with_parts(body: Mapping[str, Value], wanted: Mapping[str, str]) -> dict[str, Value]:
    """A copy in which some parts hold something else; what is no JSON is taken as text."""
    amended: dict[str, Value] = deepcopy(dict(body))
    for path, text in wanted.items():
        *way, last = path.split(".")
        place: Value = amended
        for step in way:
            place = _inside(place, step, path)
        if isinstance(place, dict):
            place[last] = _read(text)
        elif isinstance(place, list) and last.isdecimal() and int(last) < len(place):
            place[int(last)] = _read(text)
        else:
            raise _no_part(path, last, place)
    kept = storable(amended)
    return kept if isinstance(kept, dict) else amended


def differences(before: Value, after: Value, path: str = "") -> Iterator[tuple[str, Value, Value]]:
    """The parts in which two bodies differ: path, before, after."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            inner = f"{path}.{name}" if path else name
            yield from differences(before.get(name), after.get(name), inner)
    elif before != after:
        yield path, before, after


def _inside(place: Value, step: str, path: str) -> Value:
    if isinstance(place, dict) and isinstance(place.get(step), dict | list):
        return place[step]
    if isinstance(place, list) and step.isdecimal() and int(step) < len(place):
        return place[int(step)]
    raise _no_part(path, step, place)


def _no_part(path: str, step: str, place: Value) -> ConnectorError:
    there = ", ".join(sorted(place)) if isinstance(place, dict) else "nothing with names"
    return ConnectorError(
        "unknown_part",
        f"{path}: there is no {step!r} to go into",
        f"At that place there is: {there or 'nothing'}. See all of it: connector dead show ID --reveal",
    )


def _read(text: str) -> Value:
    try:
        value: Value = json.loads(text)
    except ValueError:
        return text
    return value
