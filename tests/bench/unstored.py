"""The connector's own web process, but nothing is stored: `python -m tests.bench.unstored --port N`.

It reads, checks the signature, parses, counts and answers as the real one does. What intake costs beyond this
is the price of a 200 that means committed.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from webhooks import app
from webhooks.__main__ import main


class Forgetful:
    """In the place of the group commit."""

    def __init__(self, _save: object) -> None:
        pass

    async def store(self, *_delivery: Any) -> None:
        """Nothing."""

    async def run(self) -> None:
        """Nothing, until the server ends."""
        await asyncio.Event().wait()


if __name__ == "__main__":
    app.GroupCommit = Forgetful  # type: ignore[assignment,attr-defined]
    sys.exit(main())
