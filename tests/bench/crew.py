"""`connector up` with so many workers alike: `python -m tests.bench.crew --workers N --threads N --data … --port-base …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from connector.errors import ConnectorError
from connector.ground import up
from connector.ground.part import Part
from connector.ground.stages import WORKERS, Ground, stages, worker

LANES, THREADS = "urgent,normal,bulk", 4


def crew(workers: int, threads: int, ground: Ground) -> Sequence[Sequence[Part]]:
    """The stages of `connector up`, its two workers replaced by some that take every lane."""
    servers, prepare, services = stages(ground)
    others = [part for part in services if part.name not in WORKERS]
    made = [worker(ground, f"worker-{number}", LANES, threads) for number in range(1, workers + 1)]
    return [servers, prepare, [*others, *made]]


def main() -> int:
    """Run it as the command line runs the whole stack."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port-base", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=THREADS)
    asked = parser.parse_args()
    try:
        return up.run_up(
            asked.data,
            port_base=asked.port_base,
            arrange=partial(crew, asked.workers, asked.threads),
        )
    except ConnectorError as error:
        sys.stderr.write(f"{error.message}: {error.fix}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
