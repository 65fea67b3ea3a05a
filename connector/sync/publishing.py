"""Publish documents: checked against the org, kept with who, when and why, live from then on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.mapping.loader import Documents, load, load_strictly
from connector.mapping.schema import ObjectSchema, to_json
from connector.salesforce.gateway import Gateway
from connector.store.session import Store
from connector.store.tables import CachedSchema, Published


@dataclass(frozen=True)
class Publication:
    """What publishing came to: the documents that are new or changed."""

    changed: tuple[str, ...]
    unchanged: int


def fetch_schemas(gateway: Gateway, documents: Documents) -> dict[str, ObjectSchema]:
    """Describe every object that the mappings name."""
    return {name: gateway.describe(name) for name in documents.objects}


def publish(
    store: Store,
    texts: Mapping[str, str],
    schemas: Mapping[str, ObjectSchema],
    author: str,
    reason: str,
) -> Publication:
    """Make a whole set of documents live; raises `MappingProblems` and changes nothing if any is wrong."""
    load_strictly(texts, schemas)
    with store.transaction() as session:
        keep_schemas(session, schemas)
        live = {row.path: row for row in _live(session)}
        changed = [path for path, text in texts.items() if _is_new(live.get(path), text)]
        gone = [path for path in live if path not in texts]
        _retire(session, [*changed, *gone])
        for path in changed:
            row = Published(path=path, text=texts[path], live=True, author=author, reason=reason)
            session.add(row)
    return Publication(tuple(sorted([*changed, *gone])), len(texts) - len(changed))


def publish_from_org(
    store: Store, gateway: Gateway, texts: Mapping[str, str], author: str, reason: str
) -> Publication:
    """Describe what the documents name, then publish them."""
    return publish(store, texts, fetch_schemas(gateway, load(texts)), author, reason)


def keep_schemas(session: Session, schemas: Mapping[str, ObjectSchema]) -> None:
    """Keep what `describe` said, for every process of the service."""
    now = datetime.now(UTC)
    for name, schema in schemas.items():
        row = insert(CachedSchema).values(object=name, body=to_json(schema), fetched_at=now)
        fresh = {"body": row.excluded.body, "fetched_at": now}
        session.execute(row.on_conflict_do_update(index_elements=["object"], set_=fresh))


def live_texts(session: Session) -> dict[str, str]:
    """The live documents by path."""
    return {row.path: row.text for row in _live(session)}


def history(session: Session, path: str | None = None) -> list[Published]:
    """Every version ever published, newest first."""
    here = sa.select(Published).order_by(Published.id.desc())
    return list(session.scalars(here if path is None else here.where(Published.path == path)))


def _live(session: Session) -> Iterable[Published]:
    return session.scalars(sa.select(Published).where(Published.live))


def _is_new(live: Published | None, text: str) -> bool:
    return live is None or live.text != text


def _retire(session: Session, paths: list[str]) -> None:
    if paths:
        retired = sa.update(Published).where(Published.live, Published.path.in_(paths))
        session.execute(retired.values(live=False))
