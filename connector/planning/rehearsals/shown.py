"""What a rehearsal has found, with the values of its examples as they are now.

Examples are ids only, so an erased person's values are gone from here, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from connector.mapping.loader import load
from connector.mapping.parts.compiled import LineProblem
from connector.planning.rehearsals.following import Both, differences, edited
from connector.store.tables import Contrasted, Record
from connector.sync.catalog import cached_schemas
from connector.sync.live.publishing import live_texts

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from connector.domain.values import Fields, Value
    from connector.mapping.parts.compiled import CompiledMapping
    from connector.store.tables import Rehearsal
    from connector.sync.catalog import Catalogs
    from connector.sync.veil import Veil


@dataclass(frozen=True)
class Example:
    """One record, and what either mapping says of it now; both None once they agree on it."""

    record: str  # kind:id
    live: Value
    draft: Value


@dataclass(frozen=True)
class Shown:
    """One kind of difference on one line, with its examples."""

    contrasted: Contrasted
    examples: Sequence[Example]


def shown(session: Session, catalogs: Catalogs, row: Rehearsal, veil: Veil) -> list[Shown]:
    """Everything a rehearsal has found, by mapping, what is most frequent first."""
    here = sa.select(Contrasted).where(Contrasted.rehearsal_id == row.id)
    order = (Contrasted.mapping, Contrasted.times.desc(), Contrasted.id)
    found = session.scalars(here.order_by(*order)).all()
    texts = {str(path): str(text) for path, text in row.texts.items()}
    draft = load(texts, cached_schemas(session)).mappings
    mappings = edited(catalogs.live(session).mappings, draft, live_texts(session), texts)
    ids = {UUID(example) for each in found for example in each.examples}
    kinds = _kinds(session, ids)
    said = {
        (name, difference.line, difference.inbound, record): (
            _told(veil, mappings[name], difference.live, inbound=difference.inbound),
            _told(veil, mappings[name], difference.draft, inbound=difference.inbound),
        )
        for name, record, difference in differences(session, mappings, list(ids))
    }

    def example(each: Contrasted, number: str) -> Example:
        place = (each.mapping, each.line, each.inbound, UUID(number))
        return Example(
            f"{kinds.get(UUID(number), 'record')}:{number}", *said.get(place, (None, None))
        )

    return [Shown(each, [example(each, number) for number in each.examples]) for each in found]


def _kinds(session: Session, ids: set[UUID]) -> Mapping[UUID, str]:
    rows = session.execute(sa.select(Record.id, Record.kind).where(Record.id.in_(ids)))
    return {row.id: row.kind for row in rows} if ids else {}


def _told(veil: Veil, both: Both, said: Fields | LineProblem | None, *, inbound: bool) -> Value:
    mapping = both[1] or both[0]
    if said is None or mapping is None:
        return None
    if isinstance(said, LineProblem):
        return {"fails": veil.text(said.message, [said.value, *_inner(said.value)])}
    return veil.values(mapping.kind, said) if inbound else veil.fields(_names(mapping, said), said)


def _inner(value: Value) -> list[Value]:
    """What an expression was given, for its refusal repeats it."""
    return list(value.values()) if isinstance(value, dict) else []


def _names(mapping: CompiledMapping, said: Fields) -> CompiledMapping | None:
    """The mapping, where it knows the fields; else all of them are hidden."""
    return mapping if set(said) <= {*mapping.fields, "when"} else None
