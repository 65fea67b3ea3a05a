"""SOQL text: quoting, the polling query and the match query (SOQL and SOSL Reference).

Nothing reaches a query but through `quoted`, `moment_literal` or a checked name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

MAX_LENGTH = 100_000

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,5}")
_SELECT = re.compile(r"\s*SELECT\s+(?P<names>[\w.,\s]+?)\s+FROM\s", re.IGNORECASE)
_ESCAPES = str.maketrans(
    {
        "\\": r"\\",
        "'": r"\'",
        "\n": r"\n",
        "\r": r"\r",
        "\t": r"\t",
        "\b": r"\b",
        "\f": r"\f",
        "\x00": "",
    }
)


def name(text: str) -> str:
    """An object, field or parent path, refused when it is anything else."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"not a Salesforce name: {text!r}")
    return text


def quoted(value: str) -> str:
    """A string literal."""
    return f"'{value.translate(_ESCAPES)}'"


def literal(value: str | bool | float | date | None) -> str:  # a value, no switch
    """A literal for a value; aware datetimes become UTC moments, dates stay dates."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return moment_literal(value)
    if isinstance(value, date):
        return value.isoformat()
    return quoted(value) if isinstance(value, str) else repr(value)


def moment_literal(at: datetime) -> str:
    """A datetime literal, UTC, whole seconds (what Salesforce keeps)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_list(field: str, values: Iterable[str]) -> str:
    """`Field IN ('a','b')`, each value once; an empty list matches nothing."""
    listed = ",".join(quoted(value) for value in dict.fromkeys(values))
    return f"{name(field)} IN ({listed})" if listed else "Id = null"


def any_of(field: str, values: Iterable[str | bool | float]) -> str:
    """`Field IN (…)` for values of any kind."""
    return f"{name(field)} IN ({', '.join(literal(value) for value in values)})"


def select(fields: Iterable[str], object_name: str, where: str = "") -> str:
    """`SELECT … FROM … [WHERE …]`, each field once whatever its case."""
    names = {field.lower(): name(field) for field in fields}
    text = f"SELECT {', '.join(names.values())} FROM {name(object_name)}"  # names are checked
    return f"{text} WHERE {where}" if where else text


def changed_since(
    object_name: str,
    fields: Sequence[str],
    since: datetime,
    after: tuple[str, str] | None = None,
    limit: int = 2000,
) -> str:
    """The polling query, oldest first.

    Rows changed at or after `since`, or beyond `after`: (SystemModstamp as answered, Id).
    """
    if after is None:
        where = f"SystemModstamp >= {moment_literal(since)}"
    else:
        stamp = moment_literal(datetime.fromisoformat(after[0]))
        where = (
            f"(SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > {quoted(after[1])}))"
        )
    query = select(("Id", "SystemModstamp", *fields), object_name, where)
    return f"{query} ORDER BY SystemModstamp, Id LIMIT {limit}"


def matches(
    object_name: str,
    fields: Sequence[str],
    sought: Sequence[str],
    values: Sequence[str],
    limit: int = 2000,
) -> str:
    """Rows in which any of the `sought` fields holds any of the values, keyed or not."""
    where = " OR ".join(in_list(field, values) for field in sought)
    return f"{select(('Id', *fields), object_name, where)} LIMIT {limit}"


def selected(soql: str) -> tuple[str, ...] | None:
    """The field paths a query asks for; None where it has functions, aliases or subqueries."""
    found = _SELECT.match(soql)
    if found is None:
        return None
    names = tuple(part.strip() for part in found["names"].split(","))
    return names if all(_NAME.fullmatch(part) for part in names) else None
