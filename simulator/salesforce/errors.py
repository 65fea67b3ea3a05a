"""What the org refuses, in the words and shapes of the REST API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MATCH_VERSION = "v66.0"


class Refusal(Exception):
    """One refusal; `fields` None means a resource error, which has no `fields` key."""

    def __init__(
        self, code: str, message: str, fields: Sequence[str] | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = None if fields is None else list(fields)
        self.status = status

    def body(self) -> list[dict[str, Any]]:
        """The body of an answer that is this error."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = self.fields
        return [error]

    def result(self) -> dict[str, Any]:
        """The entry of a collections answer, where the code is called `statusCode`."""
        error = {"statusCode": self.code, "message": self.message, "fields": self.fields or []}
        return {"success": False, "errors": [error]}


@dataclass(frozen=True, slots=True)
class Match:
    """A row that a duplicate rule found."""

    object_name: str
    row_id: str


class Duplicates(Refusal):
    """Duplicate rules stop a write; single-row answers carry the details (facts section 12)."""

    def __init__(
        self,
        object_name: str,
        message: str = "Use one of these records?",
        *,
        rule: str | None = None,
        matches: Sequence[Match] = (),
        allow_save: bool = True,
    ) -> None:
        super().__init__("DUPLICATES_DETECTED", message, [])
        by_object: dict[str, list[str]] = {}
        for match in matches:
            by_object.setdefault(match.object_name, []).append(match.row_id)
        self._rule = {
            "allowSave": allow_save,
            "duplicateRule": rule or f"Standard_{object_name}_Duplicate_Rule",
            "duplicateRuleEntityType": object_name,
            "errorMessage": self.message,
            "matchResults": [_match_result(name, ids) for name, ids in by_object.items()],
        }

    def body(self) -> list[dict[str, Any]]:
        """The single-row body; the misspelt key is Salesforce's own."""
        return [
            {
                "duplicateResut": self._rule,
                "errorCode": self.code,
                "message": self.message,
            }
        ]


def _match_result(object_name: str, ids: Sequence[str]) -> dict[str, Any]:
    return {
        "entityType": object_name,
        "errors": [],
        "matchEngine": "FuzzyMatchEngine",
        "matchRecords": [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {
                    "attributes": {
                        "type": object_name,
                        "url": f"/services/data/{MATCH_VERSION}/sobjects/{object_name}/{row_id}",
                    },
                    "Id": row_id,
                },
            }
            for row_id in ids
        ],
        "rule": f"Standard_{object_name}_Match_Rule_v1_0",
        "size": len(ids),
        "success": True,
    }


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    """No such resource, row or external-id field."""
    return Refusal("NOT_FOUND", message, status=404)


def row_deleted() -> Refusal:
    """A write to a row in the recycle bin."""
    return Refusal("ENTITY_IS_DELETED", "entity is deleted", [], status=404)


def no_such_column(field: str, object_name: str) -> Refusal:
    """A write names a field the object does not have."""
    return Refusal("INVALID_FIELD", f"No such column '{field}' on sobject of type {object_name}")


def not_writable(fields: Sequence[str]) -> Refusal:
    """A write names read-only fields."""
    return Refusal(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(fields)}. Please check the security settings "
        "of this field and verify that it is read/write for your profile or permission set.",
        fields,
    )


def method_not_allowed(method: str, allowed: str) -> Refusal:
    """The resource exists and knows no such method."""
    return Refusal(
        "METHOD_NOT_ALLOWED",
        f"HTTP Method '{method}' not allowed. Allowed are {allowed}",
        status=405,
    )


def bad_json(message: str) -> Refusal:
    """The body is not JSON, or not of the shape the resource reads."""
    return Refusal("JSON_PARSER_ERROR", message)
