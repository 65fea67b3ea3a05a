"""Rows as the page shows them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.salesforce.page.layouts import LAYOUTS, Layout
from simulator.salesforce.page.texts import Texts
from simulator.salesforce.rendering import getter
from simulator.salesforce.schema import NUMBERS, Field, ObjectType, Schema
from simulator.salesforce.soql.dates import USER_ZONE
from simulator.salesforce.store import Row, Store

MOST_ROWS = 200
MOST_CHOICES = 200
FIRST_CJK, LAST_CJK = "\u3040", "\u9fff"
INPUTS = {
    "email": "email",
    "phone": "tel",
    "url": "url",
    "date": "date",
    "datetime": "datetime-local",
    "boolean": "checkbox",
    "textarea": "textarea",
    "picklist": "select",
    "reference": "select",
}
INPUT_TIME, SHOWN_TIME = "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class Link:
    """A row named for people, with where it is shown (or nowhere)."""

    text: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Binned:
    """A row in the recycle bin; `master` is the row it was merged into."""

    id: str
    name: str
    when: str
    master: Link | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Control:
    """One field of a record page: how it is edited, what it holds."""

    name: str
    label: str
    kind: str
    value: str
    editable: bool
    required: bool = False
    length: int | None = None
    shown: Link | None = None
    choices: list[Choice] = field(default_factory=list)


class View:
    """What the page shows of the org, in one language."""

    def __init__(self, store: Store, texts: Texts, schema: Schema) -> None:
        self._store = store
        self._texts = texts
        self._schema = schema

    def kind(self, name: str) -> ObjectType:
        """An object by its exact name."""
        return self._schema.objects[name]

    def live(self, kind: ObjectType) -> list[Row]:
        """The rows of an object, the latest changed first."""
        rows = [r for r in self._store.tables[kind.name].rows.values() if "IsDeleted" not in r]
        return sorted(rows, key=lambda row: (row["SystemModstamp"], row["Id"]), reverse=True)

    def binned(self, kind: ObjectType) -> list[Binned]:
        """The rows of an object in the recycle bin, the latest deleted first."""
        rows = [r for r in self._store.tables[kind.name].rows.values() if "IsDeleted" in r]
        rows.sort(key=lambda row: (row["SystemModstamp"], row["Id"]), reverse=True)
        return [self.in_bin(row) for row in rows[:MOST_ROWS]]

    def in_bin(self, row: Row) -> Binned:
        """One row in the recycle bin."""
        master = self.linked(row["MasterRecordId"]) if "MasterRecordId" in row else None
        when = local_time(row["SystemModstamp"], SHOWN_TIME)
        return Binned(row["Id"], self.name(row), when, master)

    def others(self, kind: ObjectType, row: Row) -> list[tuple[str, str]]:
        """The other rows of an object, to merge with."""
        rows = [each for each in self.live(kind)[: MOST_CHOICES + 1] if each["Id"] != row["Id"]]
        return [(each["Id"], self.name(each)) for each in rows]

    def contacts(self) -> list[tuple[str, str, str]]:
        """The contacts that a lead may be converted to: id, name, id of the account."""
        rows = [row for row in self.live(self.kind("Contact")) if "AccountId" in row]
        return [(row["Id"], self.name(row), row["AccountId"]) for row in rows[:MOST_CHOICES]]

    def found(self, kind: ObjectType, search: str) -> list[Row]:
        """The rows that hold a text in one of the columns of the list."""
        wanted = search.strip().lower()
        rows = self.live(kind)
        if wanted:
            rows = [row for row in rows if wanted in self._searched(kind, row)]
        return rows

    def cells(self, kind: ObjectType, row: Row, layout: Layout) -> list[tuple[str, str, Link]]:
        """The cells of a list row: field name, label and what to show."""
        cells = []
        for at, name in enumerate(layout.columns):
            each = kind.fields[name]
            link = self.shown(kind, row, each)
            if at == 0:
                link = Link(self.name(row), address_of(row, kind.name))
            cells.append((name, self.label(kind, each), link))
        return cells

    def controls(
        self, kind: ObjectType, names: Iterator[str] | list[str], row: Row | None, given: Row
    ) -> list[Control]:
        """The fields of a record page; a row of None is one about to be made."""
        return [self._control(kind, kind.fields[name], row, given) for name in names]

    def other_fields(self, kind: ObjectType, layout: Layout) -> list[str]:
        """The editable fields that no section shows."""
        placed = {name for section in layout.sections.values() for name in section}
        return [
            name
            for name, each in kind.fields.items()
            if each.updateable and name not in placed and self._is_shown(each)
        ]

    def related(self, kind: str, by: str, row_id: str) -> list[Row]:
        """The rows of a related list."""
        table = self._store.tables[kind]
        rows = [table.rows[each] for each in table.indexes[by].ids(row_id)]
        return sorted(rows, key=lambda row: str(row["Id"]), reverse=True)

    def label(self, kind: ObjectType, each: Field) -> str:
        """What a field is called."""
        return self._texts.field_label(kind.name, each.name, each.label)

    def name(self, row: Row) -> str:
        """What a row is called: the family name first where names are written so."""
        last = row.get("LastName", "")
        if last and FIRST_CJK <= last[0] <= LAST_CJK:
            return f"{last}{row.get('FirstName', '')}"
        kind = self._schema.of_id(row["Id"])
        return str(row.get(kind.name_field.name if kind else "Id") or row["Id"])

    def linked(self, row_id: str) -> Link:
        """The row that a reference leads to."""
        kind = self._schema.of_id(row_id)
        row = self._store.tables[kind.name].rows.get(row_id) if kind else None
        if kind is None or row is None:
            return Link(row_id)
        reachable = kind.name in LAYOUTS and "IsDeleted" not in row
        return Link(self.name(row), address_of(row, kind.name) if reachable else None)

    def shown(self, kind: ObjectType, row: Row, each: Field) -> Link:
        """A value as text."""
        value = getter(self._store, kind, each)(row)
        if value is None:
            return Link("")
        if each.type == "reference":
            return self.linked(value)
        if each.type == "boolean":
            return Link("✓" if value else "")
        if each.type == "datetime":
            return Link(local_time(value, SHOWN_TIME))
        if each.type == "picklist":
            return Link(self._texts.value_label(value))
        return Link(plain(value))

    def _is_shown(self, each: Field) -> bool:
        """Leave out coordinates and references to objects that this org does not have."""
        if each.type == "reference":
            return any(self._schema.find(name) for name in each.to)
        return each.type != "double" or each.part_of is None

    def _control(self, kind: ObjectType, each: Field, row: Row | None, given: Row) -> Control:
        source = given if row is None else row
        value = None if row is None and each.name not in given else source.get(each.name)
        if row is None and value is None:
            value = each.default
        editable = each.updateable if row is not None else each.createable
        return Control(
            each.name,
            self.label(kind, each),
            "number" if each.type in NUMBERS else INPUTS.get(each.type, "text"),
            input_value(each, value),
            editable,
            required=each.required,
            length=each.length or None,
            shown=Link("") if row is None else self.shown(kind, row, each),
            choices=self._choices(each, value) if editable else [],
        )

    def _choices(self, each: Field, value: str | None) -> list[Choice]:
        if each.type == "picklist":
            known = [(v, self._texts.value_label(v)) for v in each.values]
        elif each.type == "reference":
            known = [(row["Id"], self.name(row)) for row in self._referable(each)]
        else:
            return []
        if value and value not in {one for one, _ in known}:
            label = self.linked(value).text if each.type == "reference" else value
            known.insert(0, (value, label))
        choices = [Choice(one, label, one == value) for one, label in known]
        return [Choice("", self._texts("none"), not value), *choices]

    def _referable(self, each: Field) -> list[Row]:
        kinds = [kind for name in each.to if (kind := self._schema.find(name)) is not None]
        return [row for kind in kinds for row in self.live(kind)[:MOST_CHOICES]]

    def _searched(self, kind: ObjectType, row: Row) -> str:
        texts = [self.name(row), str(row.get("Name", ""))]
        columns = LAYOUTS[kind.name].columns
        texts += [self.shown(kind, row, kind.fields[name]).text for name in columns]
        return "\n".join(texts).lower()


def address_of(row: Row, kind: str) -> str:
    """Where the page shows a row."""
    return f"/?tab={kind}&id={row['Id']}"


def input_value(each: Field, value: Any) -> str:
    """A value as an input element holds it."""
    if value is None:
        return ""
    if each.type == "datetime":
        return local_time(value, INPUT_TIME)
    if each.type == "boolean":
        return "true" if value else ""
    return plain(value)


def plain(value: Any) -> str:
    """A number without an idle fraction, else the value itself."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def local_time(value: str, form: str) -> str:
    """A datetime of the API on the user's clock."""
    return datetime.fromisoformat(value).astimezone(USER_ZONE).strftime(form)
