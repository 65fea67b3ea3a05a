"""The official accounts of the simulated provider, and every secret, made once and kept."""

import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from simulator.line import ids

FILE = "line-accounts.json"
PROVIDER_ID = "1"
# A LIFF id begins with the id of the Login channel it belongs to.
LOGIN_CHANNEL_ID = "1234567890"
LIFF_ID = "1234567890-AbcdEfgh"
CHANNEL_ID = "1234567891"


@dataclass(frozen=True, slots=True)
class OfficialAccount:
    """One official account with its Messaging API channel and its Login channel."""

    bot_user_id: str
    basic_id: str
    display_name: str
    channel_id: str
    channel_secret: str = field(repr=False)
    login_channel_id: str
    login_channel_secret: str = field(repr=False)
    liff_id: str


@dataclass(frozen=True, slots=True)
class Provider:
    """Everything that stays over a reset: accounts, keys and tokens."""

    provider_id: str
    accounts: tuple[OfficialAccount, ...]
    seal_key: str = field(repr=False)
    signing_key: str = field(repr=False)
    key_id: str
    sms_token: str = field(repr=False)

    def account(self, bot_user_id: str | None) -> OfficialAccount | None:
        """The account of a bot user id; without one, the first."""
        if bot_user_id is None:
            return self.accounts[0]
        return next((one for one in self.accounts if one.bot_user_id == bot_user_id), None)

    def by_channel(self, channel_id: str) -> OfficialAccount | None:
        """The account whose Messaging API channel this is."""
        return next((one for one in self.accounts if one.channel_id == channel_id), None)

    def by_login_channel(self, channel_id: str) -> OfficialAccount | None:
        """The account whose Login channel this is."""
        return next((one for one in self.accounts if one.login_channel_id == channel_id), None)

    def by_liff(self, liff_id: str) -> OfficialAccount | None:
        """The account whose LIFF app this is."""
        return next((one for one in self.accounts if one.liff_id == liff_id), None)


def provider_of(data: Path | None) -> Provider:
    """The provider kept in the data folder, made on the first start."""
    if data is None:
        return _made()
    path = data / FILE
    if path.exists():
        return _read(orjson.loads(path.read_bytes()))
    provider = _made()
    _write(path, orjson.dumps(asdict(provider), option=orjson.OPT_INDENT_2))
    return provider


def _made() -> Provider:
    account = OfficialAccount(
        bot_user_id=ids.user_id(),
        basic_id="@sim",
        display_name="Sim Air 家電服務",
        channel_id=CHANNEL_ID,
        channel_secret=secrets.token_hex(16),
        login_channel_id=LOGIN_CHANNEL_ID,
        login_channel_secret=secrets.token_hex(16),
        liff_id=LIFF_ID,
    )
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Provider(
        provider_id=PROVIDER_ID,
        accounts=(account,),
        seal_key=secrets.token_hex(32),
        signing_key=pem,
        key_id=secrets.token_hex(32),
        sms_token=secrets.token_urlsafe(24),
    )


def _read(kept: dict[str, Any]) -> Provider:
    accounts = tuple(OfficialAccount(**one) for one in kept.pop("accounts"))
    return Provider(accounts=accounts, **kept)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(content)
    fresh.replace(path)
