"""The kinds of rules, as they are written down.

`when` is a condition as the WHERE of a SOQL query has it. Where a rule has `changed`, it looks only
at creates and at updates that change one of those fields.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class Rule(BaseModel):
    """What all rules have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    object: str


class ValidationRule(Rule):
    """Refuses a write that would leave a row for which `when` is true."""

    kind: Literal["validation"]
    when: str
    message: str
    field: str | None = None
    changed: tuple[str, ...] = ()


class AutomationRule(Rule):
    """Sets fields after a write, in the same transaction, as a flow or trigger does."""

    kind: Literal["automation"]
    values: dict[str, Any]
    when: str | None = None
    changed: tuple[str, ...] = ()
    on: Literal["create", "update", "save"] = "save"


class ApprovalLock(Rule):
    """Refuses to change or delete a row for which `when` is true; people with names in `but` may."""

    kind: Literal["approval_lock"]
    when: str
    but: tuple[str, ...] = ()


class DuplicateRule(Rule):
    """Refuses a row that agrees with another in all fields of one of the `match` groups.

    `alert` lets it through when the caller says `allowSave=true`; `block` never does. `against`
    names the objects to look at, the rule's own if empty.
    """

    kind: Literal["duplicate"]
    match: tuple[tuple[str, ...], ...] = Field(min_length=1)
    against: tuple[str, ...] = ()
    action: Literal["alert", "block"] = "alert"
    message: str = "Use one of these records?"
    name: str | None = None


class FieldAccess(Rule):
    """Hides a field from a user, or lets him only read it; from all users where none is named."""

    kind: Literal["field_access"]
    field: str
    access: Literal["none", "read"] = "none"
    user: str | None = None


class RecordTypeRule(Rule):
    """Gives an object a record type; a restricted picklist named here offers these values only."""

    kind: Literal["record_type"]
    developer_name: str
    label: str
    default: bool = False
    picklists: dict[str, tuple[str, ...]] = Field(default_factory=dict)


AnyRule = Annotated[
    ValidationRule | AutomationRule | ApprovalLock | DuplicateRule | FieldAccess | RecordTypeRule,
    Field(discriminator="kind"),
]
RULE: TypeAdapter[AnyRule] = TypeAdapter(AnyRule)
