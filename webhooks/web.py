"""What the web process stands on: concrete things, picked by `connector.bootstrap`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from connector.line.accounts import OfficialAccount
from connector.line.identity import Identity
from connector.line.sms import SmsSender
from connector.members.challenge import address_hash_of
from connector.members.limits import LIMITS, Limits
from connector.settings import Settings
from connector.store.session import Store
from connector.sync.catalog import Catalogs


class Verifier(Protocol):
    """Says whom a LIFF ID token stands for."""

    def verify(self, id_token: str) -> Identity:
        """The identity behind a token, or a `ConnectorError` that says why not."""


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Web:
    """Everything the routes need."""

    store: Store
    catalogs: Catalogs
    accounts: tuple[OfficialAccount, ...]
    verifier: Verifier
    sms: SmsSender
    settings: Settings
    clock: Callable[[], datetime] = now
    limits: Limits = LIMITS

    @property
    def secret_key(self) -> str:
        """The key of the hashes of one-time codes and addresses."""
        return self.settings.secret_key.get_secret_value()

    def address_hash(self, address: str) -> str | None:
        """The hash of a caller's address, where it tells people apart."""
        return address_hash_of(self.secret_key, address)

    @property
    def zone(self) -> ZoneInfo:
        """Where the company's days begin and end."""
        return ZoneInfo(self.settings.time_zone)
