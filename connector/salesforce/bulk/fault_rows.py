"""What the Bulk API's own refusals mean: a part of the fault table."""

from __future__ import annotations

from connector.domain.faults import BY_ITSELF
from connector.domain.faults import FaultKind as K
from connector.salesforce.fault_rules import Backoff, Rule, Way

_LOCK = Backoff(1, 60, 8)
_FEW = Backoff(5, 60, 3, then_park=True)
_ADMIN = Backoff(300, 900)

BULK: tuple[Rule, ...] = (
    Rule(
        "TOOMANYLOCKFAILURE",
        K.RETRY,
        Way.RETRY,
        "Nothing to do unless it keeps coming back: then look for a parent record that many processes edit at once.",
        backoff=_LOCK,
    ),
    Rule("API_ERROR", K.RETRY, Way.RETRY, BY_ITSELF, backoff=_FEW),
    Rule(
        "EXCEEDEDQUOTA",
        K.WAIT,
        Way.PAUSE,
        "The org's Bulk API allowance of 24 hours is used up: see Setup > Bulk Data Load Jobs for who spends it; work goes on by itself.",
        backoff=_ADMIN,
        org_wide=True,
    ),
    Rule(
        "INVALIDBATCH",
        K.CONFIG,
        Way.REFRESH,
        "See in Setup > Object Manager that the fields of the mapping of {object} exist, and in Setup > Permission Sets > LINE Connector that they may be edited, then redrive.",
    ),
    Rule("INVALIDJOB", K.RETRY, Way.RETRY, BY_ITSELF, backoff=_FEW),
    Rule("INVALIDJOBSTATE", K.RETRY, Way.RETRY, BY_ITSELF, backoff=_FEW),
    Rule(
        "INVALIDUSER",
        K.CONFIG,
        Way.PARK,
        "The job was made by another user: use the same integration user as before, then redrive.",
    ),
    Rule("BULK_JOB_ENDED", K.RETRY, Way.RETRY, BY_ITSELF, backoff=_FEW),
)
