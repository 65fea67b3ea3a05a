"""What LINE's refusals mean, as a table, and what is done about each.

LINE says its error texts may change, so a rule goes by HTTP status, and by wording only
where two meanings share a status. A push carries a retry key and may always be sent again
within its 24 hours; a reply has none, so its doubtful outcomes stay doubtful.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from connector.domain.faults import Decision, Fault, FaultKind, GiveUp, Park, Pause, RetryAt
from connector.errors import ConnectorError
from connector.line.exchange import Answer, NoAnswer

RETRY_KEY_LIFE = timedelta(hours=24)
INVALID_REPLY_TOKEN = "invalid_reply_token"
REPLY_UNKNOWN = "reply_unknown"
PUSH_UNKNOWN = "push_unknown"

# A push with one of these was surely not delivered: it needs another body, or another setting.
REFUSED = frozenset({"unknown_recipient", "forbidden", "refused"})

_FIRST = timedelta(seconds=2)
_LONGEST = timedelta(minutes=30)
_REPLY_AGAIN = timedelta(seconds=1)
# Twenty tries end after about five hours, well inside a retry key's life.
_ATTEMPTS = 20
_REST: Mapping[FaultKind, timedelta] = {
    FaultKind.WAIT: timedelta(hours=1),
    FaultKind.CONFIG: timedelta(minutes=5),
}


class Call(StrEnum):
    """What was asked of LINE; `ASK` changes nothing and may be asked again."""

    REPLY = "reply"
    PUSH = "push"
    ASK = "ask"
    SIGN_IN = "sign_in"


class LineRefused(ConnectorError):
    """LINE did not do what was asked; `fault` says what that means."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code, f"LINE: {fault.message}", fault.next_step)
        self.fault = fault


class SendFailed(LineRefused):
    """A reply or push was not accepted, or it is unknown whether it was."""


@dataclass(frozen=True)
class Rule:
    """One line of the fault table; the first whose call, status and wording fit applies."""

    statuses: range
    kind: FaultKind
    code: str
    next_step: str = ""
    calls: frozenset[Call] = frozenset(Call)
    wording: str = ""
    org_wide: bool = False

    def fits(self, call: Call, status: int, text: str) -> bool:
        """Whether this rule speaks of such an answer."""
        return call in self.calls and status in self.statuses and self.wording in text.lower()


def _status(first: int, last: int | None = None) -> range:
    return range(first, (last or first) + 1)


_REPLY = frozenset({Call.REPLY})
_PUSH = frozenset({Call.PUSH})
_SIGN_IN = frozenset({Call.SIGN_IN})
_CREDENTIALS = (
    "Compare channel id and channel secret with the LINE Developers Console; "
    "a secret issued anew replaces the old one at once."
)
_PLAN = (
    "See in LINE Official Account Manager whether the account's plan includes this, then redrive."
)
_QUOTA = "Raise the message plan in LINE Official Account Manager, or wait for the next month."
_STRANGER = (
    "LINE knows no such person for this official account: see that its channel belongs to the provider "
    "that the user id came from; if the person has left LINE there is nothing to do."
)
_CONTENT = "Correct the message template that the notice names (mappings/messages) and publish it, then redrive."
_SLOWER = "Nothing to do: LINE asks to go slower, and it is tried again by itself."
_AWAY = (
    "Nothing to do: it is tried again by itself for some hours. If it has given up, see LINE's status "
    "page, and redrive once LINE answers."
)
_ONCE_MORE = "Nothing to do: it is tried once more on the same reply token."
_ADDRESS = "Check the LINE host setting: something else than LINE answers there."

RULES: tuple[Rule, ...] = (
    Rule(_status(400, 403), FaultKind.CONFIG, "sign_in_refused", _CREDENTIALS, _SIGN_IN, "", True),
    Rule(
        _status(400),
        FaultKind.DATA,
        INVALID_REPLY_TOKEN,
        "Send the message as a push instead.",
        _REPLY,
        "invalid reply token",
    ),
    Rule(
        _status(400),
        FaultKind.DATA,
        "unknown_recipient",
        _STRANGER,
        _PUSH,
        "failed to send messages",
    ),
    Rule(_status(401), FaultKind.CONFIG, "unauthorized", _CREDENTIALS, org_wide=True),
    Rule(_status(403), FaultKind.CONFIG, "forbidden", _PLAN),
    Rule(_status(429), FaultKind.WAIT, "quota", _QUOTA, wording="monthly limit", org_wide=True),
    Rule(_status(429), FaultKind.RETRY, "rate_limited", _SLOWER),
    Rule(_status(408), FaultKind.UNKNOWN, REPLY_UNKNOWN, _ONCE_MORE, _REPLY),
    Rule(_status(408), FaultKind.RETRY, "line_unavailable", _AWAY),
    Rule(_status(400, 499), FaultKind.DATA, "refused", _CONTENT),
    Rule(_status(500, 599), FaultKind.UNKNOWN, REPLY_UNKNOWN, _ONCE_MORE, _REPLY),
    Rule(_status(500, 599), FaultKind.RETRY, "line_unavailable", _AWAY),
)
_UNREADABLE = Rule(range(0), FaultKind.CONFIG, "unexpected_answer", _ADDRESS, org_wide=True)
_SILENCE: Mapping[Call, tuple[FaultKind, str]] = {
    Call.REPLY: (FaultKind.UNKNOWN, REPLY_UNKNOWN),
    Call.PUSH: (FaultKind.UNKNOWN, PUSH_UNKNOWN),
    Call.ASK: (FaultKind.RETRY, "no_answer"),
    Call.SIGN_IN: (FaultKind.RETRY, "no_answer"),
}


def fault_of(call: Call, answer: Answer) -> Fault:
    """The fault an answer other than success stands for."""
    text = _message(answer)
    fitting = (rule for rule in RULES if rule.fits(call, answer.status, text))
    rule = next(fitting, _UNREADABLE)
    return Fault(
        rule.kind,
        rule.code,
        f"{answer.status} {text}".rstrip(),
        fields=_properties(answer),
        retry_after=_retry_after(answer),
        org_wide=rule.org_wide,
        next_step=rule.next_step,
    )


def fault_of_silence(call: Call, silence: NoAnswer) -> Fault:
    """The fault of a call without an answer; one that never left may be made again."""
    if not silence.left:
        reason = f"not reached ({silence.cause})"
        return Fault(FaultKind.RETRY, "unreachable", reason, next_step=_AWAY)
    kind, code = _SILENCE[call]
    step = _ONCE_MORE if call is Call.REPLY else _AWAY
    return Fault(kind, code, f"no answer ({silence.cause})", next_step=step)


def policy(
    fault: Fault, attempt: int, now: datetime, jitter: float = 1.0, *, doubtful: bool = False
) -> Decision:
    """What happens after the `attempt`-th try (from 1) failed; `jitter`, 0 to 1, is half the delay.

    `doubtful` says that an earlier try of this reply may have been accepted. A reply token
    found used up (`RetryAt` now) means: send as a push. `GiveUp` on an unknown reply, or on its
    used-up token, means: uncertain, never repeated as a push.
    """
    if fault.code == REPLY_UNKNOWN or (doubtful and fault.code == INVALID_REPLY_TOKEN):
        if doubtful or attempt >= _ATTEMPTS:
            return GiveUp(f"it is uncertain whether LINE delivered the reply: {fault.message}")
        return RetryAt(now + _REPLY_AGAIN)
    if fault.code == INVALID_REPLY_TOKEN:
        return RetryAt(now)
    if fault.org_wide:
        return Pause(f"{fault.code}: {fault.message}", now + _REST[fault.kind])
    if fault.kind in (FaultKind.RETRY, FaultKind.UNKNOWN):
        return _again(fault, attempt, now, jitter)
    return Park(f"{fault.code}: {fault.message}", fault.next_step)


def _again(fault: Fault, attempt: int, now: datetime, jitter: float) -> Decision:
    if attempt >= _ATTEMPTS:
        return GiveUp(f"{fault.code}: {fault.message} (attempt {attempt})")
    delay = min(_LONGEST, _FIRST * 2 ** (attempt - 1)) * (0.5 + 0.5 * jitter)
    asked = timedelta(seconds=fault.retry_after or 0)
    return RetryAt(now + max(delay, asked))


def _message(answer: Answer) -> str:
    """LINE's own words: `message` with its details, or OAuth's `error` and description."""
    body = answer.body
    said = [body.get("message"), body.get("error"), body.get("error_description")]
    said += [f"{detail.get('property')}: {detail.get('message')}" for detail in _details(answer)]
    return "; ".join(word for word in said if isinstance(word, str)) or answer.text


def _details(answer: Answer) -> list[Mapping[str, object]]:
    details = answer.body.get("details")
    return [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []


def _properties(answer: Answer) -> tuple[str, ...]:
    named = (detail.get("property") for detail in _details(answer))
    return tuple(name for name in named if isinstance(name, str))


def _retry_after(answer: Answer) -> float | None:
    seconds = answer.headers.get("retry-after", "")
    return float(seconds) if seconds.isdecimal() else None
