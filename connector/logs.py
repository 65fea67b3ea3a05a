"""Logs as JSON lines on stdout, with personal data and secrets masked before anything is written."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRETS = re.compile(r"(?i)(bearer\s+|access_token=|id_token=|client_secret=)[^\s&\"']+")
_PHONE = re.compile(r"(?<![\w-])(\+?886|0)9[\d -]{8,11}(?!\w)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_USER = re.compile(r"\bU[0-9a-f]{32}\b")


def configure(level: int = logging.INFO) -> None:
    """Send structlog and the standard library's loggers the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def _mask(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {
        name: scrubbed(value) if isinstance(value, str) else value for name, value in event.items()
    }


def scrubbed(text: str) -> str:
    """A text without tokens, phone numbers, addresses or LINE user ids."""
    text = _SECRETS.sub(r"\1***", text)
    text = _PHONE.sub("***phone***", text)
    text = _EMAIL.sub("***email***", text)
    return _USER.sub(lambda found: found[0][:5] + "…", text)
