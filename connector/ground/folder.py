"""The data folder of `connector up`: whether it is ours, whose turn it is, what is kept in it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from connector.errors import EnvironmentProblem
from connector.ground import ports
from connector.ground.secret import kept_secret, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARKER = "connector.json"
MAKER = "line-salesforce-connector"
# raise it when an older program could not read what is in the folder any more
FORMAT = 1
LOCK = "lock"


@dataclass(frozen=True)
class Folder:
    """A data folder that is ours and writable."""

    path: Path

    @property
    def logs(self) -> Path:
        """One log file a part."""
        return self._made("logs")

    @property
    def stack_file(self) -> Path:
        """What runs now, and where."""
        return self._made("run") / "stack.json"

    @property
    def postgres(self) -> Path:
        """The home of the embedded database."""
        return self._made("postgres")

    @property
    def redis(self) -> Path:
        """The home of the embedded Redis."""
        return self._made("redis")

    def simulator(self, name: str) -> Path:
        """The home of a simulator."""
        return self._made("simulator") / name

    @property
    def secret_key(self) -> str:
        """The key under which one-time codes are hashed."""
        return kept_secret(self.path / "secret_key")

    def port(self, name: str, avoid: range) -> int:
        """The port of an embedded server: the one it had, or another if that is taken."""
        known = self._marker().get("ports", {})
        port = known.get(name)
        if not isinstance(port, int) or port in avoid or not ports.is_free(port):
            port = ports.choose(avoid)
            kept = {**self._marker(), "ports": {**known, name: port}}
            write_private(self.path / MARKER, json.dumps(kept, indent=1) + "\n")
        return port

    def _made(self, name: str) -> Path:
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def _marker(self) -> dict[str, dict[str, int]]:
        marker: dict[str, dict[str, int]] = json.loads((self.path / MARKER).read_text("utf-8"))
        return marker

    def erase(self) -> None:
        """Empty the folder but for its marker and its lock."""
        for place in self.path.iterdir():
            if place.name in {MARKER, LOCK}:
                continue
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()
        write_marker(self.path)


@contextmanager
def held(path: Path, *, fresh: bool) -> Iterator[Folder]:
    """The folder, ours alone inside the block; made when absent, erased after `fresh`."""
    path = path.expanduser().absolute()
    try:
        claim(path, fresh=fresh)
        lock = (path / LOCK).open("a+", encoding="utf-8")
    except OSError as problem:
        raise EnvironmentProblem(
            "data_refused",
            f"the data folder {path} cannot be written ({problem.strerror})",
            "mend its permissions or use another --data",
        ) from problem
    with lock:
        take(lock, path)
        yield Folder(path)


def claim(path: Path, *, fresh: bool) -> None:
    """Make the folder ours if it is absent or empty, else see that it is."""
    if path.exists() and not path.is_dir():
        raise EnvironmentProblem(
            "not_a_folder", f"the data folder {path} is a file", "use another --data"
        )
    if not path.exists():
        path.mkdir(mode=0o700, parents=True)
    if not any(path.iterdir()):
        write_marker(path)
    require_ours(path, fresh=fresh)
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(13, "permission denied", str(path))


def require_ours(path: Path, *, fresh: bool) -> None:
    """Refuse a folder that this program did not make, or that a newer version made."""
    try:
        marker = json.loads((path / MARKER).read_text("utf-8"))
        maker, version = marker["made_by"], int(marker["format"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        maker, version = "", 0
    if maker != MAKER:
        raise EnvironmentProblem(
            "foreign_folder",
            f"{path} is not empty and was not made by connector up, so it is left alone",
            "use another --data",
        )
    if version > FORMAT and not fresh:
        raise EnvironmentProblem(
            "newer_folder",
            f"{path} was made by a newer version of the connector",
            "update the connector, use another --data, or begin anew with --fresh",
        )


def write_marker(path: Path) -> None:
    """Say in the folder that it is ours."""
    write_private(path / MARKER, json.dumps({"made_by": MAKER, "format": FORMAT}) + "\n")


def take(lock: IO[str], path: Path) -> None:
    """Hold the lock until the file is closed; the system drops it when the process ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        raise EnvironmentProblem(
            "already_running",
            f"the connector already runs on {path} (process {holder})",
            "stop it or use another --data and --port-base",
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
