"""The fields and objects that administrators made or removed, over those that the org began with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from simulator.salesforce.schema import ObjectType, Schema, make_field, make_object

# {"object", "field"?, "definition"}: the definition as in `objects/*.yaml`, null where removed.
Change = Mapping[str, Any]
Key = tuple[str, str]


class Customizations:
    """Changes of a schema, which can be listed, undone and made again after a restart."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._first = dict(schema.objects)
        self._changes: dict[Key, Change] = {}

    @property
    def is_empty(self) -> bool:
        """Whether the schema is the one the org began with."""
        return not self._changes

    def apply(self, changes: Sequence[Change]) -> set[str]:
        """Make changes, in order; the names of the objects they touch."""
        objects = dict(self._schema.objects)
        for change in changes:
            changed(objects, change)
            self._note(change)
        self._schema.replace_objects(objects)
        return {change["object"] for change in changes}

    def _note(self, change: Change) -> None:
        """Keep the last change of each thing; what was made and removed again leaves nothing."""
        name, field = change["object"], change.get("field")
        if change["definition"] is not None or self._is_first(name, field):
            self._changes[name, field or ""] = change
            return
        gone = [key for key in self._changes if key[0] == name and field in {None, key[1]}]
        for key in gone:
            del self._changes[key]

    def _is_first(self, name: str, field: str | None) -> bool:
        return name in self._first and (field is None or field in self._first[name].fields)

    def changes(self) -> Iterator[Change]:
        """The changes that lead from the first schema to this one."""
        yield from self._changes.values()

    def clear(self) -> None:
        """Go back to the schema the org began with."""
        self._changes.clear()
        self._schema.replace_objects(self._first)


def changed(objects: dict[str, ObjectType], change: Change) -> None:
    """Make one change in a table of objects."""
    name, field, definition = change["object"], change.get("field"), change["definition"]
    if field is None:
        if definition is None:
            del objects[name]
        else:
            kept = objects[name].fields if name in objects else {}
            made = make_object(name, definition)
            custom = {each: known for each, known in kept.items() if known.is_custom}
            objects[name] = replace(
                made, fields={**made.fields, **custom}, own_fields=(*made.own_fields, *custom)
            )
        return
    kind = objects[name]
    fields = {each: known for each, known in kind.fields.items() if each != field}
    own = [each for each in kind.own_fields if each != field]
    if definition is not None:
        fields[field] = make_field(field, definition)
        own.append(field)
    objects[name] = replace(kind, fields=fields, own_fields=tuple(own))
