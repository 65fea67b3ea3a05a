"""Writes the rows of ingest jobs, by the same rules as every other API, a few in a transaction."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from simulator.salesforce import recycling
from simulator.salesforce.bulk.columns import (
    NULL,
    body_of,
    columns_of,
    in_csv_words,
    not_found,
    require,
)
from simulator.salesforce.bulk.jobs import IN_PROGRESS, IngestJob
from simulator.salesforce.bulk.outcome import Written, error_text
from simulator.salesforce.bulk.pace import Pace
from simulator.salesforce.bulk.upload import BadContent, Cells, Upload
from simulator.salesforce.errors import Refusal
from simulator.salesforce.faults import CallState, RowFaults, change_origin, event_faults
from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.resources import key_field
from simulator.salesforce.session import Org
from simulator.salesforce.store import Transaction
from simulator.salesforce.writes import ManyMatches, Writer

ROWS_A_TRANSACTION = 200
ID, HARD_DELETE = "Id", "hardDelete"


def load(org: Org, job: IngestJob, pace: Pace) -> None:
    """Write all rows of a job, or as many as come before it is stopped."""
    upload = job.upload or Upload(b"", job.dialect)
    if job.uploads > 1:
        raise BadContent(f"InvalidBatch : Found multiple contents for job: {job.id}")
    if upload.problem is not None:
        raise BadContent(upload.problem)
    # One call set the job to work: a fault that hides whose it was hits it once.
    api = f"bulkapi/{job.version.removeprefix('v')}"
    origin = change_origin(org.board, api, job.client, job.place, CallState())
    # Without a row, too, the header is looked at.
    for start in range(0, max(1, upload.count), ROWS_A_TRANSACTION):
        if not pace.reach(start / max(1, upload.count)):
            return
        end = min(start + ROWS_A_TRANSACTION, upload.count)
        if not _write(org, job, origin, list(upload.rows(range(start, end)))):
            return


def _write(org: Org, job: IngestJob, origin: str, rows: Sequence[Cells]) -> bool:
    """Write rows in one transaction; whether the job may go on."""
    state = CallState(places=[job.place], locks=org.locks.begin())
    with org.store.transaction(job.user_id, origin) as transaction:
        transaction.event_fault = event_faults(org.board, job.client, state)
        # A reset or an abort may have come first; then these rows are not to be written.
        if job.state != IN_PROGRESS:
            return False
        writer = Writer(
            transaction,
            RowFaults(org.board, [job.place], job.client, state),
            org.rulebook,
            assigns=job.assignment_rule is not None,
            allow_save=job.allow_save,
        )
        batch = _Batch(job, transaction, writer, rows)
        written = [batch.write(cells) for cells in rows]
    job.outcome.extend(written)
    return state.locks is None or not job.stopped.wait(state.locks.settle())


class _Batch:
    """The rows of one transaction."""

    def __init__(
        self, job: IngestJob, transaction: Transaction, writer: Writer, rows: Sequence[Cells]
    ) -> None:
        self._transaction = transaction
        self._writer = writer
        schema = transaction.store.schema
        self._kind = schema.get(job.object_name)
        self._header = job.upload.header if job.upload else []
        self._columns = columns_of(self._header, self._kind, schema)
        self._places = {each.name: at for at, each in enumerate(self._columns) if not each.key}
        self._perform = OPERATIONS[job.operation]
        self._key = key_field(self._kind, job.key_field or ID)
        self._check_columns(job.operation)
        self._seen = Counter(self._cell(cells, self._key.name).lower() for cells in rows)

    def write(self, cells: Cells) -> Written:
        """Write one row, or say why it was refused."""
        before = self._transaction.savepoint()
        try:
            return self._perform(self, cells)
        except ManyMatches as problem:
            ids = ", ".join(problem.ids)
            message = f"{self._key.name}: more than one record found for external id field: [{ids}]"
            refusal = Refusal("DUPLICATE_EXTERNAL_ID", message, [])
        except Refusal as problem:
            refusal = in_csv_words(problem, self._columns, cells)
        self._transaction.rollback(before)
        row_id = self._cell(cells, ID)
        known = long_form(row_id) if is_id(row_id) else ""
        return Written(known, error=error_text(refusal))

    def insert(self, cells: Cells) -> Written:
        """Create a row."""
        return Written(self._writer.create(self._kind, body_of(self._columns, cells)), created=True)

    def update(self, cells: Cells) -> Written:
        """Change the row that has an id."""
        body = body_of(self._columns, cells)
        body.pop(ID, None)
        return Written(self._writer.update(self._kind, self._id(cells, "an update"), body))

    def upsert(self, cells: Cells) -> Written:
        """Change the row that holds a key, or create it."""
        key, value = self._key, self._cell(cells, self._key.name)
        if not value and key.type != "id":
            raise Refusal("MISSING_ARGUMENT", f"{key.name} not specified", [key.name])
        if value and self._seen[value.lower()] > 1:
            message = f"Duplicate external id specified: {value}"
            raise Refusal("DUPLICATE_VALUE", message, [key.name])
        body = body_of(self._columns, cells)
        values = {name: each for name, each in body.items() if name not in {key.name, ID}}
        return Written(*self._writer.upsert(self._kind, key, value, values))

    def delete(self, cells: Cells) -> Written:
        """Put a row into the recycle bin."""
        return Written(self._writer.delete(self._kind, self._id(cells, "a delete")))

    def hard_delete(self, cells: Cells) -> Written:
        """Delete a row for good."""
        written = self.delete(cells)
        recycling.erase(self._transaction, self._kind, written.row_id)
        return written

    def _id(self, cells: Cells, operation: str) -> str:
        row_id = self._cell(cells, ID)
        if not row_id:
            raise Refusal("MISSING_ARGUMENT", f"Id not specified in {operation} call", [ID])
        return row_id

    def _cell(self, cells: Cells, name: str) -> str:
        text = cells[self._places[name]].strip() if name in self._places else ""
        return "" if text == NULL else text

    def _check_columns(self, operation: str) -> None:
        if operation != "insert":
            require(self._columns, self._key.name)
        if operation in DELETES and len(self._columns) > 1:
            raise not_found(next(name for name in self._header if name.lower() != ID.lower()))


Operation = Callable[[_Batch, Cells], Written]
OPERATIONS: Mapping[str, Operation] = {
    "insert": _Batch.insert,
    "update": _Batch.update,
    "upsert": _Batch.upsert,
    "delete": _Batch.delete,
    HARD_DELETE: _Batch.hard_delete,
}
DELETES = frozenset({"delete", HARD_DELETE})
