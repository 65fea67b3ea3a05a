"""What the org made of rows written by a job: read by Id, up to 10,000 rows a call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from connector.domain.faults import Fault
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.outcomes import WriteOutcome
from connector.salesforce.plans import WriteIntent
from connector.salesforce.steps import Read, Result, Row, Rows, StepFailed

_ROWS = 2_000
_STEPS = 5


def read_back(
    gateway: Gateway, intents: Sequence[WriteIntent], told: dict[str, WriteOutcome]
) -> dict[str, WriteOutcome]:
    """The outcomes with the rows as they stand now, for intents of one object that ask for them."""
    written = [intent for intent in intents if intent.read_back and told[intent.ref].ok is not None]
    names = list(dict.fromkeys(name for intent in written for name in intent.read_back))
    steps = [
        (
            Read(
                f"b{at}", portion[0].object, [_id(told, each) for each in portion], ["Id", *names]
            ),
            portion,
        )
        for at, portion in enumerate(_portions(written))
    ]
    seen: dict[str, WriteOutcome] = {}
    for at in range(0, len(steps), _STEPS):
        for result, portion in _ask(gateway, steps[at : at + _STEPS]):
            rows = _rows(result, len(portion))
            for intent, row in zip(portion, rows, strict=True):
                seen[intent.ref] = _seen(told[intent.ref], row)
    return told | seen


def _portions(intents: Sequence[WriteIntent]) -> Iterator[Sequence[WriteIntent]]:
    for at in range(0, len(intents), _ROWS):
        yield intents[at : at + _ROWS]


def _ask(
    gateway: Gateway, steps: Sequence[tuple[Read, Sequence[WriteIntent]]]
) -> Iterator[tuple[Result, Sequence[WriteIntent]]]:
    try:
        results = gateway.run([step for step, _ in steps]).results
    except CallFailed as failed:
        results = {step.ref: StepFailed(failed.fault) for step, _ in steps}
    for step, portion in steps:
        yield results[step.ref], portion


def _rows(result: Result, size: int) -> Sequence[Row | Fault | None]:
    if isinstance(result, Rows):
        return result.rows
    fault = result.fault if isinstance(result, StepFailed) else None
    return [fault] * size


def _seen(outcome: WriteOutcome, row: Row | Fault | None) -> WriteOutcome:
    if isinstance(row, Fault):
        return replace(outcome, read_fault=row)
    return replace(outcome, row=row)


def _id(told: dict[str, WriteOutcome], intent: WriteIntent) -> str:
    ok = told[intent.ref].ok
    return ok.id if ok is not None else ""
