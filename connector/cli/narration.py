"""The story of a record as lines for people: first what is wrong and what to do, then how it came to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.cli import output
from connector.cli.output import BAD, DIM, GOOD, heading, paint, short

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILTER = {True: "yes", False: "no, so nothing is sent", None: "cannot be worked out"}
_MATCH = {
    "pending": "not looked for yet",
    "none": "nothing was found, so it has a row of its own",
    "found": "one row was found and taken",
    "conflict": "it is not clear which row it is",
}


def lines(told: dict[str, Any]) -> Iterator[str]:
    """The whole story."""
    record = told["record"]
    yield f"{heading(record['kind'])} {record['id']}  version {record['version']}"
    yield from _cause(told)
    yield from record_lines(record)
    for pair in told["pairs"]:
        yield from pair_lines(pair)
    for name in told["unpaired"]:
        yield f"\n{heading(name)}  {paint('no Salesforce record', DIM)}"
    yield from _list("received", told["received"], ("id", "source", "kind", "at", "ledger"))
    yield from _notices(told["notices"])


def record_lines(record: dict[str, Any]) -> Iterator[str]:
    """The LINE record's values and relations."""
    values = [[name, short(value)] for name, value in record["values"].items() if value is not None]
    yield f"\n{heading('LINE record')}"
    yield output.table([*values, *record["relations"].items()])


def _cause(told: dict[str, Any]) -> Iterator[str]:
    cause = told["cause"]
    if cause is None:
        yield paint(told["text"], GOOD)
        return
    where = f" ({cause['field']}: {short(cause['value'])})" if cause["field"] else ""
    yield f"{paint(cause['rule'], BAD)}: {cause['text']}{where}"
    yield f"what to do: {cause['next_step']}"


def pair_lines(pair: dict[str, Any]) -> Iterator[str]:
    """One pair."""
    row = pair["salesforce_id"] or "no row yet"
    shares = {"adopted": "named only", "joined": "another pair's row"}
    marks = [pair["state"], *(said for name, said in shares.items() if pair[name])]
    version = (
        "" if pair["mapping_version"] is None else f"mapping version {pair['mapping_version']}"
    )
    yield f"\n{heading(pair['mapping'])}  {pair['object']} {row}  {', '.join(marks)}  {version}"
    yield f"  key {pair['key']}"
    yield from _ways(pair)
    intent = pair["intent"]
    if intent:
        reason = f": {intent['reason']}" if intent["reason"] else ""
        yield f"  {intent['state']}{reason}"
    for conflict in pair["conflicts"]:
        yield from _conflict(conflict)
    for pending in pair["pending"]:
        yield f"  to send: {pending['problem'] or short(pending['fields'])}"
    known = [[name, short(value)] for name, value in (pair["base"] or {}).items()]
    if known:
        yield output.table([["agreed on", ""], *known], indent=2)
    for attempt in pair["attempts"]:
        yield from attempt_lines(attempt)


def _ways(pair: dict[str, Any]) -> Iterator[str]:
    """By what it was decided whether it is sent, to which row, under which parents."""
    if pair["filter"]:
        said = pair["filter"]["problem"] or _FILTER[pair["filter"]["holds"]]
        yield f"  applies when {pair['filter']['when']}: {said}"
    if pair["matched_by"]:
        yield f"  matched by {', '.join(pair['matched_by'])}: {_MATCH[pair['match']]}"
    for parent in pair["parents"]:
        yield f"  {parent['field']}: {_parent(parent)}"


def _parent(parent: dict[str, Any]) -> str:
    if parent["record"] is None:
        return f"left blank, for it has no {parent['via']}" if parent["optional"] else "nothing yet"
    standing = f", {parent['state']}" if parent["state"] else ""
    return f"{parent['salesforce_id'] or 'no row yet'} of {parent['record']}{standing}"


def _conflict(conflict: dict[str, Any]) -> Iterator[str]:
    policy = f" (its policy: {conflict['policy']})" if conflict["policy"] else ""
    yield f"  {paint('conflict', BAD)} {conflict['line']}{policy}: {conflict['reason']}"
    names = {"base": "last agreed", "ours": "LINE", "theirs": "Salesforce"}
    yield output.table([[name, short(conflict[side])] for side, name in names.items()], indent=4)


def attempt_lines(attempt: dict[str, Any], indent: int = 2) -> Iterator[str]:
    """One try: what was sent and what was answered."""
    answer = attempt["answer"] or {}
    said = answer.get("reason") or answer.get("message") or answer.get("id") or ""
    by = (
        ""
        if attempt["mapping_version"] is None
        else f"mapping version {attempt['mapping_version']}"
    )
    line = f"{attempt['at']}  {attempt['operation']}  {attempt['outcome']}  {by}"
    margin = " " * indent
    yield f"{margin}{paint(line.rstrip(), DIM)}"
    if attempt["sent"]:
        yield f"{margin}  {paint('sent ' + short(attempt['sent'], 100), DIM)}"
    if said:
        yield f"{margin}  {paint('answer ' + short(said, 200), DIM)}"


def _list(name: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> Iterator[str]:
    if rows:
        yield f"\n{heading(name)}"
        yield output.table([[row[column] for column in columns] for row in rows])


def _notices(notices: list[dict[str, Any]]) -> Iterator[str]:
    if notices:
        yield f"\n{heading('messages')}"
    for each in notices:
        envelope = each["envelope"]
        parts = [
            each["created_at"],
            each["rule"],
            each["level"],
            envelope["via"],
            envelope["reason"],
        ]
        yield f"  {'  '.join(part for part in parts if part)}"
        for attempt in envelope["tries"]:
            yield from attempt_lines(attempt, indent=4)
