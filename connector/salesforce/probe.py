"""Would the org take our rows? Made-up ones are written all or none and undone in the same call.

Required fields, validation and duplicate rules, flows and triggers speak, and no row stays; auto-numbers
that were drawn do not come back. A refused row halts the call, so each call names one culprit, which
is then left out together with the rows that name it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.domain.faults import Fault, FaultKind
from connector.domain.identifiers import uuid7
from connector.domain.values import Value
from connector.mapping.parts.compiled import CompiledMapping, LineProblem, Parent
from connector.salesforce.composite import MAX_REHEARSED, MAX_STEPS, REFERENCE
from connector.salesforce.doctor import Finding
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.planner import KEY_FIELD
from connector.salesforce.samples import sample
from connector.salesforce.soql import in_list, select
from connector.salesforce.steps import Query, Rows, Upsert

_TRIES = 3


@dataclass(frozen=True)
class _Trial:
    """A made-up row of one mapping; `parents` are the mappings whose rows it names."""

    mapping: str
    upsert: Upsert
    parents: tuple[str, ...]


def probe(gateway: Gateway, mappings: Sequence[CompiledMapping], now: datetime) -> list[Finding]:
    """Try to create one row of each mapping that creates rows, and prove that none stays."""
    created = [mapping for mapping in mappings if _makes_rows(mapping)]
    keys = {mapping.name: str(uuid7()) for mapping in created}
    try:
        trials, findings = _trials(gateway, created, keys, now)
        for portion in _portions(trials):
            findings += _rehearse(gateway, portion)
        findings.append(_nothing_stays(gateway, [trial.upsert for trial in trials]))
    except CallFailed as failed:
        return [Finding(ok=False, what=f"Salesforce: {failed.message}", fix=failed.fix)]
    return findings


def _makes_rows(mapping: CompiledMapping) -> bool:
    return mapping.enabled and mapping.create != "salesforce" and mapping.row_of is None


# -- the rows


def _trials(
    gateway: Gateway, mappings: Sequence[CompiledMapping], keys: Mapping[str, str], now: datetime
) -> tuple[list[_Trial], list[Finding]]:
    """The rows to try, parents first, and what cannot even be tried."""
    trials: dict[str, _Trial] = {}
    findings: list[Finding] = []
    waiting = list(mappings)
    while waiting:
        ready = [each for each in waiting if not _needs(each, waiting)] or waiting
        for mapping in ready:
            waiting.remove(mapping)
            try:
                trials[mapping.name] = _trial(gateway, mapping, keys, trials, now)
            except LineProblem as problem:
                findings.append(_wrong(mapping, problem.message, problem.fix))
            except _Untried as untried:
                findings.append(untried.finding)
    return list(trials.values()), findings


class _Untried(Exception):
    """A row that cannot be put together."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


def _needs(mapping: CompiledMapping, waiting: Sequence[CompiledMapping]) -> bool:
    others = {each.name for each in waiting if each is not mapping}
    return any(parent.mapping in others for parent in mapping.parents)


def _trial(
    gateway: Gateway,
    mapping: CompiledMapping,
    keys: Mapping[str, str],
    trials: Mapping[str, _Trial],
    now: datetime,
) -> _Trial:
    view = sample(mapping, now)
    row: dict[str, Value] = {}
    for line in mapping.outbound:
        if line.lookup is None:
            row |= {name: value for name, value in line.forward(view).items() if value is not None}
    named: list[str] = []
    for parent in mapping.parents:
        if parent.mapping is not None and parent.mapping in trials:
            row[parent.relationship_name] = {KEY_FIELD: keys[parent.mapping]}
            named.append(parent.mapping)
        else:
            row |= _standing_in(gateway, mapping, parent, keys)
    if REFERENCE.decode() in json.dumps(row):
        raise _Untried(_wrong(mapping, "it was not tried: a constant holds @{", "Try it by hand."))
    upsert = Upsert(
        mapping.name, mapping.object, KEY_FIELD, [{**row, KEY_FIELD: keys[mapping.name]}]
    )
    return _Trial(mapping.name, upsert, tuple(named))


def _standing_in(
    gateway: Gateway, mapping: CompiledMapping, parent: Parent, keys: Mapping[str, str]
) -> dict[str, Value]:
    """Any row of a parent object that only Salesforce fills."""
    if parent.mapping not in keys:
        found = gateway.query(f"{select(['Id'], parent.object)} LIMIT 1")
        if found:
            return {parent.field: str(found[0]["Id"])}
    if parent.optional:
        return {}
    if parent.mapping in keys:
        raise _Untried(_spared(mapping.name, mapping.object, f"that of {parent.mapping}"))
    fix = f"Make a {parent.object} in the org, then probe again."
    what = f"it was not tried: it needs a {parent.object}, and the org shows none"
    raise _Untried(_wrong(mapping, what, fix))


def _portions(trials: Sequence[_Trial]) -> Iterator[list[_Trial]]:
    """As many rows as one call takes, each together with the rows it names."""
    by_name = {trial.mapping: trial for trial in trials}
    held: dict[str, _Trial] = {}
    for trial in trials:
        wanted = _family(trial, by_name)
        if held and len(held.keys() | wanted.keys()) > MAX_REHEARSED:
            yield list(held.values())
            held = {}
        held |= wanted
    if held:
        yield list(held.values())


def _family(trial: _Trial, by_name: Mapping[str, _Trial]) -> dict[str, _Trial]:
    found: dict[str, _Trial] = {}
    for name in trial.parents:
        found |= _family(by_name[name], by_name)
    return {**found, trial.mapping: trial}


# -- the calls


def _rehearse(gateway: Gateway, trials: Sequence[_Trial]) -> Iterator[Finding]:
    """Try rows until none of those left is refused."""
    left, tries = list(trials), 0
    while left:
        told = gateway.rehearse([trial.upsert for trial in left])
        if not told.refused:
            yield from (_fine(trial) for trial in left)
            return
        tries += 1
        if tries < _TRIES and _passing(told.refused.values()):
            continue
        tries = 0
        for trial in [each for each in left if each.mapping in told.refused]:
            yield from (_refused(trial, fault) for fault in told.refused[trial.mapping])
        lost = set(told.refused)
        for trial in left:
            if trial.mapping not in lost and lost & set(trial.parents):
                lost.add(trial.mapping)
                named = next(name for name in trial.parents if name in lost)
                yield _spared(trial.mapping, trial.upsert.object, f"that of {named}")
        left = [trial for trial in left if trial.mapping not in lost]


def _passing(refused: Collection[tuple[Fault, ...]]) -> bool:
    return all(fault.kind is FaultKind.RETRY for faults in refused for fault in faults)


def _nothing_stays(gateway: Gateway, upserts: Sequence[Upsert]) -> Finding:
    """The proof: the rows' keys are asked for."""
    queries = [
        Query(each.ref, select(["Id"], each.object, in_list(KEY_FIELD, _keys(each))))
        for each in upserts
    ]
    left: list[str] = []
    unseen: list[str] = []
    for at in range(0, len(queries), MAX_STEPS):
        some = queries[at : at + MAX_STEPS]
        results = gateway.run(some).results
        for query, upsert in zip(some, upserts[at : at + MAX_STEPS], strict=True):
            result = results[query.ref]
            if isinstance(result, Rows):
                left += [f"{upsert.object} {row['Id']}" for row in result.found]
            else:
                unseen.append(upsert.object)
    return _proof(left, unseen)


def _proof(left: Sequence[str], unseen: Sequence[str]) -> Finding:
    if left:
        what = f"rows that were tried are still there: {', '.join(left)}"
        return Finding(ok=False, what=what, fix="Delete them in Salesforce: they are made-up rows.")
    if unseen:
        what = f"whether a row stayed cannot be seen: {', '.join(dict.fromkeys(unseen))}"
        return Finding(ok=False, what=what, fix=f"Let the integration user read {KEY_FIELD} there.")
    return Finding(ok=True, what="of the rows that were tried, none stayed in the org")


def _keys(upsert: Upsert) -> list[str]:
    return [str(row[KEY_FIELD]) for row in upsert.rows]


# -- what is said


def _fine(trial: _Trial) -> Finding:
    return Finding(ok=True, what=f"{trial.mapping}: the org would take a new {trial.upsert.object}")


def _refused(trial: _Trial, fault: Fault) -> Finding:
    what = f"{trial.mapping}: a new {trial.upsert.object} is refused: {fault.code}: {fault.message}"
    fix = fault.next_step.replace(", then redrive", ", then probe again")
    return Finding(ok=False, what=what, fix=fix)


def _spared(mapping: str, name: str, needed: str) -> Finding:
    what = f"{mapping}: a new {name} was not tried: it needs {needed}, which was refused"
    return Finding(ok=False, what=what, fix="Mend that one first, then probe again.")


def _wrong(mapping: CompiledMapping, what: str, fix: str) -> Finding:
    return Finding(ok=False, what=f"{mapping.name}: {what}", fix=fix)
