"""Take the files of erased people out of the org, before their rows are cleared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connector.salesforce.faults import CallFailed
from connector.salesforce.steps import Delete, RowFailed
from connector.sync.outgoing.filing import Fail, Filer, Piece, batches, fail_all, fail_one
from connector.sync.pairs import attachments
from connector.sync.pairs.jobs import Job

_ROWS = 200
_GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"})


@dataclass(frozen=True)
class Unfiler:
    """Deletes what a `Filer` made."""

    filer: Filer

    def take_back(self, jobs: Sequence[Job], renew: Callable[[], None], fail: Fail) -> None:
        """Delete the documents of erased people; a job whose documents stay is not cleared yet."""
        erased = [job for job in jobs if job.open and job.releasing and job.pair.erasing]
        pieces = [(job, each) for job in erased for each in job.files]
        if not pieces:
            return
        renew()
        self.filer.find(pieces, fail)
        self.filer.name(pieces, fail)
        never = [piece for piece in pieces if not piece[1].version_id and not piece[1].tried_at]
        gone = [*never, *(piece for piece in pieces if _is_gone(piece))]
        there = [piece for piece in pieces if piece[1].document_id]
        for some in batches(there, _ROWS):
            gone += self._delete(some, fail)
        with self.filer.store.transaction() as session:
            attachments.forget(session, [each for _, each in gone])

    def _delete(self, pieces: Sequence[Piece], fail: Fail) -> Sequence[Piece]:
        ids = [str(each.document_id) for _, each in pieces]
        try:
            told = self.filer.gateway.change(Delete("documents", "ContentDocument", ids))
        except CallFailed as failed:
            fail_all(pieces, failed.fault, fail)
            return ()
        gone = []
        for (job, each), outcome in zip(pieces, told, strict=True):
            if isinstance(outcome, RowFailed) and outcome.faults[0].code not in _GONE:
                fail_one(job, each, outcome.faults[0], fail)
            else:
                gone.append((job, each))
        return gone


def _is_gone(piece: Piece) -> bool:
    """Somebody deleted its version already."""
    return piece[1].version_id is not None and piece[1].document_id is None and piece[1].filed
