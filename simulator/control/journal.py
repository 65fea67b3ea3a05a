"""The journal: what happened, one JSON line each, so that a restarted simulator knows it again."""

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

Entry = dict[str, Any]


class Journal:
    """An append-only file of JSON lines, mode 600; without a path nothing is kept.

    `append` returns once the operating system has the lines, so they outlive a SIGKILL of the
    process. Give all entries of one transaction to one `append`: they cost one write.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: int | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _open(path)

    def replay(self) -> Iterator[Entry]:
        """Every entry in order; a line torn by a kill is cut off the file."""
        if self._path is None or self._file is None:
            return
        whole = 0
        with self._path.open("rb") as lines:
            for line in lines:
                entry = _entry(line)
                if entry is None:
                    break
                whole += len(line)
                yield entry
        os.truncate(self._path, whole)

    def append(self, *entries: Entry) -> None:
        """Write the entries, all or (after a crash) a leading part of them."""
        if self._file is None or not entries:
            return
        with self._lock:
            _write_all(self._file, _lines(entries))

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Replace the whole journal at once, as a reset or a compaction does."""
        if self._path is None or self._file is None:
            return
        fresh = self._path.with_suffix(".new")
        with self._lock:
            fresh.unlink(missing_ok=True)
            file = _open(fresh)
            _write_all(file, _lines(entries))
            fresh.replace(self._path)
            os.close(self._file)
            self._file = file

    def close(self) -> None:
        """Let go of the file; later appends are dropped."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _lines(entries: Iterable[Entry]) -> bytes:
    return b"".join(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE) for entry in entries)


def _entry(line: bytes) -> Entry | None:
    if not line.endswith(b"\n"):
        return None
    try:
        entry: Entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return entry


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
