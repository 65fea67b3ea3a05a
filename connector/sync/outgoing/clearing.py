"""What an erased person's row is left with: nothing that says who they were.

A field that the org does not let us leave blank gets a word that stands for nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from connector.domain.faults import Fault
from connector.domain.states import EffectState, OutboxState
from connector.domain.values import Value
from connector.mapping.parts.compiled import CompiledMapping, Line
from connector.mapping.schema import FieldSchema
from connector.store.tables import Outbox, Pair
from connector.sync import outbox
from connector.sync.pairs.jobs import Done, Job, Later, Stopped
from connector.sync.privacy import copies

_CONVERTED = "CANNOT_UPDATE_CONVERTED_LEAD"
_CONVERTED_STEP = (
    "Delete the converted Lead in Salesforce, or let an administrator with the permission View and "
    "Edit Converted Leads clear it; then redrive."
)
NOBODY = "(erased)"
_NOBODYS_ADDRESS = "erased@example.invalid"
# A person account needs one, though its describe says that the field may be blank.
_NEVER_BLANK = frozenset({"LastName"})
_TEXTS = frozenset({"string", "textarea", "phone", "encryptedstring", "combobox"})


def blanks(mapping: CompiledMapping) -> dict[str, Value]:
    """The personal fields of a mapping, each with what is written into it."""
    found: dict[str, Value] = {}
    for line in mapping.lines:
        if not is_personal(mapping, line):
            continue
        for schema in line.schemas:
            if schema.updateable:
                found.update(_blank(line, schema))
    return found


def is_personal(mapping: CompiledMapping, line: Line) -> bool:
    """Whether a line says something of a person: as the mapping states it, else by what it is made from."""
    if line.personal is not None:
        return line.personal
    names = {*line.inputs, *([line.source] if line.source else [])}
    return any(_is_of_a_person(mapping, name) for name in names)


def may_still_come(job: Job, now: datetime, unseen_for: timedelta) -> bool:
    """Whether a create of unknown outcome may yet make the row that is to be cleared."""
    pair = job.pair
    if not (pair.erasing and pair.unseen_write) or job.salesforce_id is not None:
        return False
    return pair.written_at is not None and now - pair.written_at <= unseen_for


def begun_before(session: Session, job: Job, row: Outbox, pair: Pair, now: datetime) -> None:
    """The person was erased while this was under way: what was written is known only to be cleared."""
    result = job.result
    if result is not None and result.ok is not None:
        pair.salesforce_id = result.ok.id
    elif isinstance(job.end, Later) and job.end.unseen_write:
        pair.unseen_write, pair.written_at = True, now
    job.outcome, job.result, job.end = None, None, Done()
    outbox.settle(session, row, EffectState.OPEN, job.record.version, recheck=True)


def refusal(job: Job, fault: Fault) -> Stopped | None:
    """A converted Lead cannot be written any more, but what it says of the person is still there."""
    if not job.pair.erasing or fault.code != _CONVERTED:
        return None
    reason = f"{fault.code}: {fault.message}"
    return Stopped(OutboxState.PARKED, reason, _CONVERTED_STEP, fault)


def _is_of_a_person(mapping: CompiledMapping, name: str) -> bool:
    if name in mapping.schema.values:
        return name in copies.personal(mapping.kind, mapping.schema)
    relation, _, rest = name.partition(".")
    return rest in copies.personal(mapping.schema.relations.get(relation, ""))


def _blank(line: Line, schema: FieldSchema) -> dict[str, Value]:
    may_be_blank = schema.nillable and schema.name not in _NEVER_BLANK
    if may_be_blank or schema.type == "boolean":
        return dict(line.canonical({schema.name: None}))
    if schema.type == "email":
        return {schema.name: _NOBODYS_ADDRESS}
    if schema.type in _TEXTS:
        return {schema.name: NOBODY[: schema.length or None]}
    return {}
