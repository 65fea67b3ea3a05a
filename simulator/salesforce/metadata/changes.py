"""What a deployment would change: its components checked one after the other against the org.

First everything is staged, then all of it is carried out; so a component may name another one of
the same deployment, and a refused deployment leaves no trace. Wordings of problems are [K].
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.salesforce.ids import ALPHABET, mint
from simulator.salesforce.metadata.customizations import Change, changed
from simulator.salesforce.metadata.fields import Unfit, definition_of
from simulator.salesforce.metadata.package import FIELD, Component, Package
from simulator.salesforce.metadata.permissionsets import Grants, grants_of
from simulator.salesforce.schema import ObjectType, make_field

PREFIXES = {"CustomField": "00N", "CustomObject": "01I", "PermissionSet": "0PS"}
# Objects first, since fields hang on them; permission sets name both.
ORDER = ("CustomObject", "CustomField", "PermissionSet")
OBJECT_SUFFIX = "__c"
NAME_LENGTH = 80
ERROR, WARNING = "Error", "Warning"


@dataclass(slots=True)
class Outcome:
    """What becomes of one component."""

    component: Component
    created: bool = False
    changed: bool = False
    deleted: bool = False
    problem: str | None = None
    problem_type: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether the component was refused."""
        return self.problem_type == ERROR


class Stage:
    """The org as a deployment would leave it."""

    def __init__(self, objects: Mapping[str, ObjectType], permission_sets: Iterable[str]) -> None:
        self.objects = dict(objects)
        self.changes: list[Change] = []
        self.grants: list[Grants] = []
        self.dropped_sets: list[str] = []
        self._sets = set(permission_sets)

    def outcomes(self, package: Package) -> list[Outcome]:
        """Check every component, in the order in which they build on each other."""
        missing = [
            Outcome(each, problem=_not_in_zip(each), problem_type=ERROR) for each in package.missing
        ]
        unnamed = [
            Outcome(each, problem=_not_in_manifest(each), problem_type=WARNING)
            for each in package.unnamed
        ]
        return [*missing, *unnamed, *map(self.staged, _in_order(package.components))]

    def staged(self, component: Component) -> Outcome:
        """Check one component and stage it."""
        outcome = Outcome(component)
        steps = REMOVALS if component.removed else STEPS
        step = steps.get(component.type)
        try:
            if step is None:
                raise Unfit(f"Entity type: '{component.type}' is unknown")
            step(self, outcome)
        except Unfit as problem:
            outcome.problem, outcome.problem_type = str(problem), ERROR
        return outcome

    def put_object(self, outcome: Outcome) -> None:
        """Make or change an object; of a standard one nothing but its fields is kept."""
        name, told = outcome.component.name, outcome.component.content
        known = self.objects.get(name)
        if not name.endswith(OBJECT_SUFFIX):
            if known is None:
                raise Unfit(f"Entity of type 'CustomObject' named '{name}' cannot be found")
            return
        definition = self._object(name, told, known)
        outcome.created = known is None
        outcome.changed = known is None or (known.label, known.plural) != (
            definition["label"],
            definition["plural"],
        )
        if outcome.changed:
            self._change({"object": name, "definition": definition})

    def put_field(self, outcome: Outcome) -> None:
        """Make or change a field."""
        name, _, field_name = outcome.component.name.partition(".")
        kind = self.objects.get(name)
        if kind is None:
            raise Unfit(
                f"Entity Enumeration Or ID: bad value for restricted picklist field: {name}"
            )
        if not field_name.endswith(OBJECT_SUFFIX):
            outcome.changed = False
            return
        definition = definition_of(field_name, outcome.component.content)
        unknown = [each for each in definition.get("to", ()) if each not in self.objects]
        if unknown:
            raise Unfit(
                f"referenceTo value of '{unknown[0]}' does not resolve to a valid sObject type"
            )
        if "to" in definition:
            definition["relationship"] = field_name.removesuffix("__c") + "__r"
        known, wanted = kind.fields.get(field_name), make_field(field_name, definition)
        if known is not None and known.type != wanted.type:
            raise Unfit("Cannot change the type of this field while it is in use")
        outcome.created, outcome.changed = known is None, known != wanted
        if outcome.changed:
            self._change({"object": name, "field": field_name, "definition": definition})

    def put_permission_set(self, outcome: Outcome) -> None:
        """Make or overwrite a permission set."""
        name = outcome.component.name
        self.grants.append(grants_of(name, outcome.component.content, self.objects))
        outcome.created, outcome.changed = name not in self._sets, True
        self._sets.add(name)

    def drop_object(self, outcome: Outcome) -> None:
        """Remove an object, its fields and its rows."""
        name = outcome.component.name
        if not name.endswith(OBJECT_SUFFIX) or name not in self.objects:
            _nothing_to_drop(outcome)
            return
        self._change({"object": name, "definition": None})
        outcome.deleted = outcome.changed = True

    def drop_field(self, outcome: Outcome) -> None:
        """Remove a field; what rows held in it is not seen any more."""
        name, _, field_name = outcome.component.name.partition(".")
        kind = self.objects.get(name)
        if kind is None or not field_name.endswith(OBJECT_SUFFIX) or field_name not in kind.fields:
            _nothing_to_drop(outcome)
            return
        self._change({"object": name, "field": field_name, "definition": None})
        outcome.deleted = outcome.changed = True

    def drop_permission_set(self, outcome: Outcome) -> None:
        """Remove a permission set with its grants and assignments."""
        if outcome.component.name not in self._sets:
            _nothing_to_drop(outcome)
            return
        self._sets.discard(outcome.component.name)
        self.dropped_sets.append(outcome.component.name)
        outcome.deleted = outcome.changed = True

    def _object(
        self, name: str, told: Mapping[str, Any], known: ObjectType | None
    ) -> dict[str, Any]:
        for key in ("label", "pluralLabel", "nameField", "sharingModel"):
            if not told.get(key):
                raise Unfit(f"Must specify '{key}' for CustomObject {name}")
        names: dict[str, Any] = {"type": "string", "length": NAME_LENGTH, "name_field": True}
        names["label"] = told["nameField"].get("label") or "Name"
        if told["nameField"].get("type") == "AutoNumber":
            names |= {"access": "read", "auto_number": True}
        else:
            names["defaulted"] = True
        owner = {"type": "reference", "label": "Owner ID", "to": ["Group", "User"]}
        return {
            "label": told["label"],
            "plural": told["pluralLabel"],
            "prefix": known.prefix if known else self._free_prefix(),
            "fields": {
                "OwnerId": {**owner, "relationship": "Owner", "defaulted": True},
                "Name": names,
            },
        }

    def _free_prefix(self) -> str:
        used = {kind.prefix for kind in self.objects.values()}
        return next(
            prefix
            for middle in ALPHABET
            for last in ALPHABET
            if (prefix := f"a{middle}{last}") not in used
        )

    def _change(self, change: Change) -> None:
        changed(self.objects, change)
        self.changes.append(change)


STEPS: Mapping[str, Callable[[Stage, Outcome], None]] = {
    "CustomObject": Stage.put_object,
    "CustomField": Stage.put_field,
    "PermissionSet": Stage.put_permission_set,
}
REMOVALS: Mapping[str, Callable[[Stage, Outcome], None]] = {
    "CustomObject": Stage.drop_object,
    "CustomField": Stage.drop_field,
    "PermissionSet": Stage.drop_permission_set,
}


def component_id(type_: str, name: str) -> str:
    """The id of a component, the same as long as its name is."""
    return mint(PREFIXES.get(type_, "0Mt"), zlib.crc32(f"{type_}:{name}".lower().encode()))


def _in_order(components: Iterable[Component]) -> Iterator[Component]:
    def place(component: Component) -> tuple[bool, int]:
        known = component.type in ORDER
        at = ORDER.index(component.type) if known else len(ORDER)
        return component.removed, -at if component.removed else at

    yield from sorted(components, key=place)


def _nothing_to_drop(outcome: Outcome) -> None:
    component = outcome.component
    outcome.problem = f"No {component.type} named: {component.name} found"
    outcome.problem_type = WARNING


def _not_in_zip(component: Component) -> str:
    return (
        f"An object '{component.name}' of type {component.type} was named in package.xml, "
        "but was not found in zipped directory"
    )


def _not_in_manifest(component: Component) -> str:
    what = "object" if component.type != FIELD else "field"
    return (
        f"The {what} '{component.name}' of type {component.type} was found in zipped directory, "
        "but is not named in package.xml"
    )
