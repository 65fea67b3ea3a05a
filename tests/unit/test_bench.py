"""The benchmark's table: what it judges, what it tells, and that one failure does not cost the others."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.bench.figure import Figure, Measured, Trial, percentile
from tests.bench.figures import FIGURES
from tests.bench.table import Report


def measured(trial: Trial) -> Sequence[Measured]:
    """Falls short, however much work there is."""
    told = {"workers": 1}
    return [Measured("made", "rows/s", 150.0, 3.0, "by hand", 50.0, reached=False, conditions=told)]


def broken(_: Trial) -> Sequence[Measured]:
    """Does not come to an end."""
    raise AssertionError("the org did not answer")


FEW = Figure("few", ">= 100 x", (10, 100, 1_000), (2,), "rows", measured)
WRONG = Figure("wrong", ">= 1 x", (10,), (2,), "rows", broken)


def report(*figures: Figure, small: bool = False) -> dict[str, object]:
    """What a run of these tells programs."""
    made = Report(small=small)
    for figure in figures:
        for trial in figure.trials(small=small):
            made.take(figure, trial)
    return json.loads(made.json())


def test_only_the_whole_size_is_held_against_the_reach() -> None:
    assert [line["reached"] for line in report(FEW)["figures"]] == [None, None, False]


def test_a_small_run_says_so_and_judges_nothing() -> None:
    told = report(FEW, small=True)
    assert told["small"] is True
    assert [(line["size"], line["reached"]) for line in told["figures"]] == [(2, None)]


def test_a_figure_that_fails_is_told_of_and_the_next_is_taken() -> None:
    told = report(WRONG, FEW)
    assert "the org did not answer" in told["failures"][0]
    assert len(told["figures"]) == 3


def test_a_line_names_load_cores_and_its_own_conditions(capsys: pytest.CaptureFixture[str]) -> None:
    (line, *_) = report(FEW, small=True)["figures"]
    assert {"load_before", "load_after", "cores", "workers", "seconds"} <= line["conditions"].keys()
    assert "50 x" in capsys.readouterr().out


def test_every_figure_of_the_design_grows_or_says_why_not() -> None:
    single = [name for name, figure in FIGURES.items() if len(figure.sizes) < 3]
    assert single == ["idle_calls"]  # a poll of nothing costs the same however many are watched


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([1.0], 0.99) == 1.0
