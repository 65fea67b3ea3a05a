"""`connector up` with two workers that both take every lane, so that they race for the same rows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from connector.errors import ConnectorError
from connector.ground import up
from connector.ground.part import Part
from connector.ground.stages import WORKERS, Ground, stages, worker

LANES = "urgent,normal,bulk"
THREADS = 4
NAMES = ("worker-1", "worker-2")


def two_workers(ground: Ground) -> Sequence[Sequence[Part]]:
    """The stages of `connector up`, its workers replaced by two that are alike."""
    servers, prepare, services = stages(ground)
    others = [part for part in services if part.name not in WORKERS]
    return [servers, prepare, [*others, *(worker(ground, name, LANES, THREADS) for name in NAMES)]]


def main() -> int:
    """Run it as the command line runs the whole stack."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port-base", type=int, required=True)
    asked = parser.parse_args()
    try:
        return up.run_up(asked.data, port_base=asked.port_base, arrange=two_workers)
    except ConnectorError as error:
        sys.stderr.write(f"{error.message}: {error.fix}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
