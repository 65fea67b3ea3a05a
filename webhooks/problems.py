"""Refusals as people and programs read them: RFC 9457 problems in the user's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from starlette.responses import Response

from connector.domain.values import Value
from connector.errors import ConnectorError
from connector.members.refusals import FieldProblem, Refused
from webhooks.pages.locales import Locale, choose, load_locales

DEFAULT = "zh-TW"
PROBLEM = "application/problem+json"
STATUSES: Mapping[str, int] = {
    "token_missing": 401,
    "token_invalid": 401,
    "token_expired": 401,
    "binding_required": 403,
    "unknown_code": 404,
    "unknown_challenge": 404,
    "unknown_registration": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "code_claimed": 409,
    "already_bound": 409,
    "challenge_expired": 410,
    "too_large": 413,
    "invalid": 422,
    "wrong_code": 422,
    "consent_required": 422,
    "idempotency_mismatch": 422,
    "too_many": 429,
    "failed": 500,
    "try_later": 503,
}
_WAIT = 5  # seconds, when the refusal names none
_PASSING = {"too_many", "try_later"}


class Problem(ConnectorError):
    """A refusal that arises in HTTP itself."""

    def __init__(self, code: str, retry_after: int | None = None) -> None:
        super().__init__(code, code.replace("_", " "))
        self.retry_after = retry_after


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body; both are kept, so that the same request gets the same answer."""

    status: int
    body: Value = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer as it leaves."""
        if self.status == 204:
            return Response(status_code=204, headers=self.headers)
        kind = PROBLEM if self.status >= 400 else "application/json"
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(orjson.dumps(self.body), self.status, headers, kind)


class Words:
    """The sentences of refusals, by language."""

    def __init__(self, default: str = DEFAULT) -> None:
        self._default = default
        self._locales = load_locales(Path(__file__).parent / "locales", default)

    def locale(self, accept_language: str) -> Locale:
        """The best language for an Accept-Language header."""
        return choose(self._locales, None, accept_language, self._default)

    def answer(self, error: ConnectorError, locale: Locale) -> Answer:
        """A refusal in a language."""
        code = error.code if error.code in STATUSES else "failed"
        problems = error.problems if isinstance(error, Refused) else ()
        facts = problems[0].facts if problems else {}
        retry_after = getattr(error, "retry_after", None)
        if code in _PASSING:
            retry_after = retry_after or _WAIT
        body: Value = {
            "type": "about:blank",
            "title": locale.text(f"problem.{code}.title"),
            "status": STATUSES[code],
            "code": code,
            "detail": locale.text(f"problem.{code}.detail", **facts),
            "errors": [_field(problem, locale) for problem in problems],
            "retry_after": retry_after,
        }
        headers = {"Content-Language": locale.name}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        return Answer(STATUSES[code], body, headers)


def _field(problem: FieldProblem, locale: Locale) -> Value:
    own = f"field.{problem.code}.{problem.field}"
    key = own if own in locale.strings and not problem.plain else f"field.{problem.code}"
    message = locale.text(key, **problem.facts)
    return {"field": problem.field, "code": problem.code, "message": message}
