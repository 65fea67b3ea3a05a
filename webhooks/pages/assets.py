"""The files that the pages load, under addresses that name their content."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """One file as it is sent, plain and gzipped."""

    media_type: str
    plain: bytes
    packed: bytes


class Assets:
    """A folder of files held in memory; one hash over all of them versions every address.

    One version for the folder, not one per file, so that a script's relative imports
    land on files of its own release.
    """

    def __init__(self, folder: Path, mount: str) -> None:
        files = {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
        self._mount = mount
        self._assets = {name: _asset(name, content) for name, content in files.items()}
        self.version = _version(files)

    def url(self, name: str) -> str:
        """The versioned address of a file."""
        if name not in self._assets:
            raise KeyError(name)
        return f"{self._mount}/{self.version}/{name}"

    async def serve(self, request: Request) -> Response:
        """A file, cacheable for ever under its own version and never under another."""
        asset = self._assets.get(request.path_params["path"])
        if asset is None:
            return PlainTextResponse("not found", status_code=404)
        # A page opened just before a release asks for the old version: it gets today's, unkept.
        current = request.path_params["version"] == self.version
        headers = {
            "Cache-Control": FOR_EVER if current else "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept-Encoding",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.packed, headers=headers, media_type=asset.media_type)
        return Response(asset.plain, headers=headers, media_type=asset.media_type)


def _asset(name: str, content: bytes) -> Asset:
    guessed = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
    return Asset(guessed or "application/octet-stream", content, gzip.compress(content, mtime=0))


def _version(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]
