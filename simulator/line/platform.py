"""The platform as one object: what every route works on."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from simulator.control.calls import CallLog
from simulator.control.faults import ActiveFault, FaultBoard
from simulator.control.journal import Journal
from simulator.line.accounts import OfficialAccount, Provider, provider_of
from simulator.line.identity import Identity
from simulator.line.seals import Seal
from simulator.line.world import Friendship, World

FAULTS = frozenset(
    {"rate_429", "quota_429", "redeliver", "reorder", "expire_reply_tokens", "block_user"}
)
NEEDS = {"block_user": frozenset({"user_id"})}
JOURNAL = "line-world.jsonl"
MONTHLY_QUOTA = 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Where webhooks go, where LIFF pages live, where data is kept (None: in memory)."""

    webhook_url: str
    liff_endpoint: str
    data: Path | None = None
    monthly_quota: int = MONTHLY_QUOTA

    @property
    def liff_origin(self) -> str:
        """Scheme, host and port of the LIFF pages."""
        parts = urlsplit(self.liff_endpoint)
        return f"{parts.scheme}://{parts.netloc}"


class Platform:
    """Provider, world, fault board and call log of one simulator."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.provider: Provider = provider_of(settings.data)
        journal = None if settings.data is None else settings.data / JOURNAL
        self.world = World(Journal(journal))
        self.identity = Identity(self.provider)
        self.seal = Seal(self.provider.seal_key)
        self.board = FaultBoard(FAULTS, NEEDS)
        self.calls = CallLog()

    def webhook_url(self, account: OfficialAccount) -> str:
        """Where an account's webhooks go now."""
        return self.world.state.webhook_urls.get(account.bot_user_id, self.settings.webhook_url)

    def fault(self, name: str, method: str, path: str) -> ActiveFault | None:
        """The fault of that name that hits a call now, if any."""
        return next(iter(self.board.take(method, path, None, {name})), None)

    def blocks(self, account: OfficialAccount, user_id: str, method: str, path: str) -> bool:
        """Whether nothing reaches that person: they blocked the account, or a fault says so."""
        if self.world.friendship(account.bot_user_id, user_id) is Friendship.BLOCKED:
            return True
        struck = self.board.take(
            method,
            path,
            None,
            {"block_user"},
            where=lambda fault: fault.params["user_id"] == user_id,
        )
        return bool(struck)
