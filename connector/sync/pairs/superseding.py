"""A mapping that was published anew while pairs were under way (design rule 10).

What was weighed under the version before is settled under it: its values are what the row holds now, so
they are the base. Then the pair is looked at again under the version that is live.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import ConflictKind, ConflictState
from connector.mapping.parts.compiled import CompiledMapping
from connector.store.tables import Conflict, Pair

if TYPE_CHECKING:
    from connector.sync.changes import Scene
    from connector.sync.pairs.jobs import Job

_OF_A_LINE = tuple(kind for kind in ConflictKind if kind is not ConflictKind.MATCH)
_NO_LINE = "the mapping has no such line any more"


def is_superseded(scene: Scene, job: Job) -> bool:
    """Whether another version of the job's mapping is live than the one it was weighed under."""
    live = scene.catalog.mappings.get(job.mapping.name)
    return live is not None and live.version != job.mapping.version and not job.releasing


def close_questions(session: Session, mappings: Iterable[CompiledMapping]) -> None:
    """Close what was asked about lines that these mappings have no more: nobody could answer it."""
    for mapping in mappings:
        pairs = sa.select(Pair.id).where(Pair.mapping == mapping.name)
        gone = sa.update(Conflict).where(
            Conflict.state == ConflictState.OPEN,
            Conflict.kind.in_(_OF_A_LINE),
            Conflict.line.not_in([line.id for line in mapping.lines]),
            Conflict.pair_id.in_(pairs),
        )
        told = gone.values(
            state=ConflictState.RESOLVED,
            resolved_at=sa.func.clock_timestamp(),
            resolved_by=_NO_LINE,
        )
        session.execute(told.execution_options(synchronize_session=False))
