"""Every figure of speed, measured beside what a user would do instead: `make bench`.

    python -m tests.bench [FIGURE ...] [--small] [--sizes N …] [--rounds N] [--json FILE] [--list]

Prints a table and writes the same as JSON. Figures are taken one after the other, and a figure that fails
is told of and does not end the run; the exit code is 1 where one failed. Whether a reach is met
changes no exit code: this is a measurement, no test.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import structlog

from tests.bench.figures import FIGURES
from tests.bench.table import Report


def main() -> int:
    """Measure what is asked for."""
    asked = _arguments()
    if asked.list:
        for figure in FIGURES.values():
            print(f"{figure.name:17}{figure.reach}")
        return 0
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)  # the table is what is read here
    place = asked.json or Path(tempfile.mkdtemp(prefix="bench-")) / "figures.json"
    report = Report(small=asked.small)
    report.begin()
    for name in asked.figures or FIGURES:
        figure = FIGURES[name]
        if asked.rounds:
            figure = replace(figure, rounds=asked.rounds)
        for trial in figure.trials(small=asked.small, sizes=asked.sizes):
            report.take(figure, trial)
            place.write_text(report.json(), "utf-8")  # after each: a long run may be cut short
    report.end()
    print(f"\nas JSON: {place}")
    return 1 if report.failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="; ".join(FIGURES))
    parser.add_argument("--small", action="store_true", help="tiny sizes, one round: to try it out")
    parser.add_argument("--sizes", nargs="+", type=int, default=(), help="other sizes")
    parser.add_argument("--rounds", type=int, help="how often each way takes its turn")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--list", action="store_true", help="name the figures")
    asked = parser.parse_args()
    unknown = [name for name in asked.figures if name not in FIGURES]
    if unknown:
        parser.error(f"no figure {unknown[0]!r}; known: {', '.join(FIGURES)}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
