"""Publish documents: checked against the org, kept with who, when and why, live from then on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.errors import ConnectorError
from connector.mapping.loader import Documents, load, load_strictly
from connector.mapping.parts.compiled import CompiledMapping
from connector.mapping.schema import ObjectSchema, to_json
from connector.salesforce import picklists
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.store.session import Store
from connector.store.tables import CachedSchema, Published
from connector.sync.pairs import superseding

_LOCK = 0x6D617070  # of this database's publishers


class PublishedMeanwhile(ConnectorError):
    """The live documents are others than those that were looked at."""

    def __init__(self, paths: Iterable[str]) -> None:
        super().__init__(
            "published_meanwhile",
            f"meanwhile others published {', '.join(sorted(paths))}",
            "Nothing was changed. Look at what is live now, then do it again.",
        )


@dataclass(frozen=True)
class Publication:
    """What publishing came to: the documents that are new or changed."""

    changed: tuple[str, ...]
    unchanged: int


def fetch_schemas(gateway: Gateway, documents: Documents) -> dict[str, ObjectSchema]:
    """Describe every object that the mappings name, with the record types that they name."""
    return described(gateway, documents.objects, documents.record_types)


def described(
    gateway: Gateway, names: Iterable[str], types: Mapping[str, Collection[str]]
) -> dict[str, ObjectSchema]:
    """What the org says of these objects; one it does not show is left out, for the check to name."""
    found = {}
    for name in names:
        try:
            found[name] = picklists.described(gateway, name, types.get(name, ()))
        except CallFailed as failed:
            if failed.fault.org_wide or failed.fault.code != "INVALID_TYPE":
                raise
    return found


def publish(
    store: Store,
    texts: Mapping[str, str],
    schemas: Mapping[str, ObjectSchema],
    author: str,
    reason: str,
    beside: Mapping[str, int] | None = None,
) -> Publication:
    """Make a whole set of documents live; raises `MappingProblems` and changes nothing if any is wrong."""
    documents = load_strictly(texts, schemas)
    with store.transaction() as session:
        return make_live(session, texts, documents, schemas, author, reason, beside)


def make_live(
    session: Session,
    texts: Mapping[str, str],
    documents: Documents,
    schemas: Mapping[str, ObjectSchema],
    author: str,
    reason: str,
    beside: Mapping[str, int] | None = None,
) -> Publication:
    """Make these texts, which compiled to `documents`, the live set, one publisher after the other.

    Texts that were worked out from the live set name its versions in `beside`: raises
    `PublishedMeanwhile` where it is another one by now.
    """
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    live = live_set(session)
    if beside is not None and versions_of(live) != beside:
        raise PublishedMeanwhile(dict(versions_of(live).items() ^ beside.items()))
    changed = [path for path, text in texts.items() if _is_new(live.get(path), text)]
    gone = [path for path in live if path not in texts]
    keep_schemas(session, schemas, agreed=_objects(documents, changed))
    _retire(session, [*changed, *gone])
    at = datetime.now(UTC)  # one moment, by which it is known what was published together
    for path in (*changed, *gone):
        told = {"author": author, "reason": reason, "at": at}
        session.add(Published(path=path, text=texts.get(path, ""), live=path in texts, **told))
    superseding.close_questions(session, _mappings(documents, changed))
    return Publication(tuple(sorted([*changed, *gone])), len(texts) - len(changed))


def publish_from_org(
    store: Store,
    gateway: Gateway,
    texts: Mapping[str, str],
    author: str,
    reason: str,
    beside: Mapping[str, int] | None = None,
) -> Publication:
    """Describe what the documents name, then publish them."""
    return publish(store, texts, fetch_schemas(gateway, load(texts)), author, reason, beside)


def keep_schemas(
    session: Session, schemas: Mapping[str, ObjectSchema], *, agreed: Collection[str] = ()
) -> None:
    """Keep what `describe` said, for every process of the service.

    What it said before is kept beside it, until drift is looked for, unless documents were `agreed` with it.
    """
    now = datetime.now(UTC)
    for name, schema in schemas.items():
        row = insert(CachedSchema).values(object=name, body=to_json(schema), fetched_at=now)
        moved = sa.case((CachedSchema.body != row.excluded.body, CachedSchema.body))
        before = sa.null() if name in agreed else sa.func.coalesce(CachedSchema.agreed, moved)
        fresh = {"body": row.excluded.body, "fetched_at": now, "agreed": before}
        session.execute(row.on_conflict_do_update(index_elements=["object"], set_=fresh))


def live_texts(session: Session) -> dict[str, str]:
    """The live documents by path."""
    return {path: row.text for path, row in live_set(session).items()}


def live_set(session: Session) -> dict[str, Published]:
    """The live documents by path, with their versions."""
    rows = session.scalars(sa.select(Published).where(Published.live))
    return {row.path: row for row in rows}


def versions_of(documents: Mapping[str, Published]) -> dict[str, int]:
    """Which version each document is."""
    return {path: row.id for path, row in documents.items()}


def history(session: Session, path: str | None = None) -> list[Published]:
    """Every version ever published, newest first."""
    here = sa.select(Published).order_by(Published.id.desc())
    return list(session.scalars(here if path is None else here.where(Published.path == path)))


def _is_new(live: Published | None, text: str) -> bool:
    return live is None or live.text != text


def _objects(documents: Documents, paths: Iterable[str]) -> set[str]:
    """The objects that the mappings among these paths name."""
    return {mapping.object for mapping in _mappings(documents, paths)}


def _mappings(documents: Documents, paths: Iterable[str]) -> list[CompiledMapping]:
    """The mappings among these paths."""
    named = (documents.mappings.get(path.removesuffix(".yaml")) for path in paths)
    return [mapping for mapping in named if mapping is not None]


def _retire(session: Session, paths: list[str]) -> None:
    if paths:
        retired = sa.update(Published).where(Published.live, Published.path.in_(paths))
        session.execute(retired.values(live=False))
