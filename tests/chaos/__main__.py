"""`python -m tests.chaos`: a whole stack, steady work, and every few seconds something that goes wrong."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.faults import FAULTS
from tests.chaos.run import Order, Run


def main() -> int:
    """Run, print the table; 1 when the verdict is not clean, and then the data folder is kept."""
    asked = _asked()
    only = tuple(asked.only or FAULTS)
    order = Order(asked.events, asked.edits, asked.minutes, asked.seed, only)
    home = Path(tempfile.mkdtemp(prefix="chaos-"))
    began = time.monotonic()

    def say(sentence: str) -> None:
        print(f"{time.monotonic() - began:7.0f} s {sentence}", flush=True)

    say(
        f"{asked.events} events, {asked.edits} edits, about {asked.minutes:g} min, seed {asked.seed}"
    )
    report = Run(order, home / "data", say).carry_out()
    print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(report.text(), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(report.facts(), ensure_ascii=False, indent=1), "utf-8")
    if report.findings.clean:
        shutil.rmtree(home)
        return 0
    print(f"the data folder is kept: {home}")
    return 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="what LINE users do")
    parser.add_argument("--edits", type=int, default=5_000, help="what the agent does")
    parser.add_argument("--minutes", type=float, default=15, help="over how long it is spread")
    parser.add_argument("--seed", type=int, default=1, help="for the same plans again")
    parser.add_argument("--only", action="append", choices=FAULTS, help="this kind of fault")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
