"""What the org still says of the rows of erased people: it is not kept, and what came back is cleared."""

from __future__ import annotations

import sqlalchemy as sa

from connector.domain.lines import Cause, Lane
from connector.domain.states import PairState
from connector.store.tables import Pair, Received, Record
from connector.sync import effects, outbox
from connector.sync.changes import Scene
from connector.sync.pairs import identity
from connector.sync.pairs.sightings import Sighting


def take(scene: Scene, row: Received, seen: Sighting) -> bool:
    """Take a word of a row that is nobody's: True, and masked, where the row was an erased person's."""
    if not _was_erased(scene, seen):
        return False
    for pair in _with_their_key(scene, seen):
        _clear_again(scene, pair, seen)
    row.body, row.original = {"erased": True}, None
    return True


def _was_erased(scene: Scene, seen: Sighting) -> bool:
    keys = [seen.key] if isinstance(seen.key, str) else []
    tied = sa.or_(Pair.salesforce_id == seen.row_id, Pair.key.in_(keys))
    erased: sa.ColumnElement[bool] = sa.exists().where(tied, Pair.erasing)
    if scene.tombstones is not None:
        erased = sa.or_(erased, scene.tombstones.lies_here([seen.row_id], keys))
    return scene.session.scalar(sa.select(erased)) is True


def _with_their_key(scene: Scene, seen: Sighting) -> list[Pair]:
    """Closed pairs whose key the row bears again: it was in the recycle bin while it was to be cleared."""
    if seen.deleted or identity.fate_of(seen.fields) is not None:
        return []
    came_back = (
        Pair.erasing,
        Pair.state == PairState.CLOSED,
        Pair.salesforce_id == seen.row_id,
        Pair.key == seen.key,
    )
    return list(scene.session.scalars(sa.select(Pair).where(*came_back, ~Pair.adopted)))


def _clear_again(scene: Scene, pair: Pair, seen: Sighting) -> None:
    """Locks: record, pair."""
    session = scene.session
    record = session.get_one(Record, pair.record_id, with_for_update=True)
    session.refresh(pair, with_for_update=True)
    if pair.state is not PairState.CLOSED or not seen.is_news(pair):
        return
    pair.state = PairState.RELEASING
    effects.link_pair(session, scene.received, pair.id, record.version)
    outbox.want(session, pair.id, Lane.URGENT, Cause.RESTORE, recheck=True)
