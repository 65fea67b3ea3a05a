"""Mappings that join a row: another mapping makes or finds it, these write and read further fields of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connector.domain.lines import Direction, Write
from connector.mapping.documents.document import Create, MappingDocument, OnDelete, RowOfSpec
from connector.mapping.documents.reading import did_you_mean
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule

_SELF = "self"


@dataclass(frozen=True)
class RowOf:
    """The row is the one that `mapping` has for the record that `via` leads to."""

    mapping: str
    via: str
    object: str


def row_of(scene: Scene) -> RowOf | None:
    """Whose row a document joins, with every problem noted."""
    spec = scene.document.row_of
    if spec is None:
        return None
    _alone(scene)
    other = scene.others.get(spec.mapping)
    if other is None:
        if scene.others:
            hint = did_you_mean(spec.mapping, scene.others)
            _note(scene, f"there is no mapping {spec.mapping!r}", hint)
        return RowOf(spec.mapping, spec.via or _SELF, scene.document.to)
    _fits(scene, spec, other)
    _written_elsewhere(scene, spec, other)
    return RowOf(spec.mapping, _relation(scene, spec, other), scene.document.to)


def _note(scene: Scene, message: str, hint: str = "", key: str = "mapping") -> None:
    scene.problem(("row_of", key), message, hint, rule=Rule.ROW_OF)


def _alone(scene: Scene) -> None:
    """What is about making or finding a row says nothing where another mapping does that."""
    document = scene.document
    said = {
        "match": bool(document.match),
        "adopt": document.adopt is not None,
        "create": document.create is not Create.LINE,
        "owner": document.owner is not None,
        "record_type": document.record_type is not None,
        "assignment_rule": document.assignment_rule,
        "atomic": document.atomic,
        "parents": bool(document.parents),
        "on_delete": document.on_delete is not OnDelete.UNPAIR,
    }
    for key, is_said in said.items():
        if is_said:
            message = "the row is made by another mapping, which decides this"
            scene.problem((key,), message, "take it out", key=True, rule=Rule.ROW_OF)
    for at, line in enumerate(document.fields):
        written_once = line.write is Write.CREATE or (
            line.write is None and line.constant is not None
        )
        if line.direction is not Direction.FROM_SALESFORCE and written_once:
            message = "is written to new rows only, and this mapping makes none"
            hint = "give the line write: change or write: blank"
            scene.problem(("fields", at), message, hint, rule=Rule.ROW_OF)


def _fits(scene: Scene, spec: RowOfSpec, other: MappingDocument) -> None:
    if other.to != scene.document.to:
        _note(scene, f"{spec.mapping} makes {other.to} rows, not {scene.document.to} rows")
    if other.row_of is not None:
        _note(scene, f"{spec.mapping} joins the row of {other.row_of.mapping}: name that one")
    if scene.document.enabled and not other.enabled:
        _note(scene, f"{spec.mapping} is disabled, so there is no row to join")


def _relation(scene: Scene, spec: RowOfSpec, other: MappingDocument) -> str:
    """The relation that leads to the other mapping's record."""
    fitting = [name for name, kind in scene.schema.relations.items() if kind == other.from_]
    if other.from_ == scene.document.from_:
        fitting.append(_SELF)
    if spec.via is None and len(fitting) == 1:
        return fitting[0]
    if spec.via is not None and spec.via in fitting:
        return spec.via
    kind, target = scene.document.from_, other.from_
    if spec.via is not None:
        message, key = f"{spec.via!r} does not lead from a {kind} to a {target}", "via"
    else:
        ways = " or ".join(fitting)
        message, key = f"from a {kind} {ways or 'nothing'} leads to a {target}", "mapping"
    _note(scene, message, did_you_mean(spec.via or "", fitting) if fitting else "", key)
    return spec.via or _SELF


def _written_elsewhere(scene: Scene, spec: RowOfSpec, other: MappingDocument) -> None:
    """Of all that write one row each field is written by one; of two that join, the later is told."""
    writers = {spec.mapping: other} | {
        name: document
        for name, document in scene.others.items()
        if name < scene.read.name
        and document.enabled
        and document.row_of is not None
        and document.row_of.mapping == spec.mapping
    }
    taken = {field.lower(): name for name, each in writers.items() for _, field in _written(each)}
    for at, field in _written(scene.document):
        if field.lower() in taken:
            message = f"{taken[field.lower()]} writes {field} of the same row"
            hint = "take it out of one of them"
            scene.problem(("fields", at, "salesforce"), message, hint, rule=Rule.ROW_OF)


def _written(document: MappingDocument) -> Iterator[tuple[int, str]]:
    for at, line in enumerate(document.fields):
        if line.direction is not Direction.FROM_SALESFORCE:
            for field in line.salesforce:
                yield at, field
