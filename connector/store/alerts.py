"""Alerts: raised by whatever sees that something should not be, closed when it is over.

One that is open already is raised again, not doubled; so raising may be as frequent as the cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from connector.store.tables import Alert

_NOW = sa.func.clock_timestamp()
_OPEN = Alert.closed_at.is_(None)
_QUIET = {"synchronize_session": False}


class AlertKind(StrEnum):
    """What can be wrong."""

    LEDGER = "ledger"  # a received row is not in the class its effects come to
    UNFORESEEN = "unforeseen"  # an error that no table of faults knows
    FLIPS = "flips"  # two writers keep turning each other's value back
    GUESSING = "guessing"  # product codes or one-time codes are tried out
    FLOODING = "flooding"  # more forms or codes than a person sends
    DRIFT = "drift"  # the org changed under a live mapping


def raise_alert(
    session: Session, kind: AlertKind, subject: str, message: str, next_step: str
) -> None:
    """Open an alert, or note that one that is open was raised again."""
    fresh = insert(Alert).values(kind=kind, subject=subject, message=message, next_step=next_step)
    session.execute(
        fresh.on_conflict_do_update(
            index_elements=[Alert.kind, Alert.subject],
            index_where=_OPEN,
            set_={
                "message": fresh.excluded.message,
                "next_step": fresh.excluded.next_step,
                "times": Alert.times + 1,
                "last_at": _NOW,
            },
        )
    )


def close(session: Session, kind: AlertKind, *, keep: Sequence[str] = ()) -> None:
    """Close the alerts of a kind whose subject is none of these."""
    over = sa.update(Alert).where(Alert.kind == kind, _OPEN, Alert.subject.not_in(keep))
    session.execute(over.values(closed_at=_NOW).execution_options(**_QUIET))


def close_quiet(session: Session, kind: AlertKind, before: datetime) -> None:
    """Close the alerts of a kind that were last raised before a moment."""
    over = sa.update(Alert).where(Alert.kind == kind, _OPEN, Alert.last_at < before)
    session.execute(over.values(closed_at=_NOW).execution_options(**_QUIET))


def open_alerts(session: Session) -> Sequence[Alert]:
    """The open alerts, oldest first."""
    return session.scalars(sa.select(Alert).where(_OPEN).order_by(Alert.id)).all()
