"""What became of each intent of a plan: the answers of its calls, told row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from connector.domain.faults import Fault
from connector.mapping.canonical import long_id
from connector.salesforce.faults import fault_of
from connector.salesforce.planner import Call
from connector.salesforce.steps import Answer, Row, RowFailed, RowOk, Rows, StepFailed


@dataclass(frozen=True)
class WriteOutcome:
    """One intent's end; `date` is the org's clock at the write.

    `ok` when written, `faults` when refused, `row` as read back. `split`: the whole step of several
    rows was refused, so the culprit is yet to be found by smaller steps.
    `read_fault`: written, but the read-back failed.
    """

    ok: RowOk | None
    faults: tuple[Fault, ...] = ()
    row: Row | None = None
    date: datetime | None = None
    split: bool = False
    read_fault: Fault | None = None

    @property
    def failed(self) -> bool:
        """Whether the row was refused."""
        return bool(self.faults)


def collect(
    call: Call, answer: Answer, earlier: Mapping[str, WriteOutcome] | None = None
) -> dict[str, WriteOutcome]:
    """The outcomes of all that this call wrote or read, on top of those of earlier calls.

    A child of a parent that failed is collateral, whatever its own error code says.
    """
    outcomes = dict(earlier or {})
    for step, refs in call.rows.items():
        result = answer.results[step]
        if isinstance(result, StepFailed):
            refused = WriteOutcome(None, (result.fault,), date=answer.date, split=len(refs) > 1)
            outcomes.update(dict.fromkeys(refs, refused))
        elif not isinstance(result, Rows):
            told = zip(refs, result, strict=True)
            outcomes.update({ref: _outcome(row, answer.date) for ref, row in told})
    _spare_children(call, outcomes)
    _read_back(call, answer, outcomes)
    return outcomes


def failed_with(call: Call, fault: Fault) -> dict[str, WriteOutcome]:
    """The outcomes of a call that failed as a whole, its write rows all with that fault."""
    written = list(_written(call))
    smallest = len({call.bonds.get(ref, ref) for ref in written}) < 2
    return {ref: WriteOutcome(None, (fault,), split=not smallest) for ref in written}


def orphans(call: Call, outcomes: Mapping[str, WriteOutcome]) -> dict[str, WriteOutcome]:
    """The intents of a coming call whose parent failed earlier, as collateral.

    Hold them with `planner.without`.
    """
    lost = {ref for ref, outcome in outcomes.items() if outcome.failed}
    found: dict[str, WriteOutcome] = {}
    for ref in _written(call):
        parents = call.parents.get(ref, ())
        if any(parent in lost or parent in found for parent in parents):
            found[ref] = WriteOutcome(None, (_collateral(),))
    broken = {call.bonds[ref] for ref in found if ref in call.bonds}
    for ref in _written(call):
        if call.bonds.get(ref) in broken:
            found[ref] = WriteOutcome(None, (_collateral(),))
    return found


def _written(call: Call) -> Iterable[str]:
    return (ref for refs in call.rows.values() for ref in refs)


def _spare_children(call: Call, outcomes: dict[str, WriteOutcome]) -> None:
    for ref in _written(
        call
    ):  # steps stand in order of levels: parents are told before their children
        outcome = outcomes[ref]
        bond = call.bonds.get(ref)  # in a graph the org itself says which row is to blame
        parents = [up for up in call.parents.get(ref, ()) if call.bonds.get(up, "") != bond]
        if outcome.failed and any(
            parent in outcomes and outcomes[parent].failed for parent in parents
        ):
            outcomes[ref] = replace(outcome, faults=(_collateral(),), split=False)


def _read_back(call: Call, answer: Answer, outcomes: dict[str, WriteOutcome]) -> None:
    for query, refs in call.read_backs.items():
        result = answer.results[query]
        if isinstance(result, StepFailed):
            _mark_unread(refs, result.fault, outcomes)
        elif isinstance(result, Rows):
            _attach(result.found, refs, outcomes)


def _mark_unread(refs: Iterable[str], fault: Fault, outcomes: dict[str, WriteOutcome]) -> None:
    for ref in refs:
        if ref in outcomes:
            outcomes[ref] = replace(outcomes[ref], read_fault=fault)


def _attach(rows: list[Row], refs: Iterable[str], outcomes: dict[str, WriteOutcome]) -> None:
    by_id = {long_id(str(row["Id"])): row for row in rows}
    for ref in refs:
        outcome = outcomes.get(ref)
        if outcome is not None and outcome.ok is not None:
            outcomes[ref] = replace(outcome, row=by_id.get(outcome.ok.id))


def _outcome(result: RowOk | RowFailed, date: datetime) -> WriteOutcome:
    if isinstance(result, RowOk):
        return WriteOutcome(result, date=date)
    return WriteOutcome(None, result.faults, date=date)


def _collateral() -> Fault:
    return fault_of("PARENT_FAILED", "The record this one belongs to was not written.")
