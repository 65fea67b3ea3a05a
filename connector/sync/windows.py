"""Stretches of the org's time that must be read again, and holes that say why.

A window is read by the polls: its objects' watermarks go back, and what was read before is a no-op.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from connector.store.tables import Hole, Stream

log = structlog.get_logger()

NEVER = datetime(2000, 1, 1, tzinfo=UTC)
_QUIET = {"synchronize_session": False}


def reread(session: Session, objects: Collection[str], since: datetime) -> None:
    """Let these objects be polled from `since` as soon as may be."""
    session.execute(
        sa.update(Stream)
        .where(Stream.name.in_(objects))
        .values(
            watermark=sa.func.least(Stream.watermark, since),
            read_through=sa.func.least(Stream.read_through, since),
            read_at=NEVER,
            overlapped_at=None,
            resume=None,
        )
        .execution_options(**_QUIET)
    )


def record_hole(
    session: Session,
    stream: str,
    objects: Collection[str],
    since: datetime,
    until: datetime,
    reason: str,
) -> None:
    """Say that a stream may have skipped something, and let its objects be read again."""
    log.warning("hole in a stream", stream=stream, objects=sorted(objects), reason=reason)
    session.add(
        Hole(stream=stream, objects=sorted(objects), since=since, until=until, reason=reason)
    )
    reread(session, objects, since)


def close_holes(session: Session, now: datetime) -> int:
    """Close the holes whose objects were all read again since; says how many."""
    closed = 0
    for hole in session.scalars(sa.select(Hole).where(Hole.closed_at.is_(None))):
        # `read_at` is when a read began: one that began later has seen all of the window
        cut_short = sa.func.jsonb_typeof(Stream.resume) == "object"
        behind = sa.or_(Stream.read_at <= hole.found_at, cut_short)
        here = sa.select(Stream.name).where(Stream.name.in_(hole.objects), behind)
        if session.scalar(here.limit(1)) is None:
            hole.closed_at = now
            closed += 1
    return closed
