"""`connector explain`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.cli.deployment import deployment
from connector.cli.options import data_option, json_option
from connector.cli.output import BAD, DIM, GOOD, heading, paint, short
from connector.domain.values import Value, moment
from connector.sync.causes import Cause, cause_of
from connector.sync.explain import PairStory, Pending, Story, find, tell
from connector.sync.status import snapshot
from connector.sync.veil import Veil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from connector.store.tables import Attempt, Conflict, Envelope, Notice, Outbox, Received

IN_STEP = "it is in step"


@click.command("explain")
@click.argument("reference", metavar="REFERENCE")
@data_option
@json_option
@click.option("--reveal", is_flag=True, help="Show personal values unmasked.")
def command(reference: str, data: Path, *, as_json: bool, reveal: bool) -> None:
    """Tell the story of one record: both sides, what was received, tried, sent, and what is wrong.

    REFERENCE is KIND:ID (friend, member, product, registration, repair_request), a Salesforce id,
    a LINE_Key__c, or friend: with a LINE user id.

    Example: connector explain 5005g00000AbCdEAAV
    """
    here, veil = deployment(data), Veil(reveal)
    with snapshot(here.store) as session:
        record = find(session, reference)
        story = tell(session, here.catalogs.live(session), record, datetime.now(UTC))
        told = as_told(story, veil)
    if as_json:
        output.put_json(told)
    else:
        output.put("\n".join(shown(told)))


def as_told(story: Story, veil: Veil) -> dict[str, Any]:
    """The story as JSON tells it."""
    record, cause = story.record, cause_of(story, veil)
    return {
        "record": {
            "kind": record.kind,
            "id": str(record.id),
            "person_id": None if record.person_id is None else str(record.person_id),
            "version": record.version,
            "created_at": moment(record.created_at),
            "updated_at": moment(record.updated_at),
            "values": veil.values(record.kind, record.values),
            "relations": dict(story.relations),
        },
        "pairs": [_pair(each, story, veil) for each in story.pairs],
        "unpaired": [mapping.name for mapping in story.unpaired],
        "received": [_received(row) for row in story.received],
        "notices": [_notice(notice, envelope) for notice, envelope in story.notices],
        "cause": None if cause is None else _cause(cause),
        "text": IN_STEP if cause is None else cause.text,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return asdict(cause)


def _pair(each: PairStory, story: Story, veil: Veil) -> dict[str, Any]:
    pair = each.pair
    return {
        "id": str(pair.id),
        "mapping": pair.mapping,
        "mapping_version": each.mapping.version if each.mapping else None,
        "object": pair.object,
        "salesforce_id": pair.salesforce_id,
        "key": pair.key,
        "state": pair.state.value,
        "match": pair.match.value,
        "adopted": pair.adopted,
        "version": pair.version,
        "reason": pair.reason,
        "base": veil.fields(each.mapping, _base_values(pair.base)),
        "pending": [_pending(pending, each, veil) for pending in each.pending],
        "intent": _intent(each.intent, story) if each.intent else None,
        "conflicts": [_conflict(conflict, each, veil) for conflict in each.conflicts],
        "attempts": [_attempt(attempt) for attempt in each.attempts],
    }


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


def _intent(row: Outbox, story: Story) -> dict[str, Any]:
    return {
        "state": row.state.value,
        "lane": row.lane.value,
        "cause": row.cause.value,
        "due": moment(row.due),
        "attempts": row.attempts,
        "reason": row.reason,
        "next_step": row.next_step,
        "waits_for": story.holders.get(row.held_for) if row.held_for else None,
    }


def _conflict(conflict: Conflict, each: PairStory, veil: Veil) -> dict[str, Any]:
    sides = ("base", "ours", "theirs")
    return {
        "line": conflict.line,
        "kind": conflict.kind,
        **{side: veil.fields(each.mapping, getattr(conflict, side)) for side in sides},
        "reason": conflict.reason,
        "next_step": conflict.next_step,
        "opened_at": moment(conflict.opened_at),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
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
    }


def _notice(notice: Notice, envelope: Envelope) -> dict[str, Any]:
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
        },
    }


def shown(told: dict[str, Any]) -> Iterator[str]:
    """The story as lines for people."""
    record = told["record"]
    yield f"{heading(record['kind'])} {record['id']}  version {record['version']}"
    yield from _shown_cause(told)
    values = [[name, short(value)] for name, value in record["values"].items() if value is not None]
    yield f"\n{heading('LINE record')}"
    yield output.table([*values, *record["relations"].items()])
    for pair in told["pairs"]:
        yield from _shown_pair(pair)
    for name in told["unpaired"]:
        yield f"\n{heading(name)}  {paint('no Salesforce record', DIM)}"
    yield from _shown_list("received", told["received"], ("id", "source", "kind", "at", "ledger"))
    yield from _shown_notices(told["notices"])


def _shown_cause(told: dict[str, Any]) -> Iterator[str]:
    cause = told["cause"]
    if cause is None:
        yield paint(told["text"], GOOD)
        return
    where = f" ({cause['field']}: {short(cause['value'])})" if cause["field"] else ""
    yield f"{paint(cause['rule'], BAD)}: {cause['text']}{where}"
    yield f"what to do: {cause['next_step']}"


def _shown_pair(pair: dict[str, Any]) -> Iterator[str]:
    row = pair["salesforce_id"] or "no row yet"
    marks = [pair["state"], *(["named only"] if pair["adopted"] else [])]
    version = "" if pair["mapping_version"] is None else f"version {pair['mapping_version']}"
    yield f"\n{heading(pair['mapping'])}  {pair['object']} {row}  {', '.join(marks)}  {version}"
    yield f"  key {pair['key']}"
    intent = pair["intent"]
    if intent:
        reason = f": {intent['reason']}" if intent["reason"] else ""
        yield f"  {intent['state']}{reason}"
    for conflict in pair["conflicts"]:
        yield f"  {paint('conflict', BAD)} {conflict['line']}: {conflict['reason']}"
        sides = [[side, short(conflict[side])] for side in ("base", "ours", "theirs")]
        yield output.table(sides, indent=4)
    for pending in pair["pending"]:
        yield f"  to send: {pending['problem'] or short(pending['fields'])}"
    known = [[name, short(value)] for name, value in (pair["base"] or {}).items()]
    if known:
        yield output.table([["agreed on", ""], *known], indent=2)
    for attempt in pair["attempts"]:
        answer = short((attempt["answer"] or {}).get("reason", "")) if attempt["answer"] else ""
        said = f"{attempt['at']}  {attempt['operation']}  {attempt['outcome']}  {answer}"
        yield f"  {paint(said.rstrip(), DIM)}"


def _shown_list(name: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> Iterator[str]:
    if rows:
        yield f"\n{heading(name)}"
        yield output.table([[row[column] for column in columns] for row in rows])


def _shown_notices(notices: list[dict[str, Any]]) -> Iterator[str]:
    if not notices:
        return
    yield f"\n{heading('messages')}"
    yield output.table(
        [
            [each["created_at"], each["rule"], each["level"], each["envelope"]["via"] or ""]
            for each in notices
        ]
    )
