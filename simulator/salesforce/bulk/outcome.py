"""What became of the rows of an ingest job, and the three files that tell of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from simulator.salesforce.bulk.dialect import Dialect
from simulator.salesforce.bulk.upload import Cells, Upload
from simulator.salesforce.errors import Refusal

# The rows of a result do not come in the order of the upload, yet always in the same one.
SHUFFLED_BY = 2026
ROWS_A_PIECE = 2000
TRUTHS = {True: "true", False: "false"}


class Written(NamedTuple):
    """One row that was worked off; `error` None: well."""

    row_id: str
    created: bool = False
    error: str | None = None


@dataclass(slots=True)
class Outcome:
    """The rows worked off so far, in the order of the upload."""

    written: list[Written] = field(default_factory=list)
    failed: int = 0

    def extend(self, written: Iterable[Written]) -> None:
        """Take note of further rows."""
        before = len(self.written)
        self.written.extend(written)
        self.failed += sum(1 for each in self.written[before:] if each.error is not None)

    @property
    def processed(self) -> int:
        """How many rows were worked off, well or not."""
        return len(self.written)


def error_text(refusal: Refusal) -> str:
    """A refusal as the column `sf__Error` has it."""
    named = f"{','.join(refusal.fields)} " if refusal.fields else ""
    return f"{refusal.code}:{refusal.message}:{named}--"


def successful(outcome: Outcome, upload: Upload, dialect: Dialect) -> Iterator[bytes]:
    """`successfulResults`: id, whether the row is new, and the row as it was uploaded."""
    written = outcome.written

    def lead(at: int) -> Cells:
        return [written[at].row_id, TRUTHS[written[at].created]]

    numbers = [at for at, each in enumerate(written) if each.error is None]
    return _file(["sf__Id", "sf__Created"], numbers, lead, upload, dialect)


def failed(
    outcome: Outcome, upload: Upload, dialect: Dialect, *, with_ids: bool
) -> Iterator[bytes]:
    """`failedResults`: why not, and the row as it was uploaded."""
    written = outcome.written

    def lead(at: int) -> Cells:
        told = [written[at].row_id, str(written[at].error)]
        return told if with_ids else told[1:]

    numbers = [at for at, each in enumerate(written) if each.error is not None]
    names = ["sf__Id", "sf__Error"]
    return _file(names if with_ids else names[1:], numbers, lead, upload, dialect)


def unprocessed(outcome: Outcome, upload: Upload, dialect: Dialect) -> Iterator[bytes]:
    """`unprocessedrecords`: the rows that the job never came to."""
    if upload.problem is not None:
        # Nobody knows where the rows of an unreadable content begin and end.
        return iter([upload.content])
    numbers = range(outcome.processed, upload.count)
    return _file([], numbers, lambda _: [], upload, dialect)


def shuffled(numbers: Sequence[int]) -> list[int]:
    """Row numbers in another order than theirs."""
    order = list(numbers)
    Random(SHUFFLED_BY).shuffle(order)
    return order[::-1] if order == list(numbers) else order


def _file(
    names: Cells,
    numbers: Sequence[int],
    lead: Callable[[int], Cells],
    upload: Upload,
    dialect: Dialect,
) -> Iterator[bytes]:
    yield dialect.text([[*names, *upload.header]])
    order = shuffled(numbers)
    for start in range(0, len(order), ROWS_A_PIECE):
        piece = order[start : start + ROWS_A_PIECE]
        rows = zip(piece, upload.rows(piece), strict=True)
        yield dialect.text([*lead(at), *cells] for at, cells in rows)
