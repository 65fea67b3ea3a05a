"""A sender took a message back: no copy of it may be seen or used any more, whichever came first."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.store.tables import Received
from connector.sync.privacy.ageing import FORGOTTEN

_UNSENT = sa.text("""'{"type": "unsent"}'::jsonb""")
_TAKEN_BACK = "the sender took the message back"


def take_back(session: Session, row: Received) -> None:
    """Mask the message that an unsend event names: as it came, as it was edited, come again, or dead."""
    unsent = row.body.get("unsend")
    message = unsent.get("messageId") if isinstance(unsent, dict) else None
    if message is None:
        return
    row.subject = str(message)
    forgotten = Received.body.bool_op("?|")(sa.cast(FORGOTTEN, sa.ARRAY(sa.Text)))
    _mask(session, sa.and_(*_about(row), Received.id != row.id, ~forgotten))


def was_taken_back(session: Session, row: Received) -> bool:
    """Whether the word that a message was taken back came before the message was read."""
    if row.kind != "message" or row.subject is None:
        return False
    here = sa.select(Received.id).where(*_about(row), Received.kind == "unsend")
    return session.scalar(here.limit(1)) is not None


def mask_if_taken_back(session: Session, row: Received) -> None:
    """Mask a message of which this is known, read or not."""
    if was_taken_back(session, row):
        session.flush()
        _mask(session, Received.id == row.id)
        session.refresh(row)


def _about(row: Received) -> tuple[sa.ColumnElement[bool], ...]:
    return (Received.subject == row.subject, Received.oa == row.oa)


def _mask(session: Session, rows: sa.ColumnElement[bool]) -> None:
    reason = sa.case((Received.reason.is_not(None), _TAKEN_BACK), else_=None)
    masked = {"body": _without(Received.body), "original": _without(Received.original)}
    told = sa.update(Received).where(rows).values(**masked, reason=reason)
    session.execute(told.execution_options(synchronize_session=False))


def _without(column: Any) -> Any:
    """A body whose message is replaced; SQL null stays null."""
    path = sa.literal("{message}", sa.Text).cast(sa.ARRAY(sa.Text))
    return sa.func.jsonb_set(column, path, _UNSENT)
