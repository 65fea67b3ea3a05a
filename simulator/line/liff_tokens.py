"""What a LIFF page is given when it opens: access token, ID token, context."""

from dataclasses import dataclass
from typing import Any

from simulator.line.accounts import OfficialAccount
from simulator.line.platform import Platform
from simulator.line.seals import Token
from simulator.line.world import Person

LIFF_TOKEN = "liff"
ACCESS_SECONDS = 12 * 3600
SCOPE = "profile openid chat_message.write"


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening of a LIFF app by a person, from a chat or from outside LINE."""

    account: OfficialAccount
    person: Person
    from_chat: bool

    def handed_over(self, platform: Platform) -> dict[str, Any]:
        """The parameters of the URL fragment that the SDK reads."""
        account, person = self.account, self.person
        access = platform.seal.token(
            LIFF_TOKEN,
            ACCESS_SECONDS,
            user_id=person.user_id,
            oa=account.bot_user_id,
            channel_id=account.login_channel_id,
            scope=SCOPE,
            from_chat=self.from_chat,
        )
        return {
            "access_token": access,
            "id_token": platform.identity.id_token(account, person.user_id, person.display_name),
            "client_id": account.login_channel_id,
            "context": {
                "type": "utou" if self.from_chat else "external",
                "userId": person.user_id,
                "liffId": account.liff_id,
                "viewType": "full",
            },
            "language": person.language,
        }


def liff_token(platform: Platform, token: str) -> Token | None:
    """An opened LIFF access token, None when unknown; may raise `ExpiredToken`."""
    return platform.seal.open(token, LIFF_TOKEN)
