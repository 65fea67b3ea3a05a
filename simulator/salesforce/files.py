"""Files: every version belongs to a document, which links share with rows."""

import hashlib
from base64 import b64decode

from simulator.salesforce.errors import Refusal
from simulator.salesforce.store import Row, Transaction

FILE_TYPES = {"JPG": "JPG", "JPEG": "JPG", "PNG": "PNG", "PDF": "PDF", "TXT": "TEXT", "MP4": "MP4"}
UNKNOWN_TYPE = "UNKNOWN"


def content_version(transaction: Transaction, row: Row, old: Row | None) -> None:
    """Work out what describes the content, and bring document and earlier version in line."""
    if old is not None:
        return
    missing = [name for name in ("VersionData", "PathOnClient") if name not in row]
    if missing and row.get("ContentLocation") == "S":
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise Refusal("REQUIRED_FIELD_MISSING", message, missing)
    _describe(transaction, row)
    document_id = row.get("ContentDocumentId") or _new_document(transaction, row)
    row["ContentDocumentId"] = document_id
    table = transaction.store.tables["ContentVersion"]
    earlier = [table.rows[each] for each in table.indexes["ContentDocumentId"].ids(document_id)]
    for each in earlier:
        if each.get("IsLatest"):
            transaction.put("ContentVersion", {**each, "IsLatest": False})
    row["VersionNumber"] = str(len(earlier) + 1)
    document = transaction.row("ContentDocument", document_id) or {}
    shared = ("Title", "ContentSize", "FileType", "FileExtension", "ContentModifiedDate")
    latest = {name: row[name] for name in shared if name in row}
    transaction.put(
        "ContentDocument",
        {
            **document,
            **latest,
            "LatestPublishedVersionId": row["Id"],
            "LastModifiedDate": transaction.moment,
            "SystemModstamp": transaction.moment,
        },
    )


def content_document_link(transaction: Transaction, row: Row, old: Row | None) -> None:
    """Refuse to share a document a second time with the same row."""
    document, entity = row["ContentDocumentId"], row["LinkedEntityId"]
    table = transaction.store.tables["ContentDocumentLink"]
    known = [table.rows[each] for each in table.indexes["ContentDocumentId"].ids(document)]
    if old is None and any(each["LinkedEntityId"] == entity for each in known):
        message = (
            f"Document with ID: {document} is already linked with the entity with ID: {entity}"
        )
        raise Refusal("DUPLICATE_VALUE", message, ["LinkedEntityId"])


def _describe(transaction: Transaction, row: Row) -> None:
    content = b64decode(row.get("VersionData", ""))
    name = row.get("PathOnClient", "").replace("\\", "/").rpartition("/")[2]
    stem, _, extension = name.rpartition(".")
    row.setdefault("Title", stem or name)
    if stem:
        row["FileExtension"] = extension
    row["FileType"] = FILE_TYPES.get(extension.upper(), UNKNOWN_TYPE)
    row["ContentSize"] = len(content)
    row["Checksum"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    row["IsLatest"] = True
    row["ContentModifiedDate"], row["ContentModifiedById"] = transaction.moment, transaction.user_id


def _new_document(transaction: Transaction, row: Row) -> str:
    document_id = str(transaction.plant("ContentDocument", {"Title": row["Title"]})["Id"])
    link = {"ContentDocumentId": document_id, "Visibility": "AllUsers"}
    owner = {**link, "LinkedEntityId": transaction.user_id, "ShareType": "I"}
    transaction.plant("ContentDocumentLink", owner)
    if "FirstPublishLocationId" in row:
        shared = {**link, "LinkedEntityId": row["FirstPublishLocationId"], "ShareType": "V"}
        transaction.plant("ContentDocumentLink", shared)
    return document_id
