"""Files of a record that follow it to Salesforce: which ones, under which title, shown on which rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connector.domain.records import ValueType
from connector.mapping.documents.document import FilesSpec
from connector.mapping.documents.places import Path
from connector.mapping.documents.reading import did_you_mean
from connector.mapping.expressions.cel import CheckedExpression
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule
from connector.mapping.words import kind_named

SELF = "self"


@dataclass(frozen=True)
class Attached:
    """Files of one sort. They belong to the mapping's own row; `links` are the further rows that show
    them, each a parent field of the mapping or another mapping of the same record.
    """

    line: str
    title: CheckedExpression | None
    links: tuple[str, ...]


def compile_files(
    scene: Scene, expression: Callable[[str, Path], CheckedExpression | None]
) -> Iterator[Attached]:
    """What a document says under `files`, with every problem noted."""
    known = scene.schema.files
    seen: set[str] = set()
    for at, spec in enumerate(scene.document.files):
        if spec.line not in known:
            message = f"a {scene.document.from_} has no files {spec.line!r}"
            hint = did_you_mean(spec.line, known)
            scene.problem(("files", at, "line"), message, hint, rule=Rule.FILES)
        elif spec.line in seen:
            scene.problem(("files", at, "line"), f"{spec.line} is given twice", rule=Rule.FILES)
        seen.add(spec.line)
        title = _title(scene, at, spec, expression)
        yield Attached(spec.line, title, tuple(_links(scene, at, spec)))


def _title(
    scene: Scene,
    at: int,
    spec: FilesSpec,
    expression: Callable[[str, Path], CheckedExpression | None],
) -> CheckedExpression | None:
    if spec.title is None:
        return None
    compiled = expression(spec.title, ("files", at, "title"))
    if compiled is not None and compiled.returns not in (ValueType.TEXT, None):
        scene.problem(
            ("files", at, "title"),
            f"must come to a text, not to {kind_named(compiled.returns)}",
            rule=Rule.FILES,
        )
    return compiled


def _links(scene: Scene, at: int, spec: FilesSpec) -> Iterator[str]:
    kind = scene.document.from_
    mates = [
        name
        for name, other in scene.others.items()
        if other.from_ == kind and name != scene.read.name
    ]
    known = [SELF, *scene.document.parents, *mates]
    for name in dict.fromkeys(spec.link):
        alone = not scene.others and "-" in name  # other mappings are not known then
        if name not in known and not alone:
            message = f"{name!r} is neither self, nor a parent, nor another mapping of a {kind}"
            scene.problem(
                ("files", at, "link"), message, did_you_mean(name, known), rule=Rule.FILES
            )
        elif name != SELF:
            yield name
