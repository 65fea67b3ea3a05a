"""Make ready to run: bind the database to its org, publish the starter set once, know the official accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from connector.errors import ConnectorError
from connector.line.accounts import OfficialAccount
from connector.mapping.loader import load, read_folder
from connector.salesforce.gateway import Gateway
from connector.store.session import Store
from connector.store.tables import LineAccount, Org, Published
from connector.sync.live import publishing


class AnotherOrg(ConnectorError):
    """The database belongs to one org, and the settings lead to another (a restored sandbox, say)."""

    def __init__(self, bound: str, found: str) -> None:
        super().__init__(
            "another_org",
            f"this database is bound to org {bound}, but the settings sign in to {found}",
            "Check CONNECTOR_SALESFORCE_LOGIN_URL; nothing is written until they are the same org.",
        )


def bind_org(store: Store, organization_id: str) -> None:
    """Bind the database to its org, or raise `AnotherOrg`."""
    with store.transaction() as session:
        bound = session.scalar(sa.select(Org.organization_id).limit(1))
        if bound is None:
            session.add(Org(organization_id=organization_id))
        elif bound != organization_id:
            raise AnotherOrg(bound, organization_id)


def know_accounts(store: Store, accounts: Sequence[OfficialAccount]) -> None:
    """A row for each official account, for its quota and whether sending rests."""
    if not accounts:
        return
    rows = [{"oa": account.bot_user_id} for account in accounts]
    with store.transaction() as session:
        session.execute(insert(LineAccount).values(rows).on_conflict_do_nothing())


def prepare(
    store: Store, gateway: Gateway, accounts: Sequence[OfficialAccount], starter: Path
) -> publishing.Publication | None:
    """Everything but the migrations; the starter set is published only where nothing ever was."""
    bind_org(store, gateway.organization_id())
    know_accounts(store, accounts)
    with store.reading() as session:
        published = session.scalar(sa.select(sa.func.count()).select_from(Published)) or 0
        texts: Mapping[str, str] = publishing.live_texts(session)
    if published:
        schemas = publishing.fetch_schemas(gateway, load(texts))
        with store.transaction() as session:
            publishing.keep_schemas(session, schemas)
        return None
    return publishing.publish_from_org(
        store, gateway, read_folder(starter), "connector", "starter set"
    )
