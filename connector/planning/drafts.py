"""A draft: documents that are to be live, compiled beside the ones that are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from connector.errors import ConnectorError
from connector.mapping.documents.reading import did_you_mean
from connector.mapping.loader import Documents, load, load_strictly
from connector.mapping.schema import ObjectSchema
from connector.salesforce.gateway import Gateway
from connector.store.session import Store
from connector.store.tables import Published
from connector.sync.catalog import Catalog
from connector.sync.live import publishing


@dataclass(frozen=True)
class Draft:
    """Documents as they would be live, and which of their mappings are to be looked at."""

    changes: Mapping[str, str | None]  # path: text; None for one that is to go
    live: Mapping[str, int]  # path: version, of the set beside which it was drafted
    catalog: Catalog
    mappings: tuple[str, ...]

    @property
    def objects(self) -> Collection[str]:
        """The objects of the mappings that are looked at."""
        return {self.catalog.mappings[name].object for name in self.mappings}


def draft(
    store: Store, gateway: Gateway, texts: Mapping[str, str] | None, only: Collection[str] = ()
) -> Draft:
    """Compile documents against the org; raises `MappingProblems` where any is wrong.

    Without `texts` the live ones are looked at. `only` names mappings; without it those whose
    documents differ from the live ones.
    """
    with store.reading() as session:
        live = publishing.live_set(session)
    wanted = {path: each.text for path, each in live.items()} if texts is None else dict(texts)
    schemas = publishing.fetch_schemas(gateway, load(wanted))
    documents = load_strictly(wanted, schemas)
    changes = _changes(live, wanted)
    mappings = _looked_at(documents, changes, only)
    return Draft(changes, publishing.versions_of(live), _catalog(documents, schemas), mappings)


def applied_to(live: Mapping[str, str], changes: Mapping[str, object]) -> dict[str, str]:
    """The live documents with the changes of a draft."""
    kept = {path: text for path, text in live.items() if path not in changes}
    return kept | {path: text for path, text in changes.items() if isinstance(text, str)}


def _changes(live: Mapping[str, Published], wanted: Mapping[str, str]) -> dict[str, str | None]:
    changed: dict[str, str | None] = {
        path: text for path, text in wanted.items() if path not in live or live[path].text != text
    }
    return changed | {path: None for path in live if path not in wanted}


def _catalog(documents: Documents, schemas: Mapping[str, ObjectSchema]) -> Catalog:
    return Catalog(documents.mappings, documents.notices, (), schemas, documents.forms)


def _looked_at(
    documents: Documents, changes: Mapping[str, str | None], only: Collection[str]
) -> tuple[str, ...]:
    for name in only:
        if name not in documents.mappings:
            hint = did_you_mean(name, documents.mappings)
            raise ConnectorError("unknown_mapping", f"there is no mapping {name!r}", hint)
    changed = {path.removesuffix(".yaml") for path in changes}
    wanted = set(only) or changed
    return tuple(
        name
        for name, mapping in sorted(documents.mappings.items())
        if name in wanted and mapping.enabled
    )
