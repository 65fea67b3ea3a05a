"""How far a long command has come, on stderr: a bar where a person watches, else a line now and then."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 28
_REDRAWN_AFTER, _TOLD_AFTER = 0.2, 10.0


@dataclass
class Progress:
    """Tells what was done of a known size, how fast, and how long the rest will take."""

    size: int
    unit: str
    begun_at: int = 0  # what an earlier call had done
    _started: float = field(default_factory=time.monotonic)
    _told: float = field(default=0.0)
    _on_screen: bool = field(default=False)

    def show(self, done: int) -> None:
        """Tell it, unless that was done a moment ago."""
        watched, now = sys.stderr.isatty(), time.monotonic()
        rest = _REDRAWN_AFTER if watched else _TOLD_AFTER
        is_end = watched and done >= self.size
        if not is_end and now - (self._told or self._started) < rest:
            return
        self._told = now
        line = self.line(done, now - self._started)
        if watched:
            click.echo(f"\r{line}\x1b[K", err=True, nl=False)
            self._on_screen = True
        else:
            click.echo(line, err=True)

    def line(self, done: int, seconds: float) -> str:
        """The bar, the count, the rate and the time left."""
        share = min(1.0, done / self.size) if self.size else 1.0
        filled = int(share * _WIDTH)
        bar = "█" * filled + "░" * (_WIDTH - filled)
        rate = (done - self.begun_at) / seconds if seconds > 0 else 0.0
        left = (self.size - done) / rate if rate > 0 else None
        told = f"{bar} {share:4.0%}  {done:,} of {self.size:,} {self.unit}  {rate:,.0f}/s"
        return told if left is None or left <= 0 else f"{told}  {_clock(left)} left"

    def close(self) -> None:
        """Leave the bar's line."""
        if self._on_screen:
            click.echo(err=True)


@contextmanager
def progress(size: int, unit: str, begun_at: int = 0) -> Iterator[Progress]:
    """Progress for as long as the work lasts."""
    shown = Progress(size, unit, begun_at)
    try:
        yield shown
    finally:
        shown.close()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
