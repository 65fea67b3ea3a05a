"""One Messaging API call through LINE's SDK, with the token and the body exactly as given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

from connector.line.exchange import (
    CALLS_AT_ONCE,
    Answer,
    NoAnswer,
    Timeout,
    no_answer,
    read_answer,
)


@dataclass(frozen=True)
class Request:
    """A call: `path` may name `{parts}`, which are quoted into it."""

    method: str
    path: str
    parts: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Messaging:
    """The SDK's client for one host; loading the SDK takes a second, so the first call does it."""

    def __init__(self, host: str, timeout: Timeout | None = None) -> None:
        self._host = host
        self._timeout = timeout or Timeout()

    def call(self, token: str, request: Request) -> Answer:
        """The answer, whatever its status; raises `NoAnswer`."""
        client, errors = self._client, import_module("linebot.v3.messaging.exceptions")
        from urllib3.exceptions import HTTPError

        try:
            answer = client.call_api(
                request.path, request.method, **self._arguments(token, request)
            )
        except errors.ApiException as error:
            return self._refusal(error)
        except HTTPError as error:
            raise no_answer(error) from None
        except UnicodeDecodeError:
            raise NoAnswer("unreadable answer", left=True) from None
        return read_answer(answer.status_code, answer.headers, answer.raw_data)

    @cached_property
    def _client(self) -> Any:
        sdk = import_module("linebot.v3.messaging")
        configuration = sdk.Configuration(host=self._host, access_token="")
        # Neither retries nor redirects: both would send again what may have been accepted.
        configuration.retries = False
        # Its own figure goes by the processors; what is above it is closed after each call.
        configuration.connection_pool_maxsize = CALLS_AT_ONCE
        return sdk.ApiClient(configuration)

    def _arguments(self, token: str, request: Request) -> dict[str, Any]:
        # Typed SDK models drop what they do not know; call_api sends a plain body unchanged.
        return {
            "path_params": dict(request.parts),
            "body": None if request.body is None else dict(request.body),
            "header_params": {
                "Accept": "application/json",
                "Content-Type": "application/json",
                **request.headers,
            },
            "response_types_map": {},
            "auth_settings": ["Bearer"],
            # Per request, so that threads with different channels can share the client.
            "_request_auth": {
                "in": "header",
                "type": "bearer",
                "key": "Authorization",
                "value": f"Bearer {token}",
            },
            "_request_timeout": (self._timeout.connect, self._timeout.read),
        }

    @staticmethod
    def _refusal(error: Any) -> Answer:
        if error.status:
            return read_answer(error.status, error.headers or {}, error.body)
        # The SDK turns TLS failures into a status of 0.
        untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error.reason)
        raise NoAnswer("SSLError", left=not untrusted) from None
