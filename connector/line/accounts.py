"""What the LINE edge must know of an official account, and where LINE's hosts are."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class OfficialAccount:
    """One LINE Official Account with its Messaging API channel and its LINE Login channel."""

    provider_id: str
    bot_user_id: str
    basic_id: str
    channel_id: str
    channel_secret: str = field(repr=False)
    previous_channel_secret: str | None = field(repr=False)
    login_channel_id: str
    liff_id: str


@dataclass(frozen=True)
class LineHosts:
    """Base addresses without a trailing slash; `data` serves message content only."""

    api: str = "https://api.line.me"
    data: str = "https://api-data.line.me"
