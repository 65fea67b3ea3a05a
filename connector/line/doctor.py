"""Whether LINE is set up for us: what was looked at, what was found, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from connector.line.accounts import OfficialAccount
from connector.line.faults import LineRefused
from connector.line.sender import LineClient

_CONSOLE = "in the LINE Developers Console, Messaging API tab"


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `fix` is empty when it is `ok`."""

    check: str
    account: str
    ok: bool
    message: str
    fix: str = ""


def examine(
    client: LineClient, accounts: Iterable[OfficialAccount], webhook_url: str | None = None
) -> list[Finding]:
    """What is right and wrong with each account; LINE should deliver to `webhook_url`, if known."""
    return [
        finding
        for account in accounts
        for finding in _Examination(client, account, webhook_url).run()
    ]


class _Examination:
    def __init__(
        self, client: LineClient, account: OfficialAccount, webhook_url: str | None
    ) -> None:
        self._client = client
        self._account = account
        self._webhook_url = webhook_url

    def run(self) -> Iterator[Finding]:
        """The findings in the order in which they are to be mended."""
        token = self._answered("line token", self._token)
        yield token
        if token.ok:
            yield self._answered("line account", self._identity)
            yield self._answered("line webhook", self._webhook)
            yield self._answered("line quota", self._quota)

    def _answered(self, check: str, look: Callable[[str], Finding]) -> Finding:
        try:
            return look(check)
        except LineRefused as refused:
            fix = refused.fix or "See whether the LINE host can be reached, then run this again."
            return self._wrong(check, refused.message, fix)

    def _token(self, check: str) -> Finding:
        self._client.sign_in(self._account)
        return self._right(check, "a channel access token was issued")

    def _identity(self, check: str) -> Finding:
        info = self._client.bot_info(self._account)
        if info.user_id == self._account.bot_user_id:
            return self._right(check, f"the channel is {info.display_name} ({info.basic_id})")
        return self._wrong(
            check,
            f"the channel's bot user id is {info.user_id}, not {self._account.bot_user_id}",
            "Set the bot user id and the channel of the same official account.",
        )

    def _webhook(self, check: str) -> Finding:
        endpoint = self._client.webhook_endpoint(self._account)
        if endpoint is None or not endpoint.url:
            return self._wrong(check, "no webhook address is set", f"Set it {_CONSOLE}.")
        if self._webhook_url and endpoint.url != self._webhook_url:
            message = f"LINE delivers to {endpoint.url}, not to {self._webhook_url}"
            return self._wrong(check, message, f"Set the webhook address {_CONSOLE}.")
        if not endpoint.active:
            return self._wrong(check, "the webhook is off", f"Switch on 'Use webhook' {_CONSOLE}.")
        return self._right(check, f"LINE delivers to {endpoint.url}")

    def _quota(self, check: str) -> Finding:
        limit, used = self._client.quota(self._account)
        if limit is not None and used >= limit:
            fix = "Raise the message plan in LINE Official Account Manager; replies stay free."
            return self._wrong(check, f"all {limit} messages of this month are used", fix)
        return self._right(check, f"{used} of {limit or 'unlimited'} messages used this month")

    def _right(self, check: str, message: str) -> Finding:
        return Finding(check, self._account.basic_id, ok=True, message=message)

    def _wrong(self, check: str, message: str, fix: str) -> Finding:
        return Finding(check, self._account.basic_id, ok=False, message=message, fix=fix)
