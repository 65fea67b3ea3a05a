"""Which mappings of one record make their rows together: atomic ones and their `self` parents."""

from __future__ import annotations

from collections.abc import Mapping

from connector.domain.lines import Lane
from connector.mapping.documents.document import MappingDocument
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule


def mates_of(name: str, documents: Mapping[str, MappingDocument]) -> tuple[str, ...]:
    """The other enabled mappings that this one's new rows stand or fall with."""
    ties = _ties(documents)
    tied, reached = {name}, {name}
    while reached:
        reached = {other for tie in ties if reached & tie for other in tie} - tied
        tied |= reached
    return tuple(sorted(tied - {name}))


def self_parents(name: str, documents: Mapping[str, MappingDocument]) -> frozenset[str]:
    """The mappings of the same record whose rows this one's row names."""
    document = documents[name]
    found: set[str] = set()
    for field, spec in document.parents.items():
        if spec.via != "self":
            continue
        for other, mapped in documents.items():
            same_record = other != name and mapped.enabled and mapped.from_ == document.from_
            named = other == spec.mapping if spec.mapping else field == f"{mapped.to}Id"
            if same_record and named:
                found.add(other)
    return frozenset(found)


def check(scene: Scene) -> None:
    """Note what an atomic mapping lacks, or cannot be beside."""
    document, documents = scene.document, scene.documents
    if not document.atomic:
        return
    if not any(spec.via == "self" for spec in document.parents.values()):
        message = "nothing is made together with this row"
        scene.problem(
            ("atomic",), message, "name the other row as a parent with via: self", rule=Rule.ATOMIC
        )
        return
    parents = self_parents(scene.read.name, documents)
    if not parents and scene.others:
        message = "it is not clear which mapping makes the row of the self parent"
        scene.problem(
            ("atomic",), message, "name it with mapping: at that parent", rule=Rule.ATOMIC
        )
    for name in sorted({scene.read.name, *mates_of(scene.read.name, documents)}):
        if documents[name].lane is Lane.BULK:
            message = f"{name} goes in the bulk lane, whose rows cannot be made together"
            scene.problem(("atomic",), message, "give it lane: normal or urgent", rule=Rule.ATOMIC)
        elif documents[name].lane is not document.lane:
            message = f"{name} goes in the lane {documents[name].lane}, this one in {document.lane}"
            scene.problem(("atomic",), message, "give both the same lane", rule=Rule.ATOMIC)


def _ties(documents: Mapping[str, MappingDocument]) -> frozenset[frozenset[str]]:
    """Atomic mappings with their parents, and these with theirs: nothing comes between two of a bond."""
    ties: set[frozenset[str]] = set()
    children = {name for name, each in documents.items() if each.enabled and each.atomic}
    seen: set[str] = set()
    while children:
        seen |= children
        found = {child: self_parents(child, documents) for child in children}
        ties |= {frozenset({child, up}) for child, ups in found.items() for up in ups}
        children = {up for ups in found.values() for up in ups} - seen
    return frozenset(ties)
