"""The CSV that a client uploaded, read where it lies: only the places of its rows are kept."""

import csv
import io
from array import array
from collections.abc import Iterable, Iterator

from simulator.salesforce.bulk.dialect import Dialect

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LARGEST_FIELD, LARGEST_HEADER, LARGEST_ROW = 32_000, 32_000, 400_000
MOST_COLUMNS = 5_000
UNCLOSED = "unexpected end of data"
Cells = list[str]


class BadContent(Exception):
    """The content cannot be read as the CSV that the job promised; the job fails."""


class Upload:
    """The content of one job; `header` and `count` speak of what could be read."""

    def __init__(self, content: bytes, dialect: Dialect) -> None:
        self.content = content.removeprefix(BYTE_ORDER_MARK)
        self.header: Cells = []
        self.problem: str | None = None
        self._dialect = dialect
        # Where each row begins, and after the last one where it ends.
        self._places = array("Q")
        try:
            self._survey()
        except UnicodeDecodeError:
            self.problem = "InvalidBatch : The content is not UTF-8"
        except BadContent as problem:
            self.problem = str(problem)

    @property
    def count(self) -> int:
        """How many rows stand below the header."""
        return max(0, len(self._places) - 1)

    def rows(self, numbers: Iterable[int]) -> Iterator[Cells]:
        """Rows by number, each as wide as the header."""
        places, width = self._places, len(self.header)
        pieces = (self.content[places[at] : places[at + 1]].decode() for at in numbers)
        for cells in csv.reader(pieces, delimiter=self._dialect.delimiter):
            yield cells + [""] * (width - len(cells))

    def _survey(self) -> None:
        self._check_line_end()
        lines = _Lines(self.content)
        reader = csv.reader(lines, delimiter=self._dialect.delimiter, strict=True)
        start = 0
        try:
            for cells in reader:
                if cells and self.header:
                    self._places.append(start)
                    self._check(cells, lines.position - start)
                elif cells:
                    self._begin(cells, lines.position)
                start = lines.position
        except csv.Error as problem:
            raise BadContent(_unreadable(problem)) from None
        self._places.append(start)

    def _begin(self, cells: Cells, size: int) -> None:
        if size > LARGEST_HEADER or len(cells) > MOST_COLUMNS:
            raise BadContent(
                f"InvalidBatch : The header row is too large: at most {LARGEST_HEADER} characters "
                f"and {MOST_COLUMNS} columns"
            )
        self.header = [each.strip() for each in cells]

    def _check(self, cells: Cells, size: int) -> None:
        if len(cells) > len(self.header):
            raise BadContent(
                f"InvalidBatch : Row {self.count + 1} has {len(cells)} values for "
                f"{len(self.header)} columns"
            )
        # A row of few bytes cannot hold a long field: most rows are not looked into.
        if size > LARGEST_FIELD and (
            max(map(len, cells)) > LARGEST_FIELD or sum(map(len, cells)) > LARGEST_ROW
        ):
            raise BadContent(
                f"InvalidBatch : Row {self.count + 1} is too large: at most {LARGEST_FIELD} "
                f"characters a field and {LARGEST_ROW} a row"
            )

    def _check_line_end(self) -> None:
        first, ended, _ = self.content.partition(b"\n")
        found = "CRLF" if first.endswith(b"\r") else "LF"
        if ended and found != self._dialect.line_end_name:
            raise BadContent(
                "ClientInputError : LineEnding is invalid on user data. "
                f"Current LineEnding setting is {self._dialect.line_end_name}"
            )


class _Lines:
    """The lines of a content, and where the last one given ends."""

    def __init__(self, content: bytes) -> None:
        self._lines = io.BytesIO(content)
        self.position = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._lines.readline()
        if not line:
            raise StopIteration
        self.position += len(line)
        return line.decode()


def _unreadable(problem: csv.Error) -> str:
    known = str(problem)
    if known == UNCLOSED:
        known = "EOF reached before closing an opened quote"
    return f"ClientInputError : Failed to parse CSV. {known}"
