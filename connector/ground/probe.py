"""Small HTTP questions to our own processes, past any proxy."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

SECONDS = 2.0


def answers(url: str) -> bool:
    """Whether this address answers 200 now."""
    try:
        return fetch(url)[0] == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False


def document(url: str) -> dict[str, Any]:
    """The JSON object at this address."""
    status, body = fetch(url)
    if status != http.HTTPStatus.OK:
        raise OSError(f"{url} answered {status}")
    content: dict[str, Any] = json.loads(body)
    return content


def fetch(url: str) -> tuple[int, bytes]:
    """Status and body of a GET; only plain HTTP."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
    with closing(connection):
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        return response.status, response.read()
