"""Look at both platforms now and then: what the org's objects look like, what LINE's quota says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa
import structlog

from connector.errors import ConnectorError
from connector.line.faults import LineRefused
from connector.line.sender import LineClient
from connector.salesforce import picklists
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.store.session import Store
from connector.store.tables import LineAccount
from connector.sync.catalog import cached_schemas
from connector.sync.live.publishing import keep_schemas

log = structlog.get_logger()


def refresh_schemas(store: Store, gateway: Gateway, names: Iterable[str] | None = None) -> None:
    """Describe these objects anew, all known ones by default; what cannot be asked now stays as it is."""
    with store.reading() as session:
        known = cached_schemas(session)
    wanted = known if names is None else names
    types = {name: schema.offered for name, schema in known.items()}
    try:
        fresh = {name: picklists.described(gateway, name, types.get(name, ())) for name in wanted}
    except CallFailed as failed:
        log.warning("objects not described", code=failed.fault.code)
        return
    with store.transaction() as session:
        keep_schemas(session, fresh)


def refresh_quota(store: Store, line: LineClient) -> None:
    """Note how much of its month each official account has used."""
    for oa, account in line.accounts.items():
        try:
            quota, used = line.quota(account)
        except (LineRefused, ConnectorError, OSError) as error:
            log.warning("quota not read", error=type(error).__name__)
            continue
        with store.transaction() as session:
            session.execute(
                sa.update(LineAccount)
                .where(LineAccount.oa == oa)
                .values(quota=quota, used=used, checked_at=datetime.now(UTC))
            )
