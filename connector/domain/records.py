"""What kinds of records there are, what values each declares and what it is related to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ValueType(StrEnum):
    """What a declared value holds."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DATE = "date"
    MOMENT = "moment"
    SET = "set"
    PHONE = "phone"
    EMAIL = "email"


class Kind(StrEnum):
    """The record kinds of the starter set; the forms that admins write add their own."""

    FRIEND = "friend"
    MEMBER = "member"
    PRODUCT = "product"
    REGISTRATION = "registration"
    REPAIR_REQUEST = "repair_request"


@dataclass(frozen=True)
class RecordSchema:
    """The values a mapping may name, the relations it may follow (name -> kind), and how many files
    there may be of each sort.

    `personal` values say something of a person; of a value with `options` only those are possible.
    """

    kind: str
    values: Mapping[str, ValueType]
    relations: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    personal: frozenset[str] = frozenset()
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_CONSENTS = {"consents.service": ValueType.BOOLEAN, "consents.marketing": ValueType.BOOLEAN}

SCHEMAS: Mapping[str, RecordSchema] = {
    schema.kind: schema
    for schema in (
        RecordSchema(
            Kind.FRIEND,
            {
                "user_id": ValueType.TEXT,
                "display_name": ValueType.TEXT,
                "language": ValueType.TEXT,
                "following": ValueType.BOOLEAN,
                "followed_at": ValueType.MOMENT,
                "bound": ValueType.BOOLEAN,
                **_CONSENTS,
            },
            {"member": Kind.MEMBER},
            personal=frozenset({"user_id", "display_name"}),
        ),
        RecordSchema(
            Kind.MEMBER,
            {
                "name": ValueType.TEXT,
                "phone": ValueType.PHONE,
                "email": ValueType.EMAIL,
                "bound_at": ValueType.MOMENT,
                **_CONSENTS,
            },
            {"person": Kind.FRIEND},
            personal=frozenset({"name", "phone", "email"}),
        ),
        RecordSchema(
            Kind.PRODUCT,
            {
                "sku": ValueType.TEXT,
                "name": ValueType.TEXT,
                "warranty_months": ValueType.INTEGER,
                "active": ValueType.BOOLEAN,
            },
        ),
        RecordSchema(
            Kind.REGISTRATION,
            {
                "code": ValueType.TEXT,
                "serial": ValueType.TEXT,
                "purchased_on": ValueType.DATE,
                "shop": ValueType.TEXT,
                "warranty_until": ValueType.DATE,
            },
            {"member": Kind.MEMBER, "product": Kind.PRODUCT},
            {"proof": 1},
            personal=frozenset({"code", "serial", "shop"}),
        ),
        RecordSchema(
            Kind.REPAIR_REQUEST,
            {
                "symptom": ValueType.TEXT,
                "description": ValueType.TEXT,
                "address": ValueType.TEXT,
                "slots": ValueType.SET,
                "contact_phone": ValueType.PHONE,
                "urgency": ValueType.TEXT,
                "product_text": ValueType.TEXT,
                "status": ValueType.TEXT,
                "case_number": ValueType.TEXT,
                "work_order_number": ValueType.TEXT,
                "visit_at": ValueType.MOMENT,
                "created_at": ValueType.MOMENT,
            },
            {"member": Kind.MEMBER, "registration": Kind.REGISTRATION},
            {"photos": 5},
            personal=frozenset(
                {"symptom", "description", "address", "contact_phone", "product_text"}
            ),
        ),
    )
}

# To whom the records of a form are related.
FORM_RELATIONS: Mapping[str, str] = {"person": Kind.FRIEND, "member": Kind.MEMBER}
