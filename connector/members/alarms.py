"""Alarms: what the limits saw that no honest person does, told without saying of whom.

A refused form leaves nothing behind, so its alarm is raised in a transaction of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from connector.store.alerts import AlertKind, raise_alert

_WAIT = "They are refused until the time is over; nothing was lost. "
_PERSON = _WAIT + (
    "If it goes on, look at what they sent (received rows with this person_id), and block them in "
    "the LINE Official Account Manager."
)
_MANY = _WAIT + (
    "If it goes on, look at the web server's log for the address, and block it at the proxy; where "
    "many customers share it, raise the limit in connector/members/limits.py."
)
_PHONE = (
    "Look at the newest repair requests and call one of the customers: somebody may be naming a "
    "number that is not theirs."
)
_ALL = _WAIT + "Look at the other alerts: it is many people or many addresses at once."


@dataclass(frozen=True)
class Alarm:
    """One alert to be raised; `subject` is an id of ours or a keyed hash."""

    kind: AlertKind
    subject: str
    message: str
    next_step: str

    def raise_in(self, session: Session) -> None:
        """Open the alert, or note that it was raised again."""
        raise_alert(session, self.kind, self.subject, self.message, self.next_step)


def of_person(kind: AlertKind, person_id: object, what: str) -> Alarm:
    """One person did too much of something."""
    return Alarm(kind, f"person:{person_id}", f"one person {what}", _PERSON)


def of_address(kind: AlertKind, address_hash: str, what: str) -> Alarm:
    """From one network address came too much of something."""
    return Alarm(kind, f"address:{address_hash[:16]}", f"from one address {what}", _MANY)


def of_phone(kind: AlertKind, phone_hash: str, what: str) -> Alarm:
    """One phone number was named too often."""
    return Alarm(kind, f"phone:{phone_hash[:16]}", f"for one phone number {what}", _PHONE)


def of_all(kind: AlertKind, what: str) -> Alarm:
    """All people together did too much of something."""
    return Alarm(kind, "everybody", f"all together {what}", _ALL)
