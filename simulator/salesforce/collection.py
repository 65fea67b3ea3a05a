"""`/composite/sobjects`: up to 200 rows a call, each with its own outcome (facts section 8)."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.errors import Refusal, bad_json, not_found, row_deleted
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.rendering import attributes as attributes_of
from simulator.salesforce.rendering import getter
from simulator.salesforce.resources import chosen_fields, key_field
from simulator.salesforce.schema import ObjectType
from simulator.salesforce.session import Session
from simulator.salesforce.writes import ManyMatches

MOST_WRITTEN = 200
MOST_READ = 2000
MOST_CHUNKS = 10
Item = dict[str, Any]
Write = Callable[[Item], Item]


def write_rows(session: Session, call: Call) -> Answer:
    """`POST` (create), `PATCH` (update) and `DELETE` of `/composite/sobjects`."""
    if call.method == "DELETE":
        ids = [each for each in call.query.get("ids", "").split(",") if each]
        all_or_none = call.query.get("allOrNone", "").lower() == "true"
        return _each(session, [{"id": each} for each in ids], _delete(session), all_or_none)
    body = call.object_body()
    records = _records(body)
    _check_chunks(records)
    write = _create(session) if call.method == "POST" else _update(session)
    return _each(session, records, write, all_or_none=bool(body.get("allOrNone")))


def upsert_rows(session: Session, call: Call, name: str, field_name: str) -> Answer:
    """`PATCH /composite/sobjects/X/{Field}`."""
    body = call.object_body()
    kind = session.store.schema.get(name)
    write = _upsert(session, kind, field_name, _records(body))
    return _each(session, _records(body), write, all_or_none=bool(body.get("allOrNone")))


def read_rows(session: Session, call: Call, name: str) -> Answer:
    """`GET` with `ids` and `fields`, or `POST` with both in the body."""
    if call.method == "POST":
        ids, names = _asked(call.object_body())
    else:
        ids, names = (call.query.get(key, "").split(",") for key in ("ids", "fields"))
    if len(ids) > MOST_READ:
        raise _too_many(MOST_READ)
    kind = session.store.schema.get(name)
    columns = [
        (each.name, getter(session.store, kind, each)) for each in chosen_fields(kind, names)
    ]
    body: list[Item | None] = []
    for row_id in ids:
        row = session.transaction.row(kind.name, long_form(row_id)) if is_id(row_id) else None
        if row is None:
            body.append(None)
            continue
        record: Item = {"attributes": attributes_of(kind.name, call.version, row["Id"])}
        for column, read in columns:
            record[column] = read(row)
        body.append(record)
    return Answer(200, body, records=len(body))


def _each(session: Session, items: Sequence[Item], write: Write, all_or_none: bool) -> Answer:
    if len(items) > MOST_WRITTEN:
        raise _too_many(MOST_WRITTEN)
    transaction = session.transaction
    start = transaction.savepoint()
    results = []
    for item in items:
        before = transaction.savepoint()
        try:
            results.append(write(item))
        except ManyMatches as problem:
            transaction.rollback(before)
            results.append(_ambiguous(problem).result())
        except Refusal as refusal:
            transaction.rollback(before)
            results.append(_failed(refusal, item))
    if all_or_none and not all(each["success"] for each in results):
        transaction.rollback(start)
        results = [each if not each["success"] else ROLLED_BACK for each in results]
    return Answer(200, results, records=len(results))


def _create(session: Session) -> Write:
    def write(item: Item) -> Item:
        return _done(session.writer.create(_kind(session, item), item))

    return write


def _update(session: Session) -> Write:
    def write(item: Item) -> Item:
        kind, row_id = _kind(session, item), _id(item)
        values = {name: value for name, value in item.items() if name.lower() != "id"}
        return _done(session.writer.update(kind, row_id, values))

    return write


def _upsert(session: Session, kind: ObjectType, field_name: str, items: Sequence[Item]) -> Write:
    field = key_field(kind, field_name)
    key = field.name.lower()
    given = [_lower_get(item, key) for item in items]
    counted = Counter(each.lower() for each in given if isinstance(each, str))

    def write(item: Item) -> Item:
        stated = item.get("attributes", {}).get("type", kind.name)
        if stated.lower() != kind.name.lower():
            raise Refusal("INVALID_TYPE", f"sObject type '{stated}' does not match {kind.name}", [])
        value = _lower_get(item, key)
        if value is None and field.type != "id":
            raise Refusal("MISSING_ARGUMENT", f"{field.name} not specified", [])
        if isinstance(value, str) and counted[value.lower()] > 1:
            raise Refusal(
                "DUPLICATE_VALUE", f"Duplicate external id specified: {value}", [field.name]
            )
        values = {name: each for name, each in item.items() if name.lower() not in {key, "id"}}
        row_id, created = session.writer.upsert(kind, field, value, values)
        return {**_done(row_id), "created": created}

    return write


def _delete(session: Session) -> Write:
    def write(item: Item) -> Item:
        kind = session.store.schema.of_id(item["id"])
        if kind is None or not is_id(item["id"]):
            raise Refusal("MALFORMED_ID", f"malformed id {item['id']}", [])
        return _done(session.writer.delete(kind, item["id"]))

    return write


def _check_chunks(items: Sequence[Item]) -> None:
    """Rows of several objects are written in chunks of neighbours of one object."""
    names = (str(item.get("attributes", {}).get("type", "")).lower() for item in items)
    if sum(1 for _ in groupby(names)) > MOST_CHUNKS:
        message = f"Records of different types come in at most {MOST_CHUNKS} chunks in one call"
        raise Refusal("LIMIT_EXCEEDED", message)


def _done(row_id: str) -> Item:
    return {"id": row_id, "success": True, "errors": []}


def _failed(refusal: Refusal, item: Item) -> Item:
    result = refusal.result()
    row_id = _lower_get(item, "id")
    if is_id(row_id) and refusal.code != row_deleted().code and refusal.code != not_found().code:
        return {"id": long_form(row_id), **result}
    return result


def _ambiguous(problem: ManyMatches) -> Refusal:
    message = f"{len(problem.ids)} rows of {problem.kind} have this external id"
    return Refusal("INVALID_FIELD", message, [])


def _kind(session: Session, item: Item) -> ObjectType:
    name = item.get("attributes", {}).get("type")
    if not isinstance(name, str):
        raise Refusal("INVALID_TYPE", "The record has no attributes.type.", [])
    kind = session.store.schema.find(name)
    if kind is None:
        raise Refusal("INVALID_TYPE", f"sObject type '{name}' is not supported.", [])
    return kind


def _id(item: Item) -> str:
    row_id = _lower_get(item, "id")
    if not isinstance(row_id, str):
        raise Refusal("MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
    return row_id


def _lower_get(item: Item, lower: str) -> Any:
    for name, value in item.items():
        if name.lower() == lower:
            return value
    return None


def _records(body: Item) -> list[Item]:
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise bad_json("The request body must hold a list of records.")
    return records


def _asked(body: Item) -> tuple[list[str], list[str]]:
    ids, fields = body.get("ids"), body.get("fields")
    if not isinstance(ids, list) or not isinstance(fields, list):
        raise bad_json("The request body must hold the lists ids and fields.")
    return ids, fields


def _too_many(most: int) -> Refusal:
    return Refusal(
        "EXCEEDED_ID_LIMIT",
        f"record limit reached. cannot submit more than {most} records into this call",
    )


ROLLED_BACK: Item = Refusal(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone "
    "header",
    [],
).result()
