"""How many statements a piece of work sends to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa


@dataclass
class Statements:
    """What was sent; `rows` counts a statement once for each set of parameters it was sent with."""

    texts: list[str] = field(default_factory=list)
    rows: int = 0

    def __str__(self) -> str:
        return "\n".join(self.texts)


@contextmanager
def counted(engine: sa.Engine) -> Iterator[Statements]:
    """Count what is sent within a block."""
    found = Statements()

    def note(
        _connection: Any, _cursor: Any, text: str, sent: Any, _context: Any, many: bool
    ) -> None:
        times = len(sent) if many and isinstance(sent, list | tuple) else 1
        found.texts.append(f"{times} x {' '.join(text.split())[:120]}")
        found.rows += times

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
