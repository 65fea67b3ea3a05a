"""How to reach and enter one org."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from connector import __version__

Flow: TypeAlias = Literal["jwt", "client_credentials", "refresh_token"]


@dataclass(frozen=True)
class OrgAccess:
    """Sign-in data of one org.

    `timeout` is (connect, read) in seconds, `private_key` PEM text, `ca_file` a path.
    """

    login_url: str
    flow: Flow
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    username: str | None = None
    private_key: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    api_version: str = "62.0"
    ca_file: str | None = None
    timeout: tuple[float, float] = (3.05, 20)
    client_name: str = f"line-connector/{__version__}"
    pool_size: int = 16
