"""From an error of Salesforce to a fault, and from a fault to what is done: pure, by the table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connector.domain.faults import (
    Decision,
    Fault,
    FaultKind,
    Follow,
    GiveUp,
    LookUp,
    Park,
    Pause,
    Refresh,
    RetryAt,
)
from connector.errors import ConnectorError
from connector.salesforce.fault_rules import Backoff, Rule, Way
from connector.salesforce.fault_table import ADMIN, LOOK, TABLE, UNKNOWN_CODE

_COLLATERAL_SECONDS = 1.0
_STEP_FOR_UNKNOWN = "Nothing to do: it is looked up whether the write was carried out."

_RULES: Mapping[str, tuple[Rule, ...]] = {
    code: tuple(rule for rule in TABLE if rule.code == code)
    for code in {rule.code for rule in TABLE}
}


class CallFailed(ConnectorError):
    """A call as a whole failed; `fault` says what that means."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code.lower(), fault.message or fault.code, fault.next_step)
        self.fault = fault


def rule_of(code: str, message: str = "") -> Rule:
    """The row of the table that fits a code and, where rows name wording, a message."""
    for rule in _RULES.get(code.upper(), ()):
        if not rule.text or re.search(rule.text, message, re.IGNORECASE):
            return rule
    if re.match(r"APEX_|.*_APEX_|UNEXPECTED_APEX", code):
        return rule_of("APEX_ERROR", message) if code != "APEX_ERROR" else UNKNOWN_CODE
    return UNKNOWN_CODE


def fault_of(
    code: str,
    message: str,
    fields: Sequence[str] = (),
    http: int | None = None,
    *,
    object_name: str = "",
    retry_after: float | None = None,
) -> Fault:
    """The fault behind an `errorCode` (or `statusCode`); without a code the HTTP status decides."""
    known = code.upper() or f"HTTP_{http}"
    rule = rule_of(known, message)
    if rule is UNKNOWN_CODE and http is not None and http >= 500:
        rule = rule_of(f"HTTP_{http}", message) if f"HTTP_{http}" in _RULES else rule_of("HTTP_500")
    return Fault(
        kind=rule.kind,
        code=known,
        message=message,
        fields=tuple(fields),
        retry_after=retry_after,
        org_wide=rule.org_wide,
        next_step=rule.next_step.replace("{where}", _where(object_name, fields)).replace(
            "{object}", object_name or "the object"
        ),
    )


def faults_of(errors: Any, http: int | None = None, *, object_name: str = "") -> tuple[Fault, ...]:
    """The faults in an error body, at least one."""
    listed = errors if isinstance(errors, list) else [errors]
    found = tuple(_read(error, http, object_name) for error in listed if isinstance(error, dict))
    return found or (fault_of("", _plain(errors), http=http, object_name=object_name),)


def unknown_outcome(fault: Fault) -> Fault:
    """The same fault of a write that may have been carried out."""
    return replace(fault, kind=FaultKind.UNKNOWN, next_step=_STEP_FOR_UNKNOWN)


def policy(fault: Fault, attempt: int, now: datetime, jitter: Callable[[], float]) -> Decision:
    """What happens to a row whose `attempt`-th try (from 1) failed; `jitter` gives 0 to 1."""
    rule = rule_of(fault.code, fault.message)
    if fault.kind is FaultKind.UNKNOWN:
        return LookUp(_later(LOOK, fault, attempt, now, jitter))
    if fault.org_wide and not rule.org_wide:  # a refused sign-in has codes of its own
        rule = replace(rule, way=Way.PAUSE, backoff=ADMIN)
    return _WAYS[rule.way](rule, fault, attempt, now, jitter)


def _retry(
    rule: Rule, fault: Fault, attempt: int, now: datetime, jitter: Callable[[], float]
) -> Decision:
    spent = 0 < rule.backoff.attempts <= attempt
    if spent and rule.backoff.then_park:
        return Park(_reason(fault), fault.next_step)
    if spent:
        return GiveUp(f"{_reason(fault)} (attempt {attempt})")
    return RetryAt(_later(rule.backoff, fault, attempt, now, jitter))


def _collateral(
    rule: Rule, fault: Fault, attempt: int, now: datetime, jitter: Callable[[], float]
) -> Decision:
    del rule, fault, attempt
    return RetryAt(now + timedelta(seconds=_COLLATERAL_SECONDS * (1 + jitter())))


def _refresh(
    rule: Rule, fault: Fault, attempt: int, now: datetime, jitter: Callable[[], float]
) -> Decision:
    del rule, now, jitter
    return Refresh() if attempt <= 1 else Park(_reason(fault), fault.next_step)


def _look_up(
    rule: Rule, fault: Fault, attempt: int, now: datetime, jitter: Callable[[], float]
) -> Decision:
    if 0 < rule.backoff.attempts <= attempt:
        return Park(_reason(fault), fault.next_step)
    return LookUp(_later(rule.backoff, fault, attempt, now, jitter))


def _follow(
    rule: Rule, fault: Fault, attempt: int, now: datetime, jitter: Callable[[], float]
) -> Decision:
    del rule, fault, attempt, now, jitter
    return Follow()


def _park(
    rule: Rule, fault: Fault, attempt: int, now: datetime, jitter: Callable[[], float]
) -> Decision:
    del rule, attempt, now, jitter
    return Park(_reason(fault), fault.next_step)


def _pause(
    rule: Rule, fault: Fault, attempt: int, now: datetime, jitter: Callable[[], float]
) -> Decision:
    return Pause(_reason(fault), _later(rule.backoff, fault, attempt, now, jitter))


_WAYS: Mapping[Way, Callable[[Rule, Fault, int, datetime, Callable[[], float]], Decision]] = {
    Way.RETRY: _retry,
    Way.COLLATERAL: _collateral,
    Way.REFRESH: _refresh,
    Way.LOOK_UP: _look_up,
    Way.FOLLOW: _follow,
    Way.PARK: _park,
    Way.PAUSE: _pause,
}


def _later(
    backoff: Backoff, fault: Fault, attempt: int, now: datetime, jitter: Callable[[], float]
) -> datetime:
    doubled = backoff.first * 2.0 ** min(max(attempt, 1) - 1, 30)
    spread = min(backoff.longest, doubled) * (0.5 + jitter() / 2)
    return now + timedelta(seconds=max(spread, fault.retry_after or 0.0))


def _reason(fault: Fault) -> str:
    return f"{fault.code}: {fault.message}" if fault.message else fault.code


def _where(object_name: str, fields: Sequence[str]) -> str:
    prefix = f"{object_name}." if object_name else ""
    return ", ".join(f"{prefix}{field}" for field in fields) or object_name or "the record"


def _read(error: Mapping[str, Any], http: int | None, object_name: str) -> Fault:
    code = error.get("errorCode") or error.get("statusCode") or error.get("error") or ""
    message = error.get("message") or error.get("error_description") or ""
    fields = [str(field) for field in error.get("fields") or ()]
    return fault_of(str(code), str(message), fields, http, object_name=object_name)


def _plain(body: Any) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)).strip()[:300]
