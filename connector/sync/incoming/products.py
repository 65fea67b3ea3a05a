"""A product by its SKU: known, or asked of the org once and taken over like a polled row."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connector.domain.identifiers import uuid7
from connector.domain.lines import Lane
from connector.domain.records import Kind
from connector.domain.states import InboxState, Ledger
from connector.domain.values import Fields, storable
from connector.errors import ConnectorError
from connector.mapping.parts.compiled import KEY_FIELD, CompiledMapping
from connector.salesforce import soql
from connector.salesforce.gateway import Gateway
from connector.store.session import Store
from connector.store.tables import Pair, Received, Record, Source
from connector.sync import effects
from connector.sync.catalog import Catalogs
from connector.sync.incoming import inbound
from connector.sync.incoming.intake import scene_for

_SKU = "sku"


class UnknownProduct(ConnectorError):
    """Neither we nor the org know a product with this SKU."""

    def __init__(self, sku: str) -> None:
        super().__init__(
            "unknown_product",
            f"there is no product {sku!r}",
            "Create it in Salesforce with this Product Code, or correct the SKU.",
        )


class InactiveProduct(ConnectorError):
    """The product is not sold any more."""

    def __init__(self, sku: str) -> None:
        super().__init__(
            "inactive_product",
            f"the product {sku!r} is not active",
            "Tick Active on the product in Salesforce, or choose another SKU.",
        )


def product_by_sku(store: Store, catalogs: Catalogs, gateway: Gateway, sku: str) -> Record:
    """The active product with this SKU; one that is unknown or not active is asked of the org."""
    with store.reading() as session:
        known = _known(session, sku)
        mapping = _mapping(catalogs, session)
        noted = session.scalar(sa.text("SELECT last_value FROM pair_epoch")) or 0
    if known is None or known.values.get("active") is not True:
        row = _ask(gateway, mapping, sku)
        known = _take_over(store, catalogs, mapping, row, noted, sku) if row else known
    if known is None:
        raise UnknownProduct(sku)
    if known.values.get("active") is not True:
        raise InactiveProduct(sku)
    return known


def salesforce_id_of(store: Store, product: Record) -> str | None:
    """The Id of the product's row in the org."""
    here = sa.select(Pair.salesforce_id).where(
        Pair.record_id == product.id, Pair.salesforce_id.is_not(None)
    )
    with store.reading() as session:
        return session.scalar(here.order_by(Pair.id.desc()).limit(1))


def _known(session: Session, sku: str) -> Record | None:
    here = sa.select(Record).where(
        Record.kind == Kind.PRODUCT, Record.values[_SKU].as_string() == sku
    )
    return session.scalars(here).one_or_none()


def _mapping(catalogs: Catalogs, session: Session) -> CompiledMapping:
    for mapping in catalogs.live(session).by_kind.get(Kind.PRODUCT, ()):
        if any(line.source == _SKU for line in mapping.inbound):
            return mapping
    raise ConnectorError(
        "no_product_mapping",
        "no live mapping says where products come from",
        "Publish one that fills `sku`: connector mappings publish",
    )


def _ask(gateway: Gateway, mapping: CompiledMapping, sku: str) -> Fields | None:
    """The row whose SKU this is to the letter: the org compares without regard to case."""
    field = next(line.fields[0] for line in mapping.inbound if line.source == _SKU)
    names = ("Id", "SystemModstamp", KEY_FIELD, *mapping.read_fields)
    where = f"{soql.name(field)} = {soql.quoted(sku)}"
    fits = [
        row
        for row in gateway.query(soql.select(names, mapping.object, where))
        if row.get(field) == sku
    ]
    if len(fits) > 1:
        raise ConnectorError(
            "several_products",
            f"{len(fits)} products of the org have the Product Code {sku!r}",
            "Give each its own Product Code in Salesforce.",
        )
    return fits[0] if fits else None


def _take_over(
    store: Store, catalogs: Catalogs, mapping: CompiledMapping, row: Fields, noted: int, sku: str
) -> Record | None:
    try:
        with store.transaction() as session:
            received = _received(mapping, row, noted)
            session.add(received)
            session.flush()
            scene = scene_for(session, catalogs, received.at, (received.id,), "salesforce")
            received.verdict = inbound.read(scene, received)
            received.state = InboxState.DONE
            effects.reckon(session, (received.id,))
    except IntegrityError:  # the stream reader's row of it came in between: that one stands
        pass
    with store.reading() as session:
        return _known(session, sku)


def _received(mapping: CompiledMapping, row: Fields, noted: int) -> Received:
    body = storable(dict(row))
    return Received(
        source=Source.OPERATOR,
        kind=mapping.object,
        dedupe_key=f"{mapping.object}:{row['Id']}:{uuid7()}",
        subject=str(row["Id"]),
        body=body if isinstance(body, dict) else {},
        at=datetime.fromisoformat(str(row["SystemModstamp"])),
        noted=noted,
        lane=Lane.URGENT,
        state=InboxState.CLAIMED,
        ledger=Ledger.IN_FLIGHT,
    )
