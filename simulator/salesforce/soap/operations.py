"""The operations on rows that REST has no resource for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from simulator.salesforce.conversion import LeadConvert, convert
from simulator.salesforce.errors import Refusal
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.merging import merge
from simulator.salesforce.schema import ObjectType
from simulator.salesforce.session import Session
from simulator.salesforce.soap.envelope import (
    TYPE,
    SoapCall,
    child,
    children,
    is_nil,
    local,
    text_of,
)

Result = dict[str, Any]
Operation = Callable[[Session, SoapCall], Sequence[Result]]
MOST_ROWS, MOST_LEADS = 200, 100


def undelete(session: Session, call: SoapCall) -> Sequence[Result]:
    """`undelete`: take rows out of the recycle bin again."""
    return _each(session, _ids(call), lambda row_id: _done(session.writer.undelete(row_id)))


def delete(session: Session, call: SoapCall) -> Sequence[Result]:
    """`delete`."""

    def one(row_id: str) -> Result:
        return _done(session.writer.delete(_kind_of(session, row_id), row_id))

    return _each(session, _ids(call), one)


def convert_lead(session: Session, call: SoapCall) -> Sequence[Result]:
    """`convertLead`: up to 100 leads, each with its own outcome."""

    def one(asked: Element) -> Result:
        done = convert(session.transaction, _lead_convert(asked))
        return {
            "accountId": done.account_id,
            "contactId": done.contact_id,
            "leadId": done.lead_id,
            "opportunityId": done.opportunity_id,
            "success": True,
        }

    asked = children(call.arguments, "leadConverts")
    if len(asked) > MOST_LEADS:
        raise Refusal("EXCEEDED_ID_LIMIT", f"cannot convert more than {MOST_LEADS} leads in a call")
    return _each(session, asked, one)


def merge_rows(session: Session, call: SoapCall) -> Sequence[Result]:
    """`merge`."""

    def one(asked: Element) -> Result:
        kind, values = _master(session, child(asked, "masterRecord"))
        master_id = values.pop("Id", "")
        losers = [text_of(each) for each in children(asked, "recordToMergeIds")]
        moved = merge(session.writer, kind, master_id, values, losers)
        return {
            "id": long_form(master_id),
            "mergedRecordIds": [long_form(each) for each in losers],
            "success": True,
            "updatedRelatedIds": moved,
        }

    return _each(session, children(call.arguments, "request"), one)


def _lead_convert(asked: Element) -> LeadConvert:
    known = {local(each): text_of(each) for each in asked if not is_nil(each)}
    return LeadConvert(
        lead_id=known.get("leadId", ""),
        converted_status=known.get("convertedStatus", ""),
        account_id=known.get("accountId") or None,
        contact_id=known.get("contactId") or None,
        opportunity_id=known.get("opportunityId") or None,
        opportunity_name=known.get("opportunityName") or None,
        creates_opportunity=known.get("doNotCreateOpportunity") != "true",
        overwrites_source=known.get("overwriteLeadSource") == "true",
        owner_id=known.get("ownerId") or None,
    )


def _master(session: Session, element: Element | None) -> tuple[ObjectType, dict[str, Any]]:
    """The object and the values of an sObject in an envelope; `fieldsToNull` become null."""
    if element is None:
        raise Refusal("MISSING_ARGUMENT", "masterRecord not specified", [])
    stated = text_of(child(element, "type")) or element.get(TYPE, "").rpartition(":")[2]
    kind = session.schema.find(stated)
    if kind is None:
        raise Refusal("INVALID_TYPE", f"sObject type '{stated}' is not supported.", [])
    values: dict[str, Any] = {}
    for each in element:
        name = local(each)
        if name == "fieldsToNull":
            values[text_of(each)] = None
        elif name != "type":
            values["Id" if name.lower() == "id" else name] = None if is_nil(each) else text_of(each)
    return kind, values


def _each(session: Session, asked: Sequence[Any], perform: Callable[[Any], Result]) -> list[Result]:
    if len(asked) > MOST_ROWS:
        message = f"record limit reached. cannot submit more than {MOST_ROWS} records in this call"
        raise Refusal("EXCEEDED_ID_LIMIT", message)
    results = []
    for each in asked:
        before = session.transaction.savepoint()
        try:
            results.append(perform(each))
        except Refusal as refusal:
            session.transaction.rollback(before)
            results.append(failed(refusal))
    return results


def _ids(call: SoapCall) -> list[str]:
    return [text_of(each) for each in children(call.arguments, "ids")]


def _kind_of(session: Session, row_id: str) -> ObjectType:
    kind = session.schema.of_id(row_id) if is_id(row_id) else None
    if kind is None:
        raise Refusal("MALFORMED_ID", f"malformed id {row_id}", [])
    return kind


def _done(row_id: str) -> Result:
    return {"id": long_form(row_id), "success": True}


def failed(refusal: Refusal, **more: Any) -> Result:
    """The result of an operation that was refused."""
    error: Result = {}
    if refusal.fields:
        error["fields"] = refusal.fields
    error |= {"message": refusal.message, "statusCode": refusal.code}
    return {**more, "errors": error, "id": None, "success": False}


OPERATIONS: Mapping[str, Operation] = {
    "convertLead": convert_lead,
    "delete": delete,
    "merge": merge_rows,
    "undelete": undelete,
}
