"""Why things stand still, in the words of an admin: the cause that many of them share, and how it is mended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from connector.domain.values import Fields

# Of these the message tells what is wrong, whatever field it stands at: a rule's, a picklist's value.
BY_MESSAGE = frozenset(
    {
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        "APEX_ERROR",
    }
)
_KEY = 6
_READ = "reading"
_MESSAGE = "message"


@dataclass(frozen=True)
class Facts:
    """What a group of things that stand still has in common; `detail` is without what varies."""

    what: str
    state: str
    object: str
    code: str | None
    fields: tuple[str, ...]
    detail: str
    unclear: bool = False  # which row it belongs to

    @property
    def key(self) -> str:
        """A short name for the group, the same as long as its cause is."""
        parts = (self.what, self.state, self.object, self.code or "", *self.fields, self.detail)
        return sha256("\x1f".join(parts).encode()).hexdigest()[:_KEY]

    @property
    def where(self) -> str:
        """The fields, with their object; the object where none is named."""
        return ", ".join(f"{self.object}.{name}" for name in self.fields) or self.object


@dataclass(frozen=True)
class RootCause:
    """What kind of cause it is, and one sentence that says it."""

    rule: str
    says: str


_REFUSALS: Mapping[str, tuple[str, str]] = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": (
        "validation rule",
        "a validation rule on {object} says: “{detail}”",
    ),
    "REQUIRED_FIELD_MISSING": ("required field", "{where} must be filled, and nothing fills it"),
    "STRING_TOO_LONG": ("length", "the value is too long for {where}"),
    "NUMBER_OUTSIDE_VALID_RANGE": ("range", "the number does not fit into {where}"),
    "INVALID_EMAIL_ADDRESS": ("e-mail", "{where} does not take this as an e-mail address"),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": (
        "picklist",
        "the picklist {where} does not know the value: {detail}",
    ),
    "FIELD_FILTER_VALIDATION_EXCEPTION": (
        "lookup filter",
        "the lookup filter on {where} refuses the record it points to",
    ),
    "INSUFFICIENT_ACCESS": ("permission", "the integration user may not write {where}"),
    "INSUFFICIENT_ACCESS_OR_READONLY": ("permission", "the integration user may not write {where}"),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": (
        "permission",
        "the integration user may not see or edit the record that {where} points to",
    ),
    "INVALID_FIELD": ("field", "{where}: {detail}"),
    "INVALID_FIELD_FOR_INSERT_UPDATE": (
        "permission",
        "the integration user may not write {where}",
    ),
    "INVALID_TYPE": ("object", "the integration user does not see {object}"),
    "INACTIVE_OWNER_OR_USER": ("owner", "the owner given to new {object} rows is inactive"),
    "DUPLICATES_DETECTED": ("duplicate rule", "a duplicate rule on {object} says: “{detail}”"),
    "DUPLICATE_VALUE": ("unique field", "another {object} row holds this value already"),
    "DUPLICATE_EXTERNAL_ID": ("key", "several {object} rows carry the same LINE_Key__c"),
    "INVALID_CROSS_REFERENCE_KEY": (
        "parent",
        "the row that {where} points to is not there, or the integration user does not see it",
    ),
    "ENTITY_IS_LOCKED": ("approval", "an approval locks the {object} row"),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": ("trigger", "a trigger on {object} failed: {detail}"),
    "CANNOT_EXECUTE_FLOW_TRIGGER": ("flow", "a flow on {object} failed: {detail}"),
    "APEX_ERROR": ("trigger", "Apex code behind {object} failed: {detail}"),
    "UNABLE_TO_LOCK_ROW": ("lock", "{object} rows stayed locked by other processes"),
}
_OF_LINE: Mapping[str, str] = {
    "refused": "LINE does not accept the message as its template makes it: {detail}",
    "forbidden": "the official account's plan does not allow it: {detail}",
    "unknown_recipient": "LINE does not know the person: {detail}",
    "rate_limited": "LINE took too many messages at once, for hours",
    "line_unavailable": "LINE was not available for hours: {detail}",
    "unreachable": "LINE could not be reached for hours",
    "push_unknown": "LINE did not answer for hours",
}


def root_cause(facts: Facts) -> RootCause:
    """The cause behind a group."""
    if facts.what == "inbox":
        return RootCause(_READ, f"{facts.object} could not be read: {facts.detail}")
    if facts.what == "envelope":
        said = _OF_LINE.get(facts.code or "", "{detail}")
        return RootCause(_MESSAGE, said.replace("{detail}", _without_code(facts)))
    if facts.state == "held":
        return RootCause("waits", f"{facts.object}: {facts.detail}")
    if facts.unclear:
        return RootCause("match", facts.detail)
    if facts.code is None:
        return RootCause("mapping", f"{facts.object}: {facts.detail}")
    return _refusal(facts, facts.code)


def in_words(object_name: str, fault: Fields | None) -> str | None:
    """What the refusal of one row means; None where it speaks for itself."""
    code = (fault or {}).get("code")
    if fault is None or not isinstance(code, str) or code not in _REFUSALS:
        return None
    named = fault.get("fields")
    fields = tuple(str(name) for name in named) if isinstance(named, list) else ()
    facts = Facts("pair", "parked", object_name, code, fields, str(fault.get("message")))
    return _refusal(facts, code).says


def _refusal(facts: Facts, code: str) -> RootCause:
    rule, said = _REFUSALS.get(
        code, ("refusal", "Salesforce refuses {where} with {code}: {detail}")
    )
    told = {"object": facts.object, "where": facts.where, "code": code, "detail": facts.detail}
    return RootCause(rule, said.format(**told).removesuffix(": "))


def _without_code(facts: Facts) -> str:
    return re.sub(rf"^{re.escape(facts.code or '')}: (\d{{3}} )?", "", facts.detail)
