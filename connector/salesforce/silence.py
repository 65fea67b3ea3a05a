"""What it means that a call got no answer."""

from __future__ import annotations

import requests

from connector.domain.faults import Fault
from connector.salesforce.faults import fault_of, unknown_outcome

_NOT_SENT = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")


def fault_behind(error: requests.exceptions.RequestException, *, writes: bool) -> Fault:
    """Surely not sent, or perhaps carried out."""
    cause = repr(error)
    if "CERTIFICATE_VERIFY_FAILED" in cause:
        return fault_of("UNTRUSTED_CERTIFICATE", "The org's TLS certificate is not trusted.")
    if isinstance(error, requests.exceptions.ConnectTimeout) or any(
        name in cause for name in _NOT_SENT
    ):
        return fault_of("NOT_SENT", "Salesforce cannot be reached.")
    fault = fault_of("ANSWER_LOST", f"No answer from Salesforce ({type(error).__name__}).")
    return unknown_outcome(fault) if writes else fault
