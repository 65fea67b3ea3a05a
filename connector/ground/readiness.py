"""How a process without an address tells its supervisor that it does its work: it makes a file."""

from __future__ import annotations

import os
from pathlib import Path

READY_FILE = "CONNECTOR_READY_FILE"


def tell_ready() -> None:
    """Tell the supervisor, if there is one, that this process now does its work."""
    if path := os.environ.get(READY_FILE):
        Path(path).touch()
