"""What one mapping, live or not yet, makes of one record: both ways, line by line; nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import PairState
from connector.domain.values import Fields, Value
from connector.errors import ConnectorError
from connector.mapping.documents.reading import MappingProblems, did_you_mean
from connector.mapping.loader import Documents, load
from connector.mapping.parts.children import own_fields
from connector.mapping.parts.compiled import CompiledMapping
from connector.mapping.parts.tracing import Trace, trace
from connector.mapping.schema import ObjectSchema
from connector.planning.samples import read_sample
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.store.session import Store
from connector.store.tables import Pair, Record
from connector.sync import views
from connector.sync.catalog import Catalog, cached_schemas
from connector.sync.desk import explain
from connector.sync.desk.explain import Filter, Kin
from connector.sync.finding import find
from connector.sync.live.publishing import described
from connector.sync.pairs import children, weighing


class RowSource(StrEnum):
    """Where the fields of the way back come from."""

    SALESFORCE = "salesforce"  # the row, read just now
    BASE = "base"  # what both sides last agreed on
    SAMPLE = "sample"
    SENT = "sent"  # there is no row: what would be sent comes back


@dataclass(frozen=True)
class Preview:
    """One mapping over one record."""

    mapping: CompiledMapping
    record: str | None  # kind:id; None for a sample
    salesforce_id: str | None
    row_from: RowSource
    filter: Filter | None
    traces: tuple[Trace, ...]
    parents: Sequence[Kin] = ()
    unread: str | None = None  # why the row could not be read


@dataclass(frozen=True)
class _Row:
    fields: Fields | None
    source: RowSource
    salesforce_id: str | None = None
    unread: str | None = None


def preview_sample(mapping: CompiledMapping, text: str, file: str) -> Preview:
    """A record that somebody wrote down; raises `MappingProblems` where it is no such record."""
    sample = read_sample(mapping, text, file)
    source = RowSource.SENT if sample.row is None else RowSource.SAMPLE
    traces = trace(mapping, sample.view, sample.row)
    held = explain.filter_of(mapping, sample.view)
    return Preview(mapping, None, None, source, held, traces)


def preview_record(
    store: Store, gateway: Gateway, mapping: CompiledMapping, reference: str
) -> Preview:
    """A record that is there, with its row as the org holds it now."""
    with store.reading() as session:
        record = find(session, reference)
        _refuse_other_kind(mapping, record)
        view, pair = views.view_of(session, record), _pair(session, mapping, record)
        relations = explain.relations_of(session, record)
        parents = explain.parents_of(session, mapping, record.id, relations)
        shown = f"{record.kind}:{record.id}"
    row = _Row(None, RowSource.SENT) if pair is None else _row(gateway, mapping, pair)
    return Preview(
        mapping,
        shown,
        row.salesforce_id,
        row.source,
        explain.filter_of(mapping, view),
        trace(mapping, view, row.fields),
        parents,
        row.unread,
    )


def drafted(store: Store, gateway: Gateway, texts: Mapping[str, str], prefix: str) -> Documents:
    """Documents that are not live, compiled against what is known of the org; new objects are asked for."""
    with store.reading() as session:
        schemas = cached_schemas(session)
    offline = load(texts)
    types = offline.record_types
    unknown = [
        name for name in offline.objects if not _is_known(schemas.get(name), types.get(name, ()))
    ]
    return load(texts, schemas | described(gateway, unknown, types), prefix=prefix)


def _is_known(schema: ObjectSchema | None, types: Collection[str]) -> bool:
    """Whether the object was described, and what these record types of it offer was asked."""
    return schema is not None and all(schema.knows(name) for name in types)


def drafted_mapping(documents: Documents, name: str) -> CompiledMapping:
    """One mapping of a draft; raises `MappingProblems` with what is wrong in its own document."""
    own = [each for each in documents.problems if each.file.endswith(f"{name}.yaml")]
    if own:
        raise MappingProblems(own)
    return _named(documents.mappings, name, "the folder")


def live_mapping(catalog: Catalog, name: str) -> CompiledMapping:
    """One mapping that is live."""
    return _named(catalog.mappings, name, "the live documents")


def _named(mappings: Mapping[str, CompiledMapping], name: str, where: str) -> CompiledMapping:
    found = mappings.get(name.removesuffix(".yaml"))
    if found is None:
        message = f"there is no mapping {name!r} in {where}"
        raise ConnectorError("unknown_mapping", message, did_you_mean(name, mappings))
    return found


def _refuse_other_kind(mapping: CompiledMapping, record: Record) -> None:
    if record.kind != mapping.kind:
        raise ConnectorError(
            "other_kind",
            f"{mapping.name} maps a {mapping.kind}, and {record.kind}:{record.id} is none",
            f"Name a {mapping.kind}, or a mapping that begins with {record.kind}-.",
        )


def _pair(session: Session, mapping: CompiledMapping, record: Record) -> Pair | None:
    """The open pair with its row; of a draft under another name, the one that goes by the same object."""
    here = sa.select(Pair).where(
        Pair.record_id == record.id,
        Pair.object == mapping.object,
        Pair.state == PairState.OPEN,
        Pair.salesforce_id.is_not(None),
    )
    first = here.order_by(Pair.mapping != mapping.name, Pair.id).limit(1)
    return session.scalars(first).one_or_none()


def _row(gateway: Gateway, mapping: CompiledMapping, pair: Pair) -> _Row:
    """The row as it is now; what was last agreed on where the org cannot be asked."""
    known, base = pair.salesforce_id or "", _from_base(mapping, pair.base)
    agreed = RowSource.BASE if base else RowSource.SENT
    inbound = (name for line in mapping.inbound for name in own_fields(line.fields))
    try:
        (row,) = gateway.read(pair.object, [known], tuple(dict.fromkeys(("Id", *inbound))))
        if row is None:
            return _Row(base, agreed, known, "the org does not show the row (deleted?)")
        return _Row({**row, **_children(gateway, mapping, known)}, RowSource.SALESFORCE, known)
    except CallFailed as failed:
        return _Row(base, agreed, known, failed.message)


def _children(gateway: Gateway, mapping: CompiledMapping, row_id: str) -> Fields:
    """What the child rows hold that count, as the lines name it."""
    found: dict[str, Value] = {}
    for child in mapping.children:
        first = next(iter(gateway.query(children.query(child, [row_id]))), {})
        found |= {child.seen_as(name): first.get(name) for name in child.fields}
    return found


def _from_base(mapping: CompiledMapping, base: Mapping[str, Value]) -> Fields:
    found: dict[str, Value] = {}
    for line in mapping.inbound:
        found |= weighing.base_of(line, base) or {}
    return found
