"""Errors that no table of faults knows: told by their kind and place, never by their text.

The text of such an error may carry what people wrote; where it arose says enough to mend it.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath

from sqlalchemy.orm import Session

from connector.errors import ConnectorError
from connector.store.alerts import AlertKind, raise_alert

STEP = (
    "Tell whoever runs the connector: its log names the place. Once that is mended, bring back what "
    "was stopped with `connector dead redrive --all-dead --canary`."
)


def told(error: Exception) -> dict[str, str]:
    """The kind of an error and where it arose, for the log."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return {"error": type(error).__name__, "at": at}


def reason(error: Exception) -> str:
    """Why something was stopped, in words that may be shown."""
    if isinstance(error, ConnectorError):
        return f"{error.message} {error.fix}".strip()
    known = told(error)
    return f"an error that was not foreseen ({known['error']} in {known['at']})"


def report(session: Session, error: Exception, stopped: str) -> None:
    """Raise an alert: one for each place where such errors arise."""
    known = told(error)
    subject = f"{known['error']} in {known['at']}"
    message = f"{stopped} was stopped alone by an error that was not foreseen: {subject}"
    raise_alert(session, AlertKind.UNFORESEEN, subject, message, STEP)
