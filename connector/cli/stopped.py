"""What stands still, as JSON and as lines for people: groups with their cause, and one thing whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from connector.cli import narration, output
from connector.cli.output import BAD, DIM, heading, paint, short
from connector.cli.story import attempt_told, pair_told, record_told
from connector.domain.values import moment
from connector.sync.desk import rootcauses
from connector.sync.desk.exhibits import StoppedPair, UnreadEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connector.store.tables import Received
    from connector.sync.desk.amending import Edit
    from connector.sync.desk.exhibits import Exhibit, UnsentMessage
    from connector.sync.desk.stuck import Group
    from connector.sync.veil import Veil


def group_told(group: Group) -> dict[str, Any]:
    """A group: its cause in words, the way to mend it, and how to go on."""
    facts = group.facts
    return {
        "key": group.key,
        "state": facts.state,
        "rule": group.cause.rule,
        "reason": group.cause.says,
        "next_step": group.next_step,
        "code": facts.code,
        "object": facts.object or None,
        "fields": list(facts.fields),
        "count": group.count,
        "oldest": moment(group.oldest),
        "go_on": _go_on(group),
        "items": [{"id": item.id, "record": item.record} for item in group.items],
    }


def _go_on(group: Group) -> str | None:
    if group.facts.state == "held":
        return None
    canary = " --canary" if group.count > 1 else ""
    return f"connector dead redrive --group {group.key}{canary}"


def group_lines(told: dict[str, Any]) -> Iterator[str]:
    """A group for people."""
    colour = DIM if told["state"] == "held" else BAD
    mark = f"{told['count']} {paint(told['state'], colour)}"
    yield f"{mark}  {heading(told['rule'])}: {told['reason']}"
    if told["next_step"]:
        yield f"  what to do: {told['next_step']}"
    if told["go_on"]:
        yield f"  then: {told['go_on']}"
    yield f"  since {told['oldest']}"
    yield output.table([[item["id"], item["record"]] for item in told["items"]], indent=4)
    if told["count"] > len(told["items"]):
        yield f"    and {told['count'] - len(told['items'])} more: connector dead list --group {told['key']}"


def exhibit_told(shown: Exhibit, veil: Veil) -> dict[str, Any]:
    """One thing that stands still, whole."""
    if isinstance(shown, StoppedPair):
        return _pair_told(shown, veil)
    if isinstance(shown, UnreadEvent):
        return _event_told(shown.row, veil)
    return _message_told(shown, veil)


def _pair_told(shown: StoppedPair, veil: Veil) -> dict[str, Any]:
    pair = pair_told(shown.pair, shown.story, veil)
    reference = f"pair:{pair['id']}"
    intent = pair["intent"] or {}
    row = shown.pair.intent
    said = rootcauses.in_words(pair["object"], row.fault if row else None)
    return {
        "id": reference,
        **{name: intent.get(name) for name in ("state", "since", "reason", "next_step", "fault")},
        "says": veil.text(said, shown.story.personal),
        "record": record_told(shown.story, veil),
        "pair": pair,
        "edit": f"connector dead edit {reference} --set NAME=VALUE --reason WHY",
        "go_on": f"connector dead redrive {reference}",
    }


def _event_told(row: Received, veil: Veil) -> dict[str, Any]:
    reference = f"inbox:{row.id}"
    return {
        "id": reference,
        "state": row.state.value,
        "since": moment(row.received_at),
        "reason": row.reason,
        "next_step": "Correct the body, or update the connector if it should have understood it.",
        "source": row.source.value,
        "kind": row.kind,
        "at": moment(row.at),
        "attempts": row.attempts,
        "body": veil.body(row.body),
        "original": veil.body(row.original),
        "edited_by": row.edited_by,
        "edit": f"connector dead edit {reference} --set PATH=VALUE --reason WHY",
        "go_on": f"connector dead redrive {reference}",
    }


def _message_told(shown: UnsentMessage, veil: Veil) -> dict[str, Any]:
    envelope = shown.envelope
    return {
        "id": f"envelope:{envelope.id}",
        "state": envelope.state.value,
        "since": moment(envelope.created_at),
        "reason": envelope.reason,
        "next_step": envelope.next_step,
        "person_id": str(envelope.person_id),
        "official_account": envelope.oa,
        "via": envelope.via,
        "notices": [
            {
                "rule": notice.rule,
                "template": notice.template,
                "record_id": None if notice.record_id is None else str(notice.record_id),
                "expires_at": moment(notice.expires_at),
            }
            for notice in shown.notices
        ],
        "body": veil.body(envelope.body),
        "attempts": envelope.attempts,
        "tries": [attempt_told(attempt) for attempt in shown.attempts],
        "edit": None,
        "go_on": f"connector dead redrive envelope:{envelope.id}",
    }


def exhibit_lines(told: dict[str, Any]) -> Iterator[str]:
    """One thing that stands still, for people."""
    yield f"{paint(told['state'], BAD)}  {heading(told['id'])}  since {told['since']}"
    yield f"why: {told.get('says') or told['reason'] or 'no reason is known'}"
    if told["next_step"]:
        yield f"what to do: {told['next_step']}"
    if told["edit"]:
        yield f"to correct it: {told['edit']}"
    yield f"to bring it back: {told['go_on']}"
    if "pair" in told:
        record = told["record"]
        yield f"\n{heading(record['kind'])} {record['id']}  version {record['version']}"
        yield from narration.record_lines(record)
        yield from narration.pair_lines(told["pair"])
        return
    yield from _rest(told)


def _rest(told: dict[str, Any]) -> Iterator[str]:
    names = ("source", "kind", "at", "official_account", "person_id", "via", "edited_by")
    yield ""
    yield output.table([[name, told[name]] for name in names if told.get(name) is not None])
    for notice in told.get("notices", ()):
        yield f"  to tell: {notice['rule']} ({notice['template']}), until {notice['expires_at']}"
    yield f"\n{heading('body')}"
    yield output.table(list(_parts(told["body"])))
    if told.get("original") is not None:
        yield f"\n{heading('as it came')}"
        yield output.table(list(_parts(told["original"])))
    for attempt in told.get("tries", ()):
        yield from narration.attempt_lines(attempt)


def _parts(body: Any, path: str = "") -> Iterator[list[str]]:
    """A body as paths and values, as `edit --set` takes them."""
    inner: Sequence[tuple[str, Any]] = ()
    if isinstance(body, dict):
        inner = list(body.items())
    elif isinstance(body, list):
        inner = [(str(number), each) for number, each in enumerate(body)]
    if not inner:
        yield [path or "(empty)", short(body, 100)]
    for name, value in inner:
        yield from _parts(value, f"{path}.{name}" if path else str(name))


def edit_told(edit: Edit, veil: Veil) -> dict[str, Any]:
    """One edit: before and after, what Salesforce is sent."""
    told = asdict(edit)
    if edit.kind is None:
        return {**told, "before": veil.body(edit.before), "after": veil.body(edit.after)}
    before, after = (veil.value(edit.kind, edit.name, each) for each in (edit.before, edit.after))
    personal = before != edit.before or after != edit.after
    sends = {name: veil.body(value) if personal else value for name, value in edit.sends.items()}
    return {**told, "before": before, "after": after, "sends": sends}


def edit_lines(told: dict[str, Any]) -> Iterator[str]:
    """One edit for people."""
    yield f"{heading(told['name'])}: {short(told['before'])} -> {short(told['after'])}"
    for name, value in told["sends"].items():
        yield f"  to Salesforce: {name} {short(value)}"
    if told["note"]:
        yield f"  {told['note']}"
