"""How the CSV of a job is spelt: its delimiter, its line ends, and what it quotes."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.salesforce.errors import Refusal

DELIMITERS: Mapping[str, str] = {
    "BACKQUOTE": "`",
    "CARET": "^",
    "COMMA": ",",
    "PIPE": "|",
    "SEMICOLON": ";",
    "TAB": "\t",
}
LINE_ENDS: Mapping[str, str] = {"LF": "\n", "CRLF": "\r\n"}
CONTENT_TYPE = "CSV"


@dataclass(frozen=True, slots=True)
class Dialect:
    """The choices of one job, by the names the API has for them."""

    delimiter_name: str = "COMMA"
    line_end_name: str = "LF"

    @property
    def delimiter(self) -> str:
        """What stands between two values."""
        return DELIMITERS[self.delimiter_name]

    @property
    def line_end(self) -> str:
        """What ends a row."""
        return LINE_ENDS[self.line_end_name]

    def text(self, rows: Iterable[Iterable[Any]]) -> bytes:
        """Rows as CSV, every value in quotes."""
        written = io.StringIO()
        writer = csv.writer(
            written,
            delimiter=self.delimiter,
            lineterminator=self.line_end,
            quoting=csv.QUOTE_ALL,
        )
        writer.writerows(rows)
        return written.getvalue().encode()


def dialect_of(body: Mapping[str, Any]) -> Dialect:
    """The dialect that the creation of a job asks for."""
    content_type = body.get("contentType") or CONTENT_TYPE
    if content_type != CONTENT_TYPE:
        message = f"contentType {content_type} is not supported; the only one is {CONTENT_TYPE}"
        raise Refusal("INVALIDJOB", message)
    return Dialect(
        _one_of(DELIMITERS, body, "columnDelimiter", "COMMA"),
        _one_of(LINE_ENDS, body, "lineEnding", "LF"),
    )


def _one_of(known: Mapping[str, str], body: Mapping[str, Any], key: str, default: str) -> str:
    name = body.get(key) or default
    if not isinstance(name, str) or name not in known:
        message = f"{key} {name} is not supported; it is one of {', '.join(sorted(known))}"
        raise Refusal("INVALIDJOB", message)
    return name
