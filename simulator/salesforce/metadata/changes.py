"""What a deployment would change: its components checked one after the other against the org.

First everything is staged, then all of it is carried out; so a component may name another one of
the same deployment, and a refused deployment leaves no trace. Wordings of problems are [K].
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from simulator.salesforce.events.channels import Channel, ChannelChange, Channels, Member
from simulator.salesforce.metadata.channels import (
    CHANNEL,
    MEMBER,
    channel_of,
    check_selection,
    filters_by,
    member_of,
)
from simulator.salesforce.metadata.customizations import Change, changed
from simulator.salesforce.metadata.definitions import (
    EVENT_SUFFIX,
    OBJECT_SUFFIX,
    object_definition,
)
from simulator.salesforce.metadata.fields import Unfit, definition_of
from simulator.salesforce.metadata.package import FIELD, Component, Package
from simulator.salesforce.metadata.permissionsets import Grants, grants_of
from simulator.salesforce.schema import ObjectType, make_field

# Objects first, since fields hang on them; permission sets name both, channels hold objects.
ORDER = ("CustomObject", "CustomField", "PermissionSet", CHANNEL, MEMBER)
# Objects that administrators make and may remove.
MADE_HERE = (OBJECT_SUFFIX, EVENT_SUFFIX)
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
    problem_code: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether the component was refused."""
        return self.problem_type == ERROR


class Stage:
    """The org as a deployment would leave it."""

    def __init__(
        self,
        objects: Mapping[str, ObjectType],
        permission_sets: Iterable[str],
        channels: Channels,
        most_entities: int,
    ) -> None:
        self.objects = dict(objects)
        self.changes: list[Change] = []
        self.channels = channels.copy()
        self.channel_changes: list[ChannelChange] = []
        self._most_entities = most_entities
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
            outcome.problem_code = problem.code
        return outcome

    def put_object(self, outcome: Outcome) -> None:
        """Make or change an object; of a standard one nothing but its fields is kept."""
        name, told = outcome.component.name, outcome.component.content
        known = self.objects.get(name)
        if not name.endswith(MADE_HERE):
            if known is None:
                raise Unfit(f"Entity of type 'CustomObject' named '{name}' cannot be found")
            return
        definition = object_definition(name, told, (each.prefix for each in self.objects.values()))
        if known is not None:
            definition["prefix"] = known.prefix
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

    def put_channel(self, outcome: Outcome) -> None:
        """Make or change a channel."""
        name = outcome.component.name
        wanted, known = (
            channel_of(name, outcome.component.content),
            self.channels.channels.get(name),
        )
        self._put_in_channels(outcome, "channel", known, wanted)

    def put_member(self, outcome: Outcome) -> None:
        """Make or change a member of a channel."""
        name, told = outcome.component.name, outcome.component.content
        wanted = member_of(name, told, self.channels, self.objects)
        check_selection(self.channels, wanted, self._most_entities)
        self._put_in_channels(outcome, "member", self.channels.members.get(name), wanted)

    def drop_object(self, outcome: Outcome) -> None:
        """Remove an object, its fields and its rows."""
        name = outcome.component.name
        if not name.endswith(MADE_HERE) or name not in self.objects:
            _nothing_to_drop(outcome)
            return
        for member in list(self.channels.members.values()):
            if member.entity == name:
                self._change_channels({"member": member.name, "definition": None})
        self._change({"object": name, "definition": None})
        outcome.deleted = outcome.changed = True

    def drop_field(self, outcome: Outcome) -> None:
        """Remove a field; what rows held in it is not seen any more."""
        name, _, field_name = outcome.component.name.partition(".")
        kind = self.objects.get(name)
        if kind is None or not field_name.endswith(OBJECT_SUFFIX) or field_name not in kind.fields:
            _nothing_to_drop(outcome)
            return
        if filters_by(self.channels, name, field_name):
            raise Unfit(f"{name}.{field_name} is used by the filter of a channel member")
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

    def drop_channel(self, outcome: Outcome) -> None:
        """Remove a channel, which must not have members any more."""
        name = outcome.component.name
        if self.channels.members_of(name):
            raise Unfit(f"The channel {name} still has members", "DELETE_FAILED")
        self._drop(outcome, "channel", self.channels.channels)

    def drop_member(self, outcome: Outcome) -> None:
        """Remove a member of a channel."""
        self._drop(outcome, "member", self.channels.members)

    def _put_in_channels(
        self, outcome: Outcome, what: str, known: object, wanted: Channel | Member
    ) -> None:
        outcome.created, outcome.changed = known is None, known != wanted
        if outcome.changed:
            self._change_channels({what: wanted.name, "definition": asdict(wanted)})

    def _drop(self, outcome: Outcome, what: str, known: Container[str]) -> None:
        name = outcome.component.name
        if name not in known:
            _nothing_to_drop(outcome)
            return
        self._change_channels({what: name, "definition": None})
        outcome.deleted = outcome.changed = True

    def _change_channels(self, change: ChannelChange) -> None:
        self.channels.apply(change)
        self.channel_changes.append(change)

    def _change(self, change: Change) -> None:
        changed(self.objects, change)
        self.changes.append(change)


STEPS: Mapping[str, Callable[[Stage, Outcome], None]] = {
    "CustomObject": Stage.put_object,
    "CustomField": Stage.put_field,
    "PermissionSet": Stage.put_permission_set,
    CHANNEL: Stage.put_channel,
    MEMBER: Stage.put_member,
}
REMOVALS: Mapping[str, Callable[[Stage, Outcome], None]] = {
    "CustomObject": Stage.drop_object,
    "CustomField": Stage.drop_field,
    "PermissionSet": Stage.drop_permission_set,
    CHANNEL: Stage.drop_channel,
    MEMBER: Stage.drop_member,
}


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
