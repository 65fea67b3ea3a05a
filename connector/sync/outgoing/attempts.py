"""What is kept of every try: what was said, what came back, under which mapping; personal values masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from connector.domain.values import Value
from connector.store import sets
from connector.store.session import book
from connector.store.tables import Attempt
from connector.sync import masking
from connector.sync.pairs import attachments
from connector.sync.pairs.attachments import Owed
from connector.sync.pairs.jobs import Job, Later, Stopped
from connector.sync.veil import personal_fields

_RANK = 7


@dataclass
class _Page:
    tries: list[Mapping[str, object]] = field(default_factory=list)


def _write(session: Session, page: _Page) -> None:
    sets.insert_all(session, Attempt, page.tries)


def log(session: Session, job: Job, now: datetime) -> None:
    """Keep the try that a job was; one that neither wrote nor failed is none."""
    tries = book(session, _Page, _RANK, _write).tries
    there = attachments.came(job.files)
    if there:
        tries.append(_filed(job, there, now))
    if not job.wrote and not isinstance(job.end, Stopped | Later):
        return
    sent = job.outcome.sends if job.outcome is not None else {}
    outcome = type(job.end).__name__.lower() if job.end is not None else "done"
    tries.append(
        _try(
            job,
            now,
            operation="update" if job.pair.salesforce_id else "create",
            sent=masking.masked(sent),
            outcome="written" if outcome == "done" else outcome,
            answer=_answer(job, sent),
        )
    )


def _try(job: Job, now: datetime, **told: object) -> Mapping[str, object]:
    return {"pair_id": job.pair.id, "at": now, "mapping_version": job.mapping.version, **told}


def _filed(job: Job, there: Sequence[Owed], now: datetime) -> Mapping[str, object]:
    """Which files came to the row: their places, never their names."""
    return _try(
        job,
        now,
        operation="file",
        sent={"files": [each.told for each in there]},
        outcome="written",
        answer={"ids": [each.version_id for each in there]},
    )


def _answer(job: Job, sent: dict[str, Value]) -> dict[str, Value] | None:
    """The row's Id, or the refusal; a refusal often repeats the value that it refuses."""
    answer: dict[str, Value] = {}
    result = job.result
    if result is not None and result.ok is not None:
        answer["id"] = result.ok.id
    if result is not None and result.faults:
        fault = result.faults[0]
        answer |= {"code": fault.code, "fields": list(fault.fields)}
    reason = getattr(job.end, "reason", None)
    if reason is not None:
        personal = personal_fields(job.mapping)
        hidden = [value for name, value in sent.items() if name in personal]
        answer["reason"] = masking.without(reason, hidden)
    return answer or None
