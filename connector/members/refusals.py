"""What is said no to, and why: one code for programs, and every field that is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector.errors import ConnectorError
from connector.members.alarms import Alarm

SENTENCES: Mapping[str, str] = {
    "already_bound": "this person is bound already",
    "binding_required": "this needs a binding",
    "challenge_expired": "this one-time code is no longer good",
    "code_claimed": "another person has registered this product",
    "consent_required": "the service needs the person's consent",
    "invalid": "some answers are missing or wrong",
    "too_many": "too many attempts",
    "unknown_challenge": "no such challenge",
    "unknown_code": "no product has this code",
    "unknown_registration": "no such registration",
    "wrong_code": "this is not the code that was sent",
}


@dataclass(frozen=True)
class FieldProblem:
    """One field that is wrong; `facts` fill the sentence that explains it.

    A `plain` sentence says nothing of what the field is called.
    """

    field: str
    code: str
    facts: Mapping[str, object] = dataclasses.field(default_factory=dict)
    plain: bool = False


class Refused(ConnectorError):
    """A LINE user asked for what cannot be done; `retry_after` is in seconds.

    A use case raises it when nothing is to be kept, and returns it when something is: a
    wrong code counts a try although the answer is no.
    """

    def __init__(
        self,
        code: str,
        problems: Iterable[FieldProblem] = (),
        retry_after: int | None = None,
        alarm: Alarm | None = None,
    ) -> None:
        super().__init__(code, SENTENCES[code])
        self.problems = tuple(problems)
        self.retry_after = retry_after
        self.alarm = alarm
