"""Which fields of the org the live mappings read, by object."""

from __future__ import annotations

from connector.salesforce.planner import KEY_FIELD
from connector.sync.catalog import Catalog
from connector.sync.pairs import identity


def polled_fields(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """The objects to read changes of, each with the fields that live mappings read of it."""
    found: dict[str, dict[str, None]] = {}
    for name, mappings in catalog.by_object.items():
        if any(mapping.inbound or mapping.marks for mapping in mappings):
            keyed = any(mapping.create != "salesforce" for mapping in mappings)
            fields = found.setdefault(name, {KEY_FIELD: None} if keyed else {})
            fields.update(dict.fromkeys(identity.fields_of(name)))
            for mapping in mappings:
                fields.update(dict.fromkeys(mapping.read_fields))
    for name, children in catalog.children.items():
        fields = found.setdefault(name, {})
        fields.update(dict.fromkeys(identity.fields_of(name)))
        for _, child in children:
            fields.update(dict.fromkeys(child.told_fields))
    return {name: tuple(fields) for name, fields in sorted(found.items())}
