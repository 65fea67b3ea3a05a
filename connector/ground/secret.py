"""Secrets made once and kept: one file each, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def kept_secret(path: Path) -> str:
    """The secret in this file, made on first use (256 bits, URL-safe characters)."""
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        write_private(path, secrets.token_urlsafe(32))
        return path.read_text(encoding="ascii")


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step by one that only its owner can read."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    file = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    scratch.replace(path)
