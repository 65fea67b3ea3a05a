"""`connector conflicts`: what waits for a person's decision, and the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.cli.deployment import Deployment, deployment
from connector.cli.options import author_option, data_option, json_option, reveal_option
from connector.cli.output import BAD, DIM, GOOD, heading, paint, short
from connector.domain.states import ConflictKind
from connector.domain.values import Value, moment
from connector.errors import ConnectorError
from connector.sync.desk import conflicts, resolving, rowchoice
from connector.sync.desk.conflicts import Dispute, Scope, Sight
from connector.sync.desk.resolving import Decision, Refused, Way
from connector.sync.upkeep.status import snapshot
from connector.sync.veil import Veil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_SHOWN = 10
_KINDS = [kind.value for kind in ConflictKind]


@click.group("conflicts")
def command() -> None:
    """What only a person can decide: values that differ on both sides, rows that may be whose.

    Begin with: connector conflicts list
    """


@command.command("list")
@click.option("--object", "name", metavar="OBJECT", help="Those of one object, as Contact.")
@click.option("--kind", type=click.Choice(_KINDS), help="Those of one kind.")
@click.option("--line", metavar="LINE", help="Those of one field line, as Email.")
@data_option
@json_option
@reveal_option
def listing(
    name: str | None,
    kind: str | None,
    line: str | None,
    data: Path,
    *,
    as_json: bool,
    reveal: bool,
) -> None:
    """List what is open, oldest first, with the id that `show` and `resolve` take.

    Example: connector conflicts list --object Contact --kind merge
    """
    here, veil, scope = deployment(data), Veil(reveal), Scope(name, kind, line)
    with snapshot(here.store) as session:
        number = conflicts.count(session, scope)
        found = conflicts.listed(session, here.catalogs.live(session), scope)
        told = [_told(each, veil) for each in found]
    if as_json:
        output.put_json({"count": number, "conflicts": told})
    elif not told:
        output.put(paint("nothing waits for a decision", GOOD))
    else:
        rows = [
            [each["id"], each["kind"], each["object"], each["line"] or "", *_sides(each)]
            for each in told
        ]
        output.put(output.table([["id", "kind", "object", "line", "LINE", "Salesforce"], *rows]))
        if number > len(told):
            output.put(
                f"  and {number - len(told)} more: narrow it with --object, --kind or --line"
            )
        output.put(
            "\nwhat to do: connector conflicts show ID, then connector conflicts resolve ID …"
        )


@command.command("show")
@click.argument("reference", metavar="ID")
@data_option
@json_option
@reveal_option
def show(reference: str, data: Path, *, as_json: bool, reveal: bool) -> None:
    """Show one: what both sides agreed on last, what each holds, who entered it, and when.

    The org is asked once for the row as it is now; where it cannot be asked, that is said.

    Example: connector conflicts show 0190a2b4-7c31-7d1e-8f00-2f6c1d9e4a55
    """
    here, veil = deployment(data), Veil(reveal)
    with snapshot(here.store) as session:
        dispute = conflicts.find(session, here.catalogs.live(session), reference)
        told = _told(dispute, veil)
    if dispute.conflict is not None and dispute.is_open:
        told["now"] = _now(_looked(here, dispute), dispute, veil)
    if as_json:
        output.put_json(told)
    else:
        output.put("\n".join(_shown(told)))


@command.command("resolve")
@click.argument("reference", metavar="ID")
@click.option("--line-stands", is_flag=True, help="LINE's value goes to Salesforce.")
@click.option("--salesforce-stands", is_flag=True, help="Salesforce's value goes to LINE.")
@click.option("--value", metavar="V", help="This value goes to both; empty means none.")
@click.option("--row", metavar="SALESFORCE_ID", help="Of a match: that row belongs to the record.")
@click.option("--new-row", is_flag=True, help="Of a match: the record gets a row of its own.")
@click.option("--take-over", is_flag=True, help="With --row: take it from the record that has it.")
@click.option("--reason", required=True, help="Why, for the history.")
@click.option(
    "--same", is_flag=True, help="The same for all others of that mapping, line and kind."
)
@click.option("--dry-run", is_flag=True, help="Say what would be decided, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before --same.")
@author_option
@data_option
@json_option
def resolve(
    reference: str,
    author: str,
    reason: str,
    data: Path,
    *,
    take_over: bool,
    same: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **ways: str | bool | None,
) -> int:
    """Decide a conflict. What was edited since it was shown is weighed again and never lost.

    LINE users get no message about it. With --same the others like it are counted and listed first.

    Example: connector conflicts resolve 0190… --salesforce-stands --reason "the agent phoned her"

    Example: connector conflicts resolve 0190… --value 0912345678 --reason "both were wrong"

    Example: connector conflicts resolve 0190… --row 0035g00000AbCdEAAV --reason "her married name"

    Example: connector conflicts resolve 0190… --line-stands --same --dry-run --reason "the import"
    """
    decision = _decision(ways, author, reason, take_over=take_over)
    if same and decision.given is not None:
        raise click.UsageError("--same goes with --line-stands, --salesforce-stands or --new-row")
    here = deployment(data)
    with here.store.reading() as session:
        dispute = conflicts.find(session, here.catalogs.live(session), reference)
        others = conflicts.like(session, dispute) if same else []
    if decision.way is Way.ROW and dispute.kind == ConflictKind.MATCH:
        rowchoice.refuse_unknown_row(here.gateway, dispute, decision.given or "")
    if others and not as_json:
        _list_others(here, others)
        if not yes and not dry_run:
            click.confirm(
                f"Shall these {len(others)} be decided the same way?", abort=True, err=True
            )
    ids = [dispute.id, *others]
    refused = resolving.resolve(here.store, here.catalogs, ids, decision, dry=dry_run)
    if refused and not others:
        raise refused[0].problem
    _report(ids, refused, as_json=as_json, dry=dry_run)
    return 1 if refused else 0


def _decision(
    ways: dict[str, str | bool | None], author: str, reason: str, *, take_over: bool
) -> Decision:
    chosen = [way for way in Way if ways[way.value] not in (None, False)]
    if len(chosen) != 1:
        raise click.UsageError(
            "give one of --line-stands, --salesforce-stands, --value, --row and --new-row"
        )
    if take_over and chosen[0] is not Way.ROW:
        raise click.UsageError("--take-over goes with --row")
    given = ways[chosen[0].value]
    text = given if isinstance(given, str) else None
    return Decision(chosen[0], author, reason, text, take_over)


def _list_others(here: Deployment, others: Sequence[Any]) -> None:
    output.say(f"{len(others)} others like it:")
    with here.store.reading() as session:
        found = conflicts.of(session, here.catalogs.live(session), others[:_SHOWN])
        rows = [[each.id, each.name, *_sides(_told(each, Veil()))] for each in found]
    output.say(output.table(rows))
    if len(others) > _SHOWN:
        output.say(f"  and {len(others) - _SHOWN} more")


def _report(ids: Sequence[Any], refused: Sequence[Refused], *, as_json: bool, dry: bool) -> None:
    number = len(ids) - len(refused)
    if as_json:
        left = [
            {"id": str(each.id), "code": each.problem.code, "message": each.problem.message}
            for each in refused
        ]
        output.put_json({"resolved": number, "dry_run": dry, "refused": left})
        return
    verb = "would be decided" if dry else "decided; follow it with: connector status"
    output.put(f"{number} {verb}")
    for each in refused[:_SHOWN]:
        output.put(f"  {each.id} {paint('not decided', BAD)}: {each.problem.message}")
        output.put(f"    what to do: {each.problem.fix}")
    if len(refused) > _SHOWN:
        output.put(f"  and {len(refused) - _SHOWN} more: see them with --json")


def _looked(here: Deployment, dispute: Dispute) -> Sight:
    try:
        return conflicts.look(here.gateway, dispute)
    except ConnectorError as problem:
        return Sight(problem=f"the org could not be asked: {problem.message}")


def _now(sight: Sight, dispute: Dispute, veil: Veil) -> dict[str, Any]:
    fields = veil.fields(dispute.mapping, sight.fields)
    return {"salesforce": fields, "by": sight.by, "at": sight.at, "problem": sight.problem}


def _told(each: Dispute, veil: Veil) -> dict[str, Any]:
    conflict = each.conflict
    sides = ("base", "ours", "theirs")
    told = dict(conflict.told or {}) if conflict is not None else {}
    resolved = conflict.resolved_at if conflict is not None else None
    return {
        "id": str(each.id),
        "kind": each.kind,
        "open": each.is_open,
        "record": each.name,
        "mapping": each.pair.mapping,
        "object": each.pair.object,
        "salesforce_id": each.pair.salesforce_id,
        "line": each.line_id,
        **{side: veil.fields(each.mapping, getattr(conflict, side, None)) for side in sides},
        "entered": {"line": told.get("ours"), "salesforce": told.get("theirs")},
        "sought": veil.values(each.record.kind, conflicts.sought(each)) if conflict is None else {},
        "reason": veil.text(each.reason, each.personal),
        "next_step": each.next_step,
        "opened_at": moment(each.opened_at),
        "resolved_at": moment(resolved) if resolved is not None else None,
        "resolved_by": conflict.resolved_by if conflict is not None else None,
        "decision": conflict.decision if conflict is not None else None,
    }


def _sides(told: dict[str, Any]) -> list[str]:
    if told["sought"]:
        return [short(_only(told["sought"]), 30), ""]
    return [short(_only(told[side]), 30) for side in ("ours", "theirs")]


def _only(fields: Value) -> Value:
    """The values without their fields' names, which the line tells already."""
    if not isinstance(fields, dict):
        return "" if fields is None else fields
    values = [value for value in fields.values() if value is not None]
    return values[0] if len(values) == 1 else ", ".join(map(str, values))


def _shown(told: dict[str, Any]) -> Iterator[str]:
    state = paint("open", BAD) if told["open"] else paint("closed", GOOD)
    yield f"{heading(told['kind'])} {told['id']}  {state}, asked {told['opened_at']}"
    yield f"{told['record']}  {told['object']} {told['salesforce_id'] or 'no row yet'}"
    yield told["reason"]
    yield ""
    if told["sought"]:
        yield output.table([[name, short(value)] for name, value in told["sought"].items()])
    else:
        entered = told["entered"]
        rows = [
            ["agreed on last", _only(told["base"]), ""],
            ["LINE", _only(told["ours"]), _who(entered["line"], "LINE user")],
            ["Salesforce", _only(told["theirs"]), _who(entered["salesforce"], "")],
            *_shown_now(told.get("now")),
        ]
        yield output.table([[side, short(value), who] for side, value, who in rows])
    if told["open"]:
        yield f"\nwhat to do: {told['next_step']}"
        yield f"for example: connector conflicts resolve {told['id']} {_example(told)} --reason …"
    else:
        decision = (told["decision"] or {}).get("way", "")
        yield paint(f"\n{told['resolved_at']}  {told['resolved_by']}  {decision}".rstrip(), DIM)


def _shown_now(now: dict[str, Any] | None) -> list[list[Any]]:
    if now is None:
        return []
    if now["problem"]:
        return [["Salesforce now", "", now["problem"]]]
    return [
        ["Salesforce now", _only(now["salesforce"]), f"row last changed {now['at']} by {now['by']}"]
    ]


def _who(entered: dict[str, Any] | None, otherwise: str) -> str:
    if not entered:
        return ""
    side = entered.get("side")
    by = entered.get("by") or {"line": otherwise, "salesforce": "Salesforce"}.get(side or "", "")
    return f"entered {entered['at']}" + (f" by {by}" if by else "")


def _example(told: dict[str, Any]) -> str:
    if told["kind"] == ConflictKind.MATCH:
        return "--row SALESFORCE_ID"
    return "--value V" if told["kind"] == ConflictKind.VALUE else "--salesforce-stands"
