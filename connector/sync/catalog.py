"""The live documents, compiled: which mappings there are for a kind, an object, a name, and whose org."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from connector.domain.records import RecordSchema
from connector.mapping.documents.forms import CompiledForm, kinds
from connector.mapping.loader import load
from connector.mapping.messaging.notices import CompiledNotices
from connector.mapping.parts.children import Child
from connector.mapping.parts.compiled import CompiledMapping
from connector.mapping.schema import ObjectSchema, from_json
from connector.store.tables import CachedSchema, Org, Published

log = structlog.get_logger()


@dataclass(frozen=True)
class Catalog:
    """Everything admins have published, ready to run."""

    mappings: Mapping[str, CompiledMapping]
    notices: CompiledNotices
    stamp: tuple[object, ...]
    schemas: Mapping[str, ObjectSchema] = field(default_factory=dict)
    forms: Mapping[str, CompiledForm] = field(default_factory=dict)
    org_id: str = ""  # of the org that the database is bound to

    @cached_property
    def kinds(self) -> Mapping[str, RecordSchema]:
        """Every record kind: those of the starter set and those of live forms."""
        return kinds(self.forms)

    @cached_property
    def by_kind(self) -> Mapping[str, tuple[CompiledMapping, ...]]:
        """The enabled mappings of each record kind, parents before children."""
        return _grouped(self.mappings, "kind")

    @cached_property
    def by_object(self) -> Mapping[str, tuple[CompiledMapping, ...]]:
        """The enabled mappings of each Salesforce object."""
        return _grouped(self.mappings, "object")

    @cached_property
    def children(self) -> Mapping[str, tuple[tuple[str, Child], ...]]:
        """For an object, the enabled mappings that read its rows as children of their own."""
        found: dict[str, list[tuple[str, Child]]] = {}
        for mapping in self.mappings.values():
            for child in mapping.children if mapping.enabled else ():
                found.setdefault(child.object, []).append((mapping.name, child))
        return {name: tuple(each) for name, each in found.items()}

    @cached_property
    def followers(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """For a kind, the (kind, relation) pairs whose mappings read its values by dotted path."""
        found: dict[str, set[tuple[str, str]]] = {}
        for mapping in self.mappings.values():
            for relation, target in mapping.dotted_relations.items():
                found.setdefault(target, set()).add((mapping.kind, relation))
        return {kind: frozenset(pairs) for kind, pairs in found.items()}


def _grouped(
    mappings: Mapping[str, CompiledMapping], by: str
) -> Mapping[str, tuple[CompiledMapping, ...]]:
    found: dict[str, list[CompiledMapping]] = {}
    for mapping in mappings.values():
        if mapping.enabled:
            found.setdefault(getattr(mapping, by), []).append(mapping)
    return {key: tuple(group) for key, group in found.items()}


class Catalogs:
    """Hands out the live catalog, compiled anew only when something was published."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: Catalog | None = None

    def live(self, session: Session) -> Catalog:
        """The catalog as this transaction sees it."""
        stamp = tuple(session.execute(_STAMP).one())
        last = self._last
        if last is not None and last.stamp == stamp:
            return last
        with self._lock:
            if self._last is None or self._last.stamp != stamp:
                self._last = _compile(session, stamp)
            return self._last


def _compile(session: Session, stamp: tuple[object, ...]) -> Catalog:
    """Compile what is live; it was checked when it was published, so what is left compiles."""
    live = session.scalars(sa.select(Published).where(Published.live)).all()
    texts = {row.path: row.text for row in live}
    versions = {row.path: row.id for row in live}
    schemas = cached_schemas(session)
    documents = load(texts, schemas or None, versions)
    for problem in documents.problems:
        log.error("published document", problem=str(problem))
    org_id = str(stamp[-1] or "")
    return Catalog(documents.mappings, documents.notices, stamp, schemas, documents.forms, org_id)


def cached_schemas(session: Session) -> dict[str, ObjectSchema]:
    """What `describe` said of each mapped object, as last asked."""
    rows = session.scalars(sa.select(CachedSchema)).all()
    return {row.object: from_json(row.body) for row in rows}


_STAMP = sa.select(
    sa.select(sa.func.max(Published.id)).scalar_subquery(),
    sa.select(sa.func.count()).where(Published.live).scalar_subquery(),
    sa.select(sa.func.max(CachedSchema.fetched_at)).scalar_subquery(),
    sa.select(Org.organization_id).limit(1).scalar_subquery(),
)
