"""An operator corrects what stands still: a value of a record, or the body of what could not be read.

What it was is kept beside what it is now, with who changed it and why; then it comes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.lines import Direction, Policy, Write
from connector.domain.records import RecordSchema
from connector.domain.values import Value, Values
from connector.errors import ConnectorError
from connector.mapping.parts.compiled import CompiledMapping, Line, LineProblem
from connector.store.session import Store
from connector.store.tables import Pair, Received, Record
from connector.sync import acts, views
from connector.sync.catalog import Catalog, Catalogs
from connector.sync.changes import alter
from connector.sync.desk import bodies, entering, redriving, stuck
from connector.sync.desk.standing import What
from connector.sync.desk.stuck import Handle
from connector.sync.incoming.inbound import lock_record
from connector.sync.incoming.intake import scene_for


@dataclass(frozen=True)
class Edit:
    """One value, before and after, and what Salesforce is sent for it."""

    name: str
    before: Value
    after: Value
    kind: str | None = None  # of the record; None where it is a part of a body
    sends: Values = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class By:
    """Who edits, and why."""

    author: str
    reason: str


def amend(
    store: Store,
    catalogs: Catalogs,
    reference: str,
    wanted: Mapping[str, str],
    by: By,
    *,
    body: Value = None,
    dry: bool = False,
) -> list[Edit]:
    """Correct one thing that stands still and bring it back; with `dry` say only what would change."""
    with store.transaction() as session:
        found = stuck.find(session, reference)
        what, number = found[0]
        if what is What.INBOX:
            return _amend_body(session, found, wanted, body, by, dry=dry)
        if what is What.ENVELOPE or body is not None:
            raise _not_so(what, reference)
        record = lock_record(session, session.get_one(Pair, number).record_id)
        catalog = catalogs.live(session)
        edits = list(_plan(session, catalog, record, wanted))
        if not dry:
            _amend_record(session, catalogs, record, edits, found, by)
        return edits


def _not_so(what: What, reference: str) -> ConnectorError:
    if what is What.ENVELOPE:
        return ConnectorError(
            "message_not_edited",
            "a message is not edited: it is made from its template",
            f"Mend the template, publish it, then: connector dead redrive {reference}",
        )
    return ConnectorError(
        "no_body",
        "a record has values, not a body: --body is for what could not be read (inbox:…)",
        "Give --set NAME=VALUE.",
    )


# -- a record's values


def _plan(
    session: Session, catalog: Catalog, record: Record, wanted: Mapping[str, str]
) -> Iterator[Edit]:
    """Every edit, each refused where no mapping could carry it."""
    schema = _schema(catalog, record)
    values = {
        entering.known_name(schema, name): entering.read(schema, name, text)
        for name, text in wanted.items()
    }
    seen = {**views.view_of(session, record), **values}
    mappings = catalog.by_kind.get(record.kind, ())
    for name, value in values.items():
        note = _note(mappings, name)
        sends = _sends(mappings, name, seen)
        yield Edit(name, record.values.get(name), value, record.kind, sends, note)


def _schema(catalog: Catalog, record: Record) -> RecordSchema:
    found = catalog.kinds.get(record.kind)
    if found is None:
        raise ConnectorError(
            "form_withdrawn",
            f"the form {record.kind} is not live, so nobody can say what its answers may be",
            f"Publish forms/{record.kind}.yaml again, then edit.",
        )
    return found


def _note(mappings: Sequence[CompiledMapping], name: str) -> str:
    """What the mappings do with a value, where it is not simply sent; refuses what Salesforce owns."""
    lines = [
        (mapping, line) for mapping in mappings for line in mapping.lines if line.source == name
    ]
    if not any(name in mapping.inputs for mapping in mappings):
        for mapping, line in lines:
            where = f"{mapping.object}.{','.join(line.fields)}"
            raise ConnectorError(
                "salesforce_owns",
                f"{name} comes from Salesforce: {where}, by the mapping {mapping.name}",
                f"Edit {where} in Salesforce; it arrives here by itself.",
            )
        return "no mapping sends it to Salesforce"
    both = [line for _, line in lines if line.direction is Direction.BOTH]
    if any(line.policy is Policy.SALESFORCE_WINS for line in both):
        return "where Salesforce was edited too, Salesforce wins"
    sent = [line for _, line in lines if line.outbound]
    if sent and all(line.write is Write.CREATE for line in sent):
        return "the mapping sends it to new rows only"
    return ""


def _sends(mappings: Sequence[CompiledMapping], name: str, seen: Values) -> dict[str, Value]:
    """What Salesforce would hold, by object and field; refuses a value that a line cannot carry."""
    found: dict[str, Value] = {}
    for mapping in mappings:
        for line in (each for each in mapping.outbound if name in each.inputs):
            found |= {f"{mapping.object}.{field}": v for field, v in _carried(line, seen).items()}
    return found


def _carried(line: Line, seen: Values) -> Values:
    try:
        return line.forward(seen)
    except LineProblem as problem:
        raise ConnectorError("bad_value", problem.message, problem.next_step) from problem


def _amend_record(
    session: Session,
    catalogs: Catalogs,
    record: Record,
    edits: Sequence[Edit],
    found: Sequence[Handle],
    by: By,
) -> None:
    names: list[Value] = [edit.name for edit in edits]
    told = {**redriving.told(found), "reason": by.reason, "names": names}
    act = acts.act(session, "edit", by.author, told, person=record.person_id)
    scene = scene_for(session, catalogs, datetime.now(UTC), (act.id,), "operator")
    scene.author = by.author
    values = {edit.name: edit.after for edit in edits}
    alter(scene, record, Change(record.id, record.kind, values, notify=False))
    redriving.bring_back(session, found, act)


# -- the body of what could not be read


def _amend_body(
    session: Session,
    found: Sequence[Handle],
    wanted: Mapping[str, str],
    body: Value,
    by: By,
    *,
    dry: bool,
) -> list[Edit]:
    _, number = found[0]
    row = session.get_one(Received, number, with_for_update=True)
    amended = bodies.with_parts(row.body if body is None else bodies.whole(body), wanted)
    edits = [Edit(*change) for change in bodies.differences(row.body, amended)]
    if edits and not dry:
        told = {**redriving.told(found), "reason": by.reason}
        act = acts.act(session, "edit", by.author, told, person=row.person_id)
        row.original = row.body if row.original is None else row.original
        row.body, row.edited_by = amended, by.author
        session.flush()
        redriving.bring_back(session, found, act)
    return edits
