"""A backfill of many Contacts, next to a raw Bulk download and CSV parse of the same rows.

    python -m tests.bench.backfill_million [rows] [pairs]

Fills a simulated org with Contacts of strangers, pairs some of them with members here (one in a hundred
was edited unseen), reads all of them raw, then calls `connector backfill Contact` as a process of its
own and tells both rates, their ratio and that process's peak memory. Both ways include the job's wait.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from connector.bootstrap import System
from connector.domain.identifiers import uuid7
from connector.mapping.parts.compiled import CompiledMapping
from connector.salesforce import soql
from connector.salesforce.bulk.query import BulkQuery
from connector.salesforce.bulk.values import as_row, cells
from connector.store.tables import Pair, Record
from connector.sync.live.polled_fields import polled_fields
from connector.sync.pairs import weighing
from simulator.salesforce.faults import CallState, RowFaults
from simulator.salesforce.org import Addresses, SalesforceOrg
from simulator.salesforce.writes import Writer
from tests.bench.deployment import deployed
from tests.bench.org import SimulatedOrg
from tests.bench.raw_bulk import raw

ROWS, PAIRS, EDITED = 1_000_000, 20_000, 100
CHUNK = 2000


def make_strangers(home: Path, rows: int) -> None:
    """Contacts without a key of ours, in the folder of an org that does not run yet."""
    org = SalesforceOrg(home, Addresses())
    user = org.user(org.credentials.agent.username)
    contact = org.schema.get("Contact")
    for start in range(0, rows, CHUNK):
        with org.store.transaction(user["Id"]) as transaction:
            writer = Writer(transaction, RowFaults(org.board, [], None, CallState()), org.rulebook)
            for at in range(start, min(start + CHUNK, rows)):
                names = {"FirstName": "小明", "LastName": f"王{at:07}"}
                phone = {"MobilePhone": f"+8869{at:08}", "Email": f"person{at}@example.com"}
                writer.create(contact, {**names, **phone})
    org.close()


def make_pairs(system: System, wanted: int) -> None:
    """Members whose Contacts are among the org's."""
    with system.store.reading() as session:
        catalog = system.catalogs.live(session)
    mapping, bulk = catalog.mappings["member-contact"], BulkQuery(system.gateway)
    org_id = system.gateway.organization_id()
    names = ("Id", *polled_fields(catalog)["Contact"])
    job = bulk.start(f"{soql.select(names, 'Contact')} LIMIT {wanted}")
    bulk.wait(job)
    for page in bulk.pages(job, most=CHUNK):
        known = cells(catalog.schemas["Contact"], page.names, names)
        records = [{"id": uuid7(), "kind": "member", "values": {}} for _ in page.rows]
        pairs = [
            _pair(mapping, org_id, record["id"], as_row(known, row), number)
            for number, (record, row) in enumerate(zip(records, page.rows, strict=True))
        ]
        with system.store.transaction() as session:
            session.execute(insert(Record).values(records))
            session.execute(insert(Pair).values(pairs))
    with system.store.engine.connect() as connection:
        connection.execute(sa.text("ANALYZE pairs"))


def _pair(
    mapping: CompiledMapping, org_id: str, record: Any, row: dict[str, Any], number: int
) -> dict[str, Any]:
    held = {**row, "LastName": "舊"} if number % EDITED == 0 else row
    base: dict[str, Any] = {}
    for line in mapping.inbound:
        theirs = weighing.theirs_of(line, held)
        if theirs is not None:
            base |= weighing.based(line, theirs, line.inverse(theirs), mapping.version)
    place = {"object": "Contact", "org_id": org_id, "salesforce_id": row["Id"]}
    key = str(uuid7())
    pair = {"id": uuid7(), "record_id": record, "mapping": mapping.name, "key": key}
    return {**pair, **place, "base": base, "match": "found", "state": "open"}


def read_raw(system: System, org: SimulatedOrg) -> tuple[int, float]:
    """The alternative: the same fields of the same rows, parsed and thrown away."""
    with system.store.reading() as session:
        names = polled_fields(system.catalogs.live(session))["Contact"]
    begun, bulk = time.perf_counter(), BulkQuery(system.gateway)
    job = bulk.start(soql.select(("Id", "SystemModstamp", *names), "Contact"))
    bulk.wait(job)
    rows = raw(org, system.gateway.grant().token, job)
    seconds = time.perf_counter() - begun
    bulk.end(job)
    return rows, seconds


def backfill(environment: dict[str, str], home: str) -> tuple[dict[str, Any], float]:
    """What the command told, and its peak memory in MiB."""
    command = [sys.executable, "-m", "connector", "backfill", "Contact", "--anew", "--json"]
    command += ["--via", "bulk", "--data", home]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **environment})
    assert process.stdout is not None
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, told
    return json.loads(told), usage.ru_maxrss / 1024


def main() -> None:
    """Print both rates, their ratio and the peak."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    paired = min(wanted, int(sys.argv[2]) if len(sys.argv) > 2 else PAIRS)
    begun = time.perf_counter()
    with deployed(make_strangers, wanted) as here:
        make_pairs(here.system, paired)
        made = time.perf_counter() - begun
        print(f"{wanted:,} Contacts, {paired:,} of them paired, made in {made:,.0f} s")
        rows, seconds = read_raw(here.system, here.org)
        print(f"raw download + CSV parse   {rows / seconds:10,.0f} rows/s")
        told, peak = backfill(here.environment, str(here.home))
        rate = told["rows"] / told["seconds"]
        print(f"connector backfill         {rate:10,.0f} rows/s  {rate / (rows / seconds):.0%}")
        print(f"peak memory of backfill    {peak:10,.0f} MiB")
        print(f"what became of the rows    {told['counts']}")


if __name__ == "__main__":
    main()
