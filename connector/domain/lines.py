"""The choices a field line makes: which way, who wins, when it is written."""

from __future__ import annotations

from enum import StrEnum


class Direction(StrEnum):
    """Which way a field line carries values."""

    TO_SALESFORCE = "to_salesforce"
    FROM_SALESFORCE = "from_salesforce"
    BOTH = "both"


class Policy(StrEnum):
    """Who wins when both sides changed."""

    SALESFORCE_WINS = "salesforce_wins"
    LINE_WINS = "line_wins"
    ASK = "ask"
    NO_WINS = "no_wins"


class Write(StrEnum):
    """When an outbound value is written."""

    CHANGE = "change"
    CREATE = "create"
    BLANK = "blank"


class Lane(StrEnum):
    """How soon: a LINE user is waiting, normal, or whenever there is room."""

    URGENT = "urgent"
    NORMAL = "normal"
    BULK = "bulk"


class Cause(StrEnum):
    """Why a change came about; only `live` ones notify by themselves."""

    LIVE = "live"
    FIRST_MEETING = "first_meeting"
    BACKFILL = "backfill"
    PUBLISH = "publish"
    RECONCILE = "reconcile"
    RESTORE = "restore"
