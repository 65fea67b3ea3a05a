"""The versions of the documents: what was live when, and how an earlier one comes back.

Nothing published is ever changed: what is brought back becomes a new version, checked against the org
like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from connector.errors import ConnectorError
from connector.store.tables import Published
from connector.sync.live.publishing import (
    Publication,
    live_set,
    live_texts,
    publish_from_org,
    versions_of,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from connector.salesforce.gateway import Gateway
    from connector.store.session import Store


class UnknownVersion(ConnectorError):
    """No document was ever published under that number."""

    def __init__(self, number: int) -> None:
        super().__init__(
            "unknown_version",
            f"there is no version {number}",
            "See the versions with: connector mappings history",
        )


class NothingPublished(ConnectorError):
    """A moment before the first version."""

    def __init__(self, at: datetime) -> None:
        super().__init__(
            "nothing_published",
            f"nothing was live at {at:%Y-%m-%d %H:%M:%S %Z}",
            "Name a later moment; connector mappings history shows when each version came.",
        )


@dataclass(frozen=True)
class Edition:
    """A set of documents under the name that a person would give it."""

    name: str
    texts: Mapping[str, str]


def version(session: Session, number: int) -> Published:
    """One version of one document."""
    row = session.get(Published, number)
    if row is None:
        raise UnknownVersion(number)
    return row


def set_at(session: Session, at: datetime) -> dict[str, str]:
    """The documents that were live at a moment."""
    newest = sa.select(sa.func.max(Published.id)).where(Published.at <= at).group_by(Published.path)
    rows = session.scalars(sa.select(Published).where(Published.id.in_(newest)))
    texts = {row.path: row.text for row in rows if row.text}
    if not texts:
        raise NothingPublished(at)
    return texts


def set_of(session: Session, number: int) -> dict[str, str]:
    """The documents that were live once a version was, with all that was published together with it."""
    return set_at(session, version(session, number).at)


def editions(session: Session, one: int, other: int) -> tuple[Edition, Edition]:
    """Two versions of one document; of two documents, the sets that came with them."""
    rows = [version(session, number) for number in (one, other)]
    if rows[0].path == rows[1].path:
        before, after = (Edition(f"version {row.id}", _texts(row)) for row in rows)
    else:
        before, after = (Edition(f"version {row.id}", set_at(session, row.at)) for row in rows)
    return before, after


def beside_live(session: Session, number: int) -> tuple[Edition, Edition]:
    """One version of a document, and what is live of that document."""
    row = version(session, number)
    live = live_texts(session)
    now = {row.path: live[row.path]} if row.path in live else {}
    return Edition(f"version {row.id}", _texts(row)), Edition("live", now)


def live(session: Session) -> Edition:
    """The live documents."""
    return Edition("live", live_texts(session))


def roll_back(store: Store, gateway: Gateway, number: int, author: str, reason: str) -> Publication:
    """Make a document as of a version live again, and leave the others as they are."""
    with store.reading() as session:
        row = version(session, number)
        live = live_set(session)
    others = {path: each.text for path, each in live.items() if path != row.path}
    told = f"rollback to {number}: {reason}"
    texts = {**others, **_texts(row)}
    return publish_from_org(store, gateway, texts, author, told, versions_of(live))


def roll_back_all(
    store: Store, gateway: Gateway, to: int | datetime, author: str, reason: str
) -> Publication:
    """Make the whole set live again as it was right after a version, or at a moment."""
    with store.reading() as session:
        texts = set_of(session, to) if isinstance(to, int) else set_at(session, to)
    named = f"version {to}" if isinstance(to, int) else f"{to:%Y-%m-%d %H:%M:%S %Z}"
    told = f"rollback of everything to {named}: {reason}"
    return publish_from_org(store, gateway, texts, author, told)


def _texts(row: Published) -> dict[str, str]:
    return {row.path: row.text} if row.text else {}
