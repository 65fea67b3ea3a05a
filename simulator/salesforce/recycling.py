"""The recycle bin: what goes into it together, and comes out of it together (facts section 4)."""

from collections.abc import Iterator

from simulator.salesforce.errors import Refusal
from simulator.salesforce.schema import ChildLink, ObjectType
from simulator.salesforce.store import Row, Transaction

# Kept in a deleted row: the row whose deletion took it along, and the references it emptied.
TAKEN_BY, EMPTIED = "_taken_by", "_emptied"
# Kept in a row that was deleted past the bin, from where nothing brings it back.
ERASED = "_erased"


def delete(transaction: Transaction, kind: ObjectType, row: Row, taken_by: str = "") -> None:
    """Put a row and its dependents into the bin, and empty the references to it."""
    _refuse_if_held(transaction, kind, row)
    root = taken_by or row["Id"]
    links = transaction.store.full_schema.children(kind.name)
    for link in links:
        if link.field.cascade:
            for held in _holders(transaction, link, row["Id"]):
                child = transaction.store.tables[link.child].kind
                delete(transaction, child, held, root)
    gone = {**row, "IsDeleted": True, TAKEN_BY: root}
    emptied = [each for link in links for each in _emptied(transaction, link, row["Id"])]
    if emptied:
        gone[EMPTIED] = emptied
    transaction.put(kind.name, stamped(transaction, gone))


def undelete(transaction: Transaction, kind: ObjectType, row_id: str) -> None:
    """Take a row, and what went with it, out of the bin."""
    row = transaction.store.tables[kind.name].rows[row_id]
    _refuse_if_taken(transaction, kind, row)
    back = {name: value for name, value in row.items() if name not in {"IsDeleted", TAKEN_BY}}
    emptied = back.pop(EMPTIED, [])
    back.pop("MasterRecordId", None)
    for field in kind.fields.values():
        if field.type == "reference" and field.name in back:
            found = transaction.store.full_schema.of_id(back[field.name])
            if found and field.updateable and not transaction.row(found.name, back[field.name]):
                del back[field.name]
    transaction.put(kind.name, stamped(transaction, back))
    for child, name, holder_id in emptied:
        holder = transaction.row(child, holder_id)
        if holder is not None and name not in holder:
            transaction.put(child, {**holder, name: row_id, "SystemModstamp": transaction.moment})
    for link in transaction.store.full_schema.children(kind.name):
        if link.field.cascade:
            _undelete_taken(transaction, link, row_id, row.get(TAKEN_BY, ""))


def erase(transaction: Transaction, kind: ObjectType, row_id: str) -> None:
    """Take a deleted row out of the bin without giving it back."""
    row = transaction.store.tables[kind.name].rows[row_id]
    transaction.put(kind.name, {**row, ERASED: True})


def stamped(transaction: Transaction, row: Row) -> Row:
    """The row with the time and the user of this transaction as its last change; in place."""
    row["LastModifiedDate"] = row["SystemModstamp"] = transaction.moment
    row["LastModifiedById"] = transaction.user_id
    return row


def _undelete_taken(transaction: Transaction, link: ChildLink, row_id: str, root: str) -> None:
    table = transaction.store.tables[link.child]
    for child_id, child in list(table.rows.items()):
        if child.get(TAKEN_BY) == root and child.get(link.field.name) == row_id:
            undelete(transaction, table.kind, child_id)


def _refuse_if_taken(transaction: Transaction, kind: ObjectType, row: Row) -> None:
    """A unique value may have gone to another row meanwhile."""
    table = transaction.store.tables[kind.name]
    for field in kind.fields.values():
        if field.unique and field.name in row and table.indexes[field.name].ids(row[field.name]):
            message = f"duplicate value found: {field.name} duplicates value on another record"
            raise Refusal("DUPLICATE_VALUE", message, [])


def _holders(transaction: Transaction, link: ChildLink, row_id: str) -> Iterator[Row]:
    """The rows that refer to a row by a field."""
    table = transaction.store.tables[link.child]
    index = table.indexes.get(link.field.name)
    for holder_id in list(index.ids(row_id)) if index else ():
        row = table.rows[holder_id]
        if "IsDeleted" not in row and holder_id != row_id:
            yield row


def _emptied(transaction: Transaction, link: ChildLink, row_id: str) -> Iterator[list[str]]:
    field = link.field
    if field.cascade or field.restrict or not field.updateable:
        return
    for holder in _holders(transaction, link, row_id):
        rest = {name: value for name, value in holder.items() if name != field.name}
        transaction.put(link.child, {**rest, "SystemModstamp": transaction.moment})
        yield [link.child, field.name, holder["Id"]]


def _refuse_if_held(transaction: Transaction, kind: ObjectType, row: Row) -> None:
    for link in transaction.store.full_schema.children(kind.name):
        if not link.field.restrict:
            continue
        child = transaction.store.tables[link.child].kind
        held = [*_holders(transaction, link, row["Id"])]
        if held:
            names = ", ".join(str(each.get(child.name_field.name, "")) for each in held)
            raise Refusal(
                "DELETE_FAILED",
                f"Your attempt to delete {row.get(kind.name_field.name)} could not be completed "
                f"because it is associated with the following {child.plural.lower()}.: {names}\n",
                [],
            )
