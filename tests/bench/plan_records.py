"""A plan over many repair requests whose Cases stand in the org: its time beyond the API's own, and its memory.

    python -m tests.bench.plan_records [records] [--latency MS]

Every tenth request holds what Salesforce would refuse, and every other one would have a shorter subject
under the edited mapping. `connector mappings plan` runs as a process of its own; the API's own time is
what the org took to answer its calls, latency and work together.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from connector.bootstrap import STARTER, System
from connector.domain.identifiers import uuid7
from connector.mapping.loader import read_folder
from connector.mapping.parts.compiled import CompiledMapping, LineProblem
from connector.store.tables import Pair, Record
from connector.sync import views
from connector.sync.pairs import weighing
from simulator.salesforce.faults import CallState, RowFaults
from simulator.salesforce.org import Addresses, SalesforceOrg
from simulator.salesforce.writes import Writer
from tests.bench.deployment import deployed
from tests.bench.org import SimulatedOrg

RECORDS, FAULTY, CHUNK = 100_000, 10, 2000
MAPPING, EDITED = "repair_request-case", "repair_request-case.yaml"
ROW = "Id, LINE_Key__c, CaseNumber, Status"
KEPT, CUT = "{truncate: 255}", "{truncate: 8}"


def subject(number: int) -> str:
    """Of every other one more than eight characters."""
    return f"不冷{number:06}" if number % 2 else f"冷氣不冷了{number:06}"


def make_cases(home: Path, keys: list[str]) -> None:
    """Cases with our keys, in the folder of an org that does not run yet."""
    org = SalesforceOrg(home, Addresses())
    user = org.user(org.credentials.agent.username)
    case = org.schema.get("Case")
    for start in range(0, len(keys), CHUNK):
        with org.store.transaction(user["Id"]) as transaction:
            writer = Writer(transaction, RowFaults(org.board, [], None, CallState()), org.rulebook)
            for at in range(start, min(start + CHUNK, len(keys))):
                fields = {"Subject": subject(at), "LINE_Key__c": keys[at], "Origin": "LINE"}
                writer.create(
                    case, {**fields, "Priority": "High", "SuppliedPhone": "+886912345678"}
                )
    org.close()


def make_records(system: System, keys: list[str]) -> None:
    """Requests that are paired with those Cases."""
    with system.store.reading() as session:
        mapping = system.catalogs.live(session).mappings[MAPPING]
    org_id = system.gateway.organization_id()
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        found: dict[str, dict[str, Any]] = {}
        for at in range(0, len(part), 200):
            few = ", ".join(f"'{key}'" for key in part[at : at + 200])
            text = f"SELECT {ROW} FROM Case WHERE LINE_Key__c IN ({few})"
            found |= {row["LINE_Key__c"]: row for row in system.gateway.query(text)}
        records = [_record(start + at, found[key]) for at, key in enumerate(part)]
        pairs = [
            _pair(mapping, org_id, record, key, found[key])
            for record, key in zip(records, part, strict=True)
        ]
        with system.store.transaction() as session:
            session.execute(insert(Record).values(records))
            session.execute(insert(Pair).values(pairs))


def _record(number: int, row: dict[str, Any]) -> dict[str, Any]:
    phone = "ext. " * 12 if number % FAULTY == 0 else "+886912345678"
    values = {
        **views.blank_values("repair_request"),
        "symptom": subject(number),
        "urgency": "high",
        "contact_phone": phone,
        "status": "received",
        "case_number": row["CaseNumber"],
    }
    return {"id": uuid7(), "kind": "repair_request", "values": values, "version": 1}


def _pair(
    mapping: CompiledMapping, org_id: str, record: dict[str, Any], key: str, row: dict[str, Any]
) -> dict[str, Any]:
    base: dict[str, Any] = {}
    for line in mapping.outbound:
        try:
            base |= weighing.based(line, line.forward(record["values"]), None, mapping.version)
        except LineProblem:
            continue
    for line in mapping.inbound:
        theirs = weighing.theirs_of(line, row)
        if theirs is not None:
            base |= weighing.based(line, theirs, line.inverse(theirs), mapping.version)
    place = {"object": "Case", "org_id": org_id, "salesforce_id": row["Id"]}
    pair = {"id": uuid7(), "record_id": record["id"], "mapping": mapping.name, "key": key}
    return {**pair, **place, "base": base, "match": "none", "state": "open", "version": 1}


@dataclass(frozen=True)
class Measured:
    """What the command told, its seconds, its peak in MiB."""

    told: dict[str, Any]
    seconds: float
    peak: float


def plan(environment: dict[str, str], folder: Path, home: str) -> Measured:
    """Run the command."""
    command = [sys.executable, "-m", "connector", "mappings", "plan", str(folder), "--json"]
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--anew", "--data", home],
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, told
    return Measured(json.loads(told), time.perf_counter() - begun, usage.ru_maxrss / 1024)


def edited(home: Path) -> Path:
    """The starter set with shorter subjects."""
    folder = home / "mappings"
    for path, text in read_folder(STARTER).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace(KEPT, CUT) if path == EDITED else text, "utf-8")
    return folder


def main() -> None:
    """Print time, calls and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="?", type=int, default=RECORDS)
    parser.add_argument("--latency", type=int, default=150, metavar="MS", help="of each API call")
    asked = parser.parse_args()
    keys = [str(uuid7()) for _ in range(asked.records)]
    with deployed(make_cases, keys) as here:
        make_records(here.system, keys)
        with here.system.store.engine.connect() as connection:
            connection.execute(sa.text("ANALYZE"))
        _slow(here.org, asked.latency)
        before = here.org.calls()
        done = plan(here.environment, edited(here.home), str(here.home / "data"))
        calls, own = answered(here.org, before)
        counts = done.told["mappings"][MAPPING]
        print(
            f"{asked.records:,} repair requests, one in {FAULTY} faulty, {asked.latency} ms a call"
        )
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(f"in all            {done.seconds:8.1f} s")
        print(f"the API's own     {own:8.1f} s  ({calls} calls)")
        print(f"beyond that       {done.seconds - own:8.1f} s")
        print(f"peak memory       {done.peak:8.0f} MiB")
        print({name: counts[name] for name in ("update", "unchanged", "reject", "fields")})


def answered(org: SimulatedOrg, since: int) -> tuple[int, float]:
    """How many calls the org answered since, and how long that took it."""
    found = requests.get(f"{org.url}/_simulator/calls", params={"since": since}, timeout=60).json()
    return len(found), sum(each["ms"] for each in found) / 1000


def _slow(org: SimulatedOrg, latency: int) -> None:
    fault = {"fault": "latency", "params": {"ms": latency, "jitter_ms": 0}, "match": {}}
    requests.post(f"{org.url}/_simulator/faults", json=fault, timeout=5).raise_for_status()


if __name__ == "__main__":
    main()
