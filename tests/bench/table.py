"""The table of a run, printed as it grows, and the same as JSON."""

from __future__ import annotations

import json
import platform
import time
import traceback
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tests.bench.figure import Figure, Measured, Trial, cores, load

ROW = "{what:52} {ours:>14} {other:>14} {ratio:>9}  {reached:7} {against}"


@dataclass
class Report:
    """What was measured so far."""

    small: bool
    lines: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def begin(self) -> None:
        """The machine, and the head of the table."""
        print(f"{platform.platform()}, Python {platform.python_version()}, {cores()} cores")
        print(f"load at the start {load()}; {self.began:%Y-%m-%d %H:%M} UTC")
        if self.small:
            print("tiny sizes, one round: these numbers show that the benchmark runs, no more")
        print("\n" + ROW.format(
            what="figure", ours="ours", other="alternative", ratio="ratio", reached="reach",
            against="against; conditions",
        ), flush=True)  # fmt: skip

    def take(self, figure: Figure, trial: Trial) -> None:
        """Measure, and add the lines."""
        begun, before = time.monotonic(), load()
        try:
            found = figure.run(trial)
        except Exception:
            self.failures.append(f"{figure.name} at {trial.size:,}: {traceback.format_exc()}")
            print(f"{figure.name} at {trial.size:,} failed; see the end", flush=True)
            return
        took = {"seconds": round(time.monotonic() - begun, 1), "load_before": before}
        if trial.size < max(figure.sizes):  # the reach is one of the whole size; others show growth
            found = [replace(each, reached=None) for each in found]
        for each in found:
            told = {**took, "load_after": load(), "cores": cores(), **each.conditions}
            about = {"figure": figure.name, "reach": figure.reach, "size": trial.size}
            self.lines.append({**about, "of": figure.of, **asdict(each), "conditions": told})
            print(_row(each, told), flush=True)

    def end(self) -> None:
        """What failed."""
        for each in self.failures:
            print(f"\n{each}", flush=True)

    def json(self) -> str:
        """Everything, for programs."""
        machine = {"platform": platform.platform(), "python": platform.python_version()}
        told = {"began": self.began.isoformat(), "small": self.small, "cores": cores(), **machine}
        whole = {**told, "figures": self.lines, "failures": self.failures}
        return json.dumps(whole, ensure_ascii=False, indent=1)


def _row(each: Measured, conditions: dict[str, Any]) -> str:
    reached = {True: "yes", False: "NO", None: ""}[each.reached]
    shown = ", ".join(f"{name} {value}" for name, value in conditions.items())
    return ROW.format(
        what=each.what,
        ours=f"{_number(each.ours)} {each.unit}",
        other="" if each.alternative is None else f"{_number(each.alternative)} {each.unit}",
        ratio="" if each.ratio is None else f"{_number(each.ratio)} x",
        reached=reached,
        against=f"{each.against}; {shown}",
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
