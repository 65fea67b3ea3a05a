"""The story of a record, and the parts of it that other commands tell too, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from connector.cli.kin import named
from connector.domain.values import Value, moment
from connector.sync.desk.causes import cause_of

if TYPE_CHECKING:
    from connector.store.tables import (
        Attempt,
        Conflict,
        Envelope,
        File,
        Filing,
        Notice,
        Outbox,
        Received,
    )
    from connector.sync.desk.explain import Filter, Kin, PairStory, Pending, Story
    from connector.sync.veil import Veil

IN_STEP = "it is in step"


def as_told(story: Story, veil: Veil) -> dict[str, Any]:
    """The whole story."""
    cause = cause_of(story, veil)
    return {
        "record": record_told(story, veil),
        "pairs": [pair_told(each, story, veil) for each in story.pairs],
        "unpaired": [mapping.name for mapping in story.unpaired],
        "received": [_received(row) for row in story.received],
        "notices": [_notice(notice, envelope, story) for notice, envelope in story.notices],
        "cause": None if cause is None else asdict(cause),
        "text": IN_STEP if cause is None else cause.text,
    }


def record_told(story: Story, veil: Veil) -> dict[str, Any]:
    """The LINE record."""
    record = story.record
    return {
        "kind": record.kind,
        "id": str(record.id),
        "person_id": None if record.person_id is None else str(record.person_id),
        "version": record.version,
        "created_at": moment(record.created_at),
        "updated_at": moment(record.updated_at),
        "values": veil.values(record.kind, record.values, story.schema),
        "relations": dict(story.relations),
    }


def pair_told(each: PairStory, story: Story, veil: Veil) -> dict[str, Any]:
    """One pair: which row, by which mapping, what is still to be sent, what was tried."""
    pair, mapping = each.pair, each.mapping
    return {
        "id": str(pair.id),
        "mapping": pair.mapping,
        "mapping_version": mapping.version if mapping else None,
        "object": pair.object,
        "salesforce_id": pair.salesforce_id,
        "key": pair.key,
        "state": pair.state.value,
        "filter": None if each.filter is None else _filter(each.filter, story, veil),
        "match": pair.match.value,
        "matched_by": [rule.source for rule in mapping.match] if mapping else [],
        "adopted": pair.adopted,
        "joined": pair.joined,
        "parents": [_parent(kin) for kin in each.parents],
        "version": pair.version,
        "reason": pair.reason,
        "base": veil.fields(mapping, _base_values(pair.base)),
        "pending": [_pending(pending, each, veil) for pending in each.pending],
        "intent": _intent(each.intent, story, veil) if each.intent else None,
        "conflicts": [_conflict(conflict, each, veil) for conflict in each.conflicts],
        "files": [_file(file, filing) for file, filing in each.files],
        "attempts": [attempt_told(attempt) for attempt in each.attempts],
    }


def _file(file: File, filing: Filing) -> dict[str, Any]:
    """Never its name, which may be its owner's."""
    state = "filed" if filing.filed_at else "tried" if filing.tried_at else "owed"
    return {
        "line": file.role,
        "place": file.place,
        "size": file.size,
        "state": state,
        "document_id": filing.document_id,
    }


def _filter(found: Filter, story: Story, veil: Veil) -> dict[str, Any]:
    problem = None if found.problem is None else veil.text(found.problem.reason, story.personal)
    return {"when": found.text, "holds": found.holds, "problem": problem}


def _parent(kin: Kin) -> dict[str, Any]:
    return {**named(kin), "state": None if kin.standing is None else kin.standing.value}


def _base_values(base: dict[str, Value]) -> dict[str, Value]:
    return {
        name: held.get("value") if isinstance(held, dict) else held for name, held in base.items()
    }


def _pending(pending: Pending, each: PairStory, veil: Veil) -> dict[str, Any]:
    problem = pending.problem
    return {
        "line": pending.line,
        "fields": veil.fields(each.mapping, pending.fields),
        "problem": None if problem is None else problem.reason,
    }


def _intent(row: Outbox, story: Story, veil: Veil) -> dict[str, Any]:
    holder = story.holders.get(row.held_for) if row.held_for else None
    fault = row.fault or {}
    return {
        "state": row.state.value,
        "lane": row.lane.value,
        "cause": row.cause.value,
        "since": moment(row.since),
        "due": moment(row.due),
        "attempts": row.attempts,
        "fault": {name: fault.get(name) for name in ("kind", "code", "fields")} if fault else None,
        "reason": veil.text(row.reason, story.personal),
        "next_step": row.next_step,
        "waits_for": holder.record if holder else None,
    }


def _conflict(conflict: Conflict, each: PairStory, veil: Veil) -> dict[str, Any]:
    line = each.mapping.line(conflict.line) if each.mapping else None
    sides = ("base", "ours", "theirs")
    return {
        "line": conflict.line,
        "kind": conflict.kind,
        "policy": None if line is None else line.policy.value,
        **{side: veil.fields(each.mapping, getattr(conflict, side)) for side in sides},
        "reason": conflict.reason,
        "next_step": conflict.next_step,
        "opened_at": moment(conflict.opened_at),
    }


def attempt_told(attempt: Attempt) -> dict[str, Any]:
    """One try, as it was kept: personal values are masked for good."""
    return {
        "at": moment(attempt.at),
        "operation": attempt.operation,
        "sent": attempt.sent,
        "outcome": attempt.outcome,
        "answer": attempt.answer,
        "mapping_version": attempt.mapping_version,
    }


def _received(row: Received) -> dict[str, Any]:
    return {
        "id": row.id,
        "source": row.source.value,
        "kind": row.kind,
        "at": moment(row.at),
        "state": row.state.value,
        "ledger": row.ledger.value,
        "reason": row.reason,
        "edited_by": row.edited_by,
    }


def _notice(notice: Notice, envelope: Envelope, story: Story) -> dict[str, Any]:
    return {
        "rule": notice.rule,
        "purpose": notice.purpose,
        "level": notice.state.value,
        "created_at": moment(notice.created_at),
        "expires_at": moment(notice.expires_at),
        "envelope": {
            "id": str(envelope.id),
            "state": envelope.state.value,
            "via": envelope.via,
            "due": moment(envelope.due),
            "attempts": envelope.attempts,
            "reason": envelope.reason,
            "next_step": envelope.next_step,
            "tries": [attempt_told(each) for each in story.tries.get(envelope.id, ())],
        },
    }
