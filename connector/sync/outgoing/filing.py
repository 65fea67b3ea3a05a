"""Put files on the rows they belong to: looked for where an outcome is unknown, uploaded, linked.

A file is told to the org under a name of its own, which is stored before the first call. So an
upload whose answer was lost is found again, and none is made twice. Each file's coming is stored as
soon as it is known: what happens to the next one, or to this worker, does not touch it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

from connector.domain.faults import Fault, FaultKind
from connector.domain.lines import Lane
from connector.domain.states import OutboxState
from connector.mapping.canonical import long_id
from connector.mapping.parts.compiled import LineProblem
from connector.mapping.parts.lines import evaluated
from connector.salesforce import soql
from connector.salesforce.faults import CallFailed
from connector.salesforce.gateway import Gateway
from connector.salesforce.steps import Insert, Row, RowFailed
from connector.store.session import Store
from connector.sync.pairs import attachments
from connector.sync.pairs.attachments import Owed
from connector.sync.pairs.jobs import Done, Hold, Job, Later, Stopped

PORTION_BYTES = 6 * 1024 * 1024  # in one call; a larger file goes alone
MOST_BYTES = 32 * 1024 * 1024  # in one go, so that rows behind do not wait for pictures
_ROWS = 200
_ASKED = 100
_UNSEEN_FOR = timedelta(seconds=120)
_SOON = timedelta(seconds=5)
_SKEW = timedelta(days=1)
_LONGEST_TITLE = 255
_SAID_TWICE = frozenset({"DUPLICATE_VALUE"})

Fail = Callable[[Job, Fault], None]
Piece: TypeAlias = tuple[Job, Owed]


@dataclass(frozen=True)
class Filer:
    """Files to one org."""

    store: Store
    gateway: Gateway
    clock: Callable[[], datetime]

    def file(self, jobs: Sequence[Job], renew: Callable[[], None], fail: Fail) -> None:
        """Bring along the files of rows that are up to date, as many as fit in one go."""
        pieces = [(job, each) for job in jobs if _is_ready(job) for each in job.files]
        if not pieces:
            return
        self.find(pieces, fail)
        for portion in _portions([piece for piece in pieces if _is_unsent(piece)]):
            renew()
            if not self._upload(portion, fail):
                break
        self.name(pieces, fail)
        self._link([piece for piece in pieces if piece[1].document_id], fail)
        self._note(pieces)

    def find(self, pieces: Sequence[Piece], fail: Fail) -> None:
        """Uploads whose outcome is not known: there, or surely not, or perhaps still to come."""
        lost = [piece for piece in pieces if piece[1].tried_at and not piece[1].version_id]
        for some in batches(lost, _ASKED):
            try:
                found = self._seek(some)
            except CallFailed as failed:
                fail_all(some, failed.fault, fail)
                continue
            for job, each in some:
                row = found.get(each.path)
                if row is not None:
                    _take(each, row)
                elif each.tried_at and self.clock() - each.tried_at < _UNSEEN_FOR:
                    reason = f"{each.told}: an upload without an answer may still come through"
                    job.end = Later(self.clock() + _SOON, reason, spent=False)
                else:
                    each.tried_at = None

    def _seek(self, pieces: Sequence[Piece]) -> dict[str, Row]:
        oldest = min(each.tried_at for _, each in pieces if each.tried_at)
        where = " AND ".join(
            (
                soql.in_list("PathOnClient", [each.path for _, each in pieces]),
                f"CreatedDate >= {soql.moment_literal(oldest - _SKEW)}",  # which is indexed
            )
        )
        fields = ("Id", "ContentDocumentId", "PathOnClient")
        rows = self.gateway.query(soql.select(fields, "ContentVersion", where))
        return {str(row["PathOnClient"]): row for row in rows}

    def _upload(self, portion: Sequence[Piece], fail: Fail) -> bool:
        """Send one portion; says whether it is worth going on with the next."""
        for _, each in portion:
            each.tried_at = self.clock()
        self._note(portion)
        with self.store.reading() as session:
            held = dict(attachments.contents(session, [each.file for _, each in portion]))
        going, rows = [], []
        for job, each in portion:
            each.tried_at = None
            # Of a person who was erased a moment ago there is nothing to bring.
            each.filed = each.file not in held
            row = None if each.filed else _row(job, each, held.pop(each.file))
            if row is not None:
                going.append((job, each))
                rows.append(row)
        goes_on = not going or self._insert(going, rows, fail)
        self._note(portion)
        return goes_on

    def _insert(self, portion: Sequence[Piece], rows: Sequence[Row], fail: Fail) -> bool:
        for _, each in portion:
            each.tried_at = self.clock()
        try:
            told = self.gateway.change(Insert("files", "ContentVersion", rows))
        except CallFailed as failed:
            return self._failed(portion, rows, failed.fault, fail)
        for (job, each), outcome in zip(portion, told, strict=True):
            if isinstance(outcome, RowFailed):
                each.tried_at = None
                fail_one(job, each, outcome.faults[0], fail)
            else:
                each.version_id = outcome.id
        return True

    def _failed(
        self, portion: Sequence[Piece], rows: Sequence[Row], fault: Fault, fail: Fail
    ) -> bool:
        if fault.kind is not FaultKind.UNKNOWN:
            for _, each in portion:
                each.tried_at = None
        if fault.kind is FaultKind.DATA and len(portion) > 1:  # one of them is to blame
            alone = zip(portion, rows, strict=True)
            return all(self._insert([piece], [row], fail) for piece, row in alone)
        fail_all(portion, fault, fail)
        return not fault.org_wide and fault.kind is not FaultKind.UNKNOWN

    def name(self, pieces: Sequence[Piece], fail: Fail) -> None:
        """Learn the documents of new versions: links and deletions name those."""
        nameless = [piece for piece in pieces if piece[1].version_id and not piece[1].document_id]
        for some in batches(nameless, _ROWS):
            ids = [str(each.version_id) for _, each in some]
            try:
                rows = self.gateway.read("ContentVersion", ids, ["Id", "ContentDocumentId"])
            except CallFailed as failed:
                fail_all(some, failed.fault, fail)
                continue
            for (_, each), row in zip(some, rows, strict=True):
                if row is not None:
                    each.document_id = str(row["ContentDocumentId"])
                else:  # somebody deleted it already: it is not ours to bring back
                    each.filed = True

    def _link(self, pieces: Sequence[Piece], fail: Fail) -> None:
        wanted = []
        for job, each in pieces:
            rows = _linked_rows(job, each)
            if rows is not None:
                wanted += [(job, each, row) for row in rows]
                each.filed = True
        for some in batches(wanted, _ROWS):
            links = [
                {"ContentDocumentId": each.document_id, "LinkedEntityId": row, "ShareType": "V"}
                for _, each, row in some
            ]
            try:
                told = self.gateway.change(Insert("links", "ContentDocumentLink", links))
            except CallFailed as failed:
                for job, each, _ in some:
                    each.filed = False
                    fail_one(job, each, failed.fault, fail)
                continue
            for (job, each, _), outcome in zip(some, told, strict=True):
                if isinstance(outcome, RowFailed) and outcome.faults[0].code not in _SAID_TWICE:
                    each.filed = False
                    fail_one(job, each, outcome.faults[0], fail)

    def _note(self, pieces: Sequence[Piece]) -> None:
        with self.store.transaction() as session:
            attachments.note(session, [each for _, each in pieces], self.clock())


def _is_ready(job: Job) -> bool:
    """Whether a job's own row is there and agreed, so that only files may be left.

    Where LINE users wait for other rows of the batch, files are left to a lane behind.
    """
    settled = isinstance(job.end, Done) and job.outcome is not None
    is_there = job.salesforce_id is not None and not job.releasing
    return settled and is_there and job.intent.lane is not Lane.URGENT


def _is_unsent(piece: Piece) -> bool:
    return piece[1].version_id is None and piece[1].tried_at is None


def _portions(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    """What goes together in one call, up to what goes in one go; at least one file does."""
    portion: list[Piece] = []
    size, whole = 0, 0
    for piece in pieces:
        whole += piece[1].size
        if portion and (size + piece[1].size > PORTION_BYTES or len(portion) == _ROWS):
            yield portion
            portion, size = [], 0
            if whole > MOST_BYTES:
                return
        portion.append(piece)
        size += piece[1].size
    if portion:
        yield portion


def _row(job: Job, each: Owed, content: bytes) -> Row | None:
    """The new ContentVersion; None, and its job stopped, where its title cannot be worked out."""
    try:
        title = _title(job, each)
    except LineProblem as problem:
        job.end = Stopped(OutboxState.PARKED, problem.message, problem.fix)
        return None
    return {
        "Title": title,
        "PathOnClient": each.path,
        "FirstPublishLocationId": job.salesforce_id,
        "VersionData": b64encode(content).decode("ascii"),
    }


def _title(job: Job, each: Owed) -> str:
    if each.rule.title is None:
        return each.name
    text = str(evaluated(each.rule.title, job.seen, "title") or "").strip() or each.name
    number = f" {each.place}" if each.of > 1 else ""
    return text[: _LONGEST_TITLE - len(number)] + number


def _take(each: Owed, row: Row) -> None:
    each.version_id = long_id(str(row["Id"]))
    each.document_id = str(row["ContentDocumentId"])


def _linked_rows(job: Job, each: Owed) -> Sequence[str] | None:
    """The further rows that show a file; None, and its job held, while one of them is to come."""
    rows = []
    for name in each.rule.links:
        pair = each.beside.get(name)
        for state in job.parents:
            pair = state.pair if state.parent.field == name else pair
        if pair is None:  # the record has none, or its mapping is switched off
            continue
        if pair.salesforce_id is None:
            reason = f"{each.told} waits for the {pair.object} that is to show it"
            step = (
                f"See why that {pair.object} is not in Salesforce yet; the file follows by itself."
            )
            job.end = Hold(pair.id, reason, step)
            return None
        rows.append(pair.salesforce_id)
    return rows


def fail_one(job: Job, each: Owed, fault: Fault, fail: Fail) -> None:
    """The first file that fails says how its job ends."""
    if job.end is None or isinstance(job.end, Done) or fault.org_wide:
        fail(job, replace(fault, message=f"{each.told}: {fault.message}"))


def fail_all(pieces: Sequence[Piece], fault: Fault, fail: Fail) -> None:
    """The same for files of several jobs."""
    for job, each in pieces:
        fail_one(job, each, fault, fail)


T = TypeVar("T")


def batches(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The whole in pieces of a size."""
    for at in range(0, len(whole), size):
        yield whole[at : at + size]
