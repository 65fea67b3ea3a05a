"""Rows a second of a Bulk query: plain download and CSV parse, next to `BulkQuery`.

    python -m tests.bench.raw_bulk [rows] [times]

Starts a simulated org, fills it with Contacts and reads them all, by turns, both ways.
"""

from __future__ import annotations

import csv
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from connector.mapping.schema import from_describe
from connector.salesforce.bulk.query import BulkQuery
from connector.salesforce.bulk.values import as_row, cells
from connector.salesforce.gateway import Gateway
from tests.bench.org import SimulatedOrg, fill, simulated_org

FIELDS = (
    "Id",
    "LastName",
    "FirstName",
    "MobilePhone",
    "Email",
    "AccountId",
    "LINE_Key__c",
    "SystemModstamp",
)
SOQL = f"SELECT {', '.join(FIELDS)} FROM Contact"
PAGE = 50_000


def raw(org: SimulatedOrg, token: str, job: str) -> int:
    """The alternative: each page by one `requests.get`, parsed by `csv.reader` as it comes."""
    rows, locator = 0, ""
    while locator != "null":
        place = f"&locator={locator}" if locator else ""
        url = f"{org.url}/services/data/v62.0/jobs/query/{job}/results?maxRecords={PAGE}{place}"
        headers = {"Authorization": f"Bearer {token}"}
        with requests.get(url, headers=headers, stream=True, timeout=60) as answer:
            answer.raise_for_status()
            lines = (line.decode() for line in answer.iter_lines(256 * 1024))
            rows += sum(1 for _ in csv.reader(lines)) - 1
            locator = answer.headers["Sforce-Locator"]
    return rows


def ours(bulk: BulkQuery, job: str) -> int:
    """Pages of `BulkQuery`, as they are."""
    return sum(len(page.rows) for page in bulk.pages(job, most=PAGE))


def ours_as_values(gateway: Gateway, bulk: BulkQuery, job: str) -> int:
    """The same, and every row of them as the REST API would have answered it."""
    schema = from_describe(gateway.describe_json("Contact"))
    rows = 0
    for page in bulk.pages(job, most=PAGE):
        known = cells(schema, page.names, FIELDS)
        rows += sum(1 for _ in (as_row(known, row) for row in page.rows))
    return rows


def measured(org: SimulatedOrg, times: int) -> Iterator[tuple[str, int, float, float]]:
    """Each way by turns: its name, rows, seconds, and seconds of this process's work."""
    gateway = Gateway(org.access)
    bulk = BulkQuery(gateway)
    ways = {
        "requests + csv.reader": lambda job: raw(org, gateway.grant().token, job),
        "BulkQuery.pages": lambda job: ours(bulk, job),
        "BulkQuery.pages + values": lambda job: ours_as_values(gateway, bulk, job),
    }
    for _ in range(times):
        for name, way in ways.items():
            job = bulk.start(SOQL)
            bulk.wait(job)
            begun, worked = time.perf_counter(), time.process_time()
            rows = way(job)
            yield name, rows, time.perf_counter() - begun, time.process_time() - worked
            bulk.end(job)


def main() -> None:
    """Print the table."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as home, simulated_org(Path(home)) as org:
        fill(org, wanted)
        best: dict[str, tuple[float, float]] = {}
        for name, rows, seconds, work in measured(org, times):
            assert rows == wanted, f"{name} read {rows} of {wanted} rows"
            known = best.get(name, (0.0, 0.0))
            best[name] = max(known[0], rows / seconds), max(known[1], rows / work)
    print(f"{wanted:,} Contacts, {len(FIELDS)} fields, pages of {PAGE:,}; the best of {times} runs")
    plain, plain_work = best["requests + csv.reader"]
    for name, (rate, work) in best.items():
        print(
            f"{name:26}{rate:10,.0f} rows/s{rate / plain:6.0%}"
            f"{work:12,.0f} rows per second of work{work / plain_work:6.0%}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory of this process':26}{peak:10,.0f} MiB")


if __name__ == "__main__":
    main()
