"""All figures, in the order of the table."""

from __future__ import annotations

from tests.bench import burst, event_to_row, idle_calls, intake, two_workers, wrapped
from tests.bench.figure import Figure

FIGURES: dict[str, Figure] = {
    each.name: each
    for each in (
        wrapped.CALLS,
        burst.FIGURE,
        intake.FIGURE,
        event_to_row.FIGURE,
        wrapped.EDITS,
        wrapped.BACKFILL,
        wrapped.CLAIMS,
        two_workers.FIGURE,
        idle_calls.FIGURE,
    )
}
