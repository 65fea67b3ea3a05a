"""The short form of `make chaos`: every kind of fault once, and the same verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.faults import FAULTS, Lengths
from tests.chaos.run import Order, Run

SHORT = Order(
    events=320,
    edits=64,
    minutes=1.3,
    lengths=Lengths(outage=3, limit=3, postgres=2),
    pauses=(0.2, 0.5),
    each_once=True,
    skus=("AC-200",),
    lease=5,
)


@pytest.mark.timeout(420)
def test_whatever_fails_nothing_is_lost_doubled_or_reverted(tmp_path: Path) -> None:
    report = Run(SHORT, tmp_path / "data", print).carry_out()
    print(report.text())
    assert report.findings.clean, report.text()
    assert [strike.kind for strike in report.strikes if not strike.met] == []
    assert len({strike.kind for strike in report.strikes}) == len(FAULTS)
    hits, kills = report.hits
    assert hits >= 0.8 * kills
    assert report.diary.sent.total() >= SHORT.events
    assert len(report.diary.edits) >= SHORT.edits
