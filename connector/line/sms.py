"""One-time codes by SMS: any gateway that takes a POST of {"to", "text"}, or none.

A request that may have left is never repeated: the person would get two codes, and only
the first request is counted against the caps. Errors name neither the phone nor the text.
"""

from __future__ import annotations

from typing import Protocol

from connector.errors import ConnectorError
from connector.line.exchange import Answer, Exchange, NoAnswer, Timeout

_TRIES = 3
_GATEWAY = "Check the SMS gateway's address and token in the settings."


class SmsSender(Protocol):
    """Sends one text to one phone (E.164)."""

    def send(self, to: str, text: str) -> None:
        """Hand the text to the gateway, or raise `ConnectorError`."""


class SmsNotConfigured(ConnectorError):
    """No SMS gateway is set."""

    def __init__(self) -> None:
        super().__init__(
            "sms_not_configured",
            "no SMS gateway is configured, so no one-time code can be sent",
            "Set the SMS gateway's address and token.",
        )


class SmsRefused(ConnectorError):
    """The gateway answered that it will not send this."""

    def __init__(self, status: int) -> None:
        super().__init__("sms_refused", f"the SMS gateway refused with status {status}", _GATEWAY)


class SmsUnavailable(ConnectorError):
    """The gateway could not be reached, or it is unknown whether it took the text."""

    def __init__(self, why: str) -> None:
        super().__init__("sms_unavailable", f"the SMS gateway does not answer: {why}", _GATEWAY)


class _NeverLeft(Exception):
    """The gateway was not reached, so trying again is safe."""


class NoSms:
    """Stands where no gateway is set, and says so."""

    def send(self, to: str, text: str) -> None:
        """Refuse."""
        del to, text
        raise SmsNotConfigured


class HttpSms:
    """A gateway behind `url`: POST {"to", "text"} with a Bearer token, answered 202."""

    def __init__(self, url: str, token: str, timeout: Timeout | None = None) -> None:
        self._url = url
        self._token = token
        self._exchange = Exchange(timeout)

    def send(self, to: str, text: str) -> None:
        """Hand the text to the gateway; raises `SmsRefused` or `SmsUnavailable`."""
        answer = self._patiently_post({"to": to, "text": text})
        if answer.status >= 500:
            raise SmsUnavailable(f"status {answer.status}")
        if not answer.ok:
            raise SmsRefused(answer.status)

    def _patiently_post(self, body: dict[str, str]) -> Answer:
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

        patience = Retrying(
            retry=retry_if_exception_type(_NeverLeft),
            stop=stop_after_attempt(_TRIES),
            wait=wait_random(0.2, 0.6),
            reraise=True,
        )
        try:
            return patience(self._post, body)
        except _NeverLeft as last:
            raise SmsUnavailable(str(last)) from None

    def _post(self, body: dict[str, str]) -> Answer:
        try:
            return self._exchange.post_json(self._url, body, self._token)
        except NoAnswer as silence:
            if silence.left:
                raise SmsUnavailable(silence.cause) from None
            raise _NeverLeft(silence.cause) from None
