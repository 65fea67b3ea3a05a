"""Person accounts: accounts that are people, each with a contact in its shadow (facts 17)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from simulator.salesforce.errors import Refusal, not_writable
from simulator.salesforce.schema import Field, ObjectType, Schema
from simulator.salesforce.store import Row, Transaction

FEATURE = "person_accounts"
PERSON_TYPE = "PersonAccount"
NAMES = ("Salutation", "FirstName", "LastName")
# Contact fields that an account has as Person…, beside addresses and custom fields.
PLAIN = (
    "MobilePhone",
    "HomePhone",
    "OtherPhone",
    "AssistantPhone",
    "Email",
    "Title",
    "Department",
    "AssistantName",
    "LeadSource",
    "Birthdate",
)
ADDRESSES = ("MailingAddress", "OtherAddress")


def with_persons(schema: Schema) -> Schema:
    """The schema with the fields that person accounts bring, which stay hidden until then."""
    account, contact = schema.objects["Account"], schema.objects["Contact"]
    fields = {**account.fields, **{each.name: each for each in _account_fields(contact)}}
    shadow = Field(
        "IsPersonAccount", "boolean", "Is Person Account", access="read", feature=FEATURE
    )
    return Schema(
        {
            **schema.objects,
            "Account": replace(account, fields=fields),
            "Contact": replace(contact, fields={**contact.fields, shadow.name: shadow}),
        }
    )


def account_name(transaction: Transaction, row: Row, old: Row | None, values: Row) -> None:
    """Make an account with a last name a person; called before required fields are checked."""
    if "LastName" not in row and (old is None or not old.get("IsPersonAccount")):
        return
    if "Name" in values:
        raise not_writable(["Name"])
    if "LastName" not in row:
        message = "Required fields are missing: [LastName]"
        raise Refusal("REQUIRED_FIELD_MISSING", message, ["LastName"])
    row["IsPersonAccount"] = True
    row["Name"] = " ".join(row[part] for part in NAMES[1:] if part in row)
    if old is None:
        row["PersonContactId"] = transaction.store.tables["Contact"].next_id()
        row.setdefault("RecordTypeId", _person_type(transaction))


def shadow_contact(transaction: Transaction, _: Row | None, account: Row) -> None:
    """Bring the contact of a person account in line; follows every write of an account."""
    if not account.get("IsPersonAccount") or "IsDeleted" in account:
        return
    kind = transaction.store.full_schema.objects["Contact"]
    known: Row = {"AccountId": account["Id"], "IsPersonAccount": True, "Name": account["Name"]}
    for name, source in _sources(kind):
        if source in account:
            known[name] = account[source]
    contact = transaction.row("Contact", account["PersonContactId"])
    if contact is None:
        if account["PersonContactId"] not in transaction.store.tables["Contact"].rows:
            transaction.plant("Contact", known, account["PersonContactId"])
        return
    mirrored = {name for name, _ in _sources(kind)}
    rest = {name: value for name, value in contact.items() if name not in mirrored}
    stamps = {name: account[name] for name in ("LastModifiedDate", "SystemModstamp")}
    transaction.put("Contact", {**rest, **known, **stamps})


def refuse_shadow(_: Transaction, row: Row, old: Row | None, __: Row) -> None:
    """The contact of a person account is written through the account alone."""
    if row.get("IsPersonAccount") and old is not None:
        message = "Edit the person account instead of its contact."
        raise Refusal("INVALID_PERSON_ACCOUNT_OPERATION", message, [])


def _account_fields(contact: ObjectType) -> Iterator[Field]:
    yield Field("IsPersonAccount", "boolean", "Is Person Account", access="read", feature=FEATURE)
    yield Field(
        "PersonContactId",
        "reference",
        "Contact ID",
        18,
        access="read",
        to=("Contact",),
        relationship="PersonContact",
        feature=FEATURE,
    )
    for name, source in _sources(contact):
        field = contact.fields[name]
        changes: dict[str, Any] = {"name": source, "required": False, "feature": FEATURE}
        changes |= {"part_of": None, "id_lookup": False}
        if field.part_of in ADDRESSES:
            changes["part_of"] = f"Person{field.part_of}"
        if name in NAMES:
            changes |= {"extra": "switchablepersonname", "part_of": "Name"}
        yield replace(field, **changes)
    for name in ADDRESSES:
        yield replace(contact.fields[name], name=f"Person{name}", feature=FEATURE)


def _sources(contact: ObjectType) -> Iterator[tuple[str, str]]:
    """Each mirrored contact field with the account field it mirrors."""
    for name, field in contact.fields.items():
        if name in NAMES:
            yield name, name
        elif name in PLAIN or field.part_of in ADDRESSES:
            yield name, f"Person{name}"
        elif field.is_custom:
            yield name, f"{name.removesuffix('__c')}__pc"


def _person_type(transaction: Transaction) -> str:
    for row in transaction.store.tables["RecordType"].rows.values():
        if row["DeveloperName"] == PERSON_TYPE and row["SobjectType"] == "Account":
            return str(row["Id"])
    known: Mapping[str, Any] = {"Name": "Person Account", "DeveloperName": PERSON_TYPE}
    types = {"SobjectType": "Account", "IsActive": True, "IsPersonType": True}
    return str(transaction.plant("RecordType", {**known, **types})["Id"])
