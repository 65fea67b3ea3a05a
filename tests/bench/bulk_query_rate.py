"""How fast the simulated org serves bulk queries: `python -m tests.bench.bulk_query_rate ROWS`."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import requests

from simulator.control.server import serving
from simulator.salesforce.app import make_app
from simulator.salesforce.faults import CallState, RowFaults
from simulator.salesforce.org import Addresses, SalesforceOrg
from simulator.salesforce.writes import Writer

ROWS, ROWS_A_TRANSACTION = 200_000, 2_000
SOQL = (
    "SELECT Id, FirstName, LastName, MobilePhone, Email, LINE_Key__c, LINE_Following__c, "
    "SystemModstamp FROM Contact"
)
BASE = "/services/data/v62.0/jobs/query"


def fill(org: SalesforceOrg, rows: int) -> None:
    """Make contacts."""
    user = org.user(org.credentials.agent.username)
    for start in range(0, rows, ROWS_A_TRANSACTION):
        with org.store.transaction(user["Id"]) as transaction:
            writer = Writer(transaction, RowFaults(org.board, [], None, CallState()), org.rulebook)
            kind = org.schema.get("Contact")
            for at in range(start, min(start + ROWS_A_TRANSACTION, rows)):
                values = {"FirstName": "小明", "LastName": f"王{at}", "LINE_Key__c": f"k{at}"}
                phone = {"MobilePhone": f"+8869{at:08}", "Email": f"p{at}@example.com"}
                writer.create(kind, {**values, **phone, "LINE_Following__c": True})


def read(url: str, token: str, encoding: str) -> tuple[int, int, float, float]:
    """Rows, bytes, and the seconds that the job and its pages took."""
    with requests.Session() as http:
        http.trust_env = False
        http.headers.update({"Authorization": f"Bearer {token}", "Accept-Encoding": encoding})
        begun = time.perf_counter()
        body = {"operation": "query", "query": SOQL}
        job = http.post(url + BASE, json=body, timeout=60).json()
        while http.get(f"{url}{BASE}/{job['id']}", timeout=60).json()["state"] != "JobComplete":
            time.sleep(0.02)
        found = time.perf_counter()
        rows, size, locator = 0, 0, ""
        while locator != "null":
            page = f"{url}{BASE}/{job['id']}/results?maxRecords=50000&locator={locator}"
            answer = http.get(page, timeout=60)
            rows += int(answer.headers["Sforce-NumberOfRecords"])
            size += len(answer.content)
            locator = answer.headers["Sforce-Locator"]
        return rows, size, found - begun, time.perf_counter() - found


def main() -> None:
    """Fill an org and print the rates."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        org = SalesforceOrg(Path(folder), Addresses())
        fill(org, wanted)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with serving(make_app(org)) as url:
            token = org.accounts.agent_token()
            for encoding in ("identity", "gzip"):
                rows, size, job, pages = read(url, token, encoding)
                sys.stdout.write(
                    f"{encoding}: {rows} rows, {size >> 20} MiB; job {job:.2f} s, pages "
                    f"{pages:.2f} s: {rows / pages:,.0f} rows/s, {rows / (job + pages):,.0f} with "
                    "the job (one process reads and serves)\n"
                )
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
        sys.stdout.write(f"memory: {grown} MiB more than before the first job\n")
        org.close()


if __name__ == "__main__":
    main()
