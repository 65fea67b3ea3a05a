"""The faults of a Salesforce org, beside those that both simulators know."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.control.faults import ActiveFault, FaultBoard
from simulator.salesforce.errors import Duplicates, Refusal
from simulator.salesforce.ids import SHORT
from simulator.salesforce.locks import CallLocks
from simulator.salesforce.store import Row

# Faults of a whole call, taken before the org acts.
CALL_FAULTS = frozenset({"expire_session", "daily_limit", "concurrent_limit", "maintenance"})
# Faults of one row that is written; `times` counts rows.
REFUSALS = frozenset({"lock", "duplicate", "validation"})
AUTOMATION = "edit_after"
# The change events of the call will not tell whose client made it.
UNTAGGED = "drop_client_tag"
# Faults of the events of one object; `times` counts transactions that touch it.
EVENT_FAULTS = frozenset({"gap", "overflow"})
# Faults of the streams that deliver events.
STREAM_FAULTS = frozenset({"drop_stream", "expire_replay", "duplicate_events", "reorder_events"})
# What people edit in the browser is told as made by the API that the browser uses.
PAGE_CLIENT, PAGE_API = "SfdcInternalAPI/", "soap/66.0"
NEEDS = {
    "validation": frozenset({"object", "message"}),
    AUTOMATION: frozenset({"object", "values"}),
    **dict.fromkeys(EVENT_FAULTS, frozenset({"object"})),
}
KNOWN = CALL_FAULTS | REFUSALS | EVENT_FAULTS | STREAM_FAULTS | {AUTOMATION, UNTAGGED}
Place = tuple[str, str]


def fault_board() -> FaultBoard:
    """A board that knows the faults of a Salesforce org."""
    return FaultBoard(KNOWN, NEEDS)


@dataclass(slots=True)
class CallState:
    """What befalls one call: the faults that hit it, and the row locks it takes."""

    hits: list[str] = field(default_factory=list)
    # The (method, path) of the call and of those it carries.
    places: list[Place] = field(default_factory=list)
    locks: CallLocks | None = None
    # How long its answer is held back.
    lasts: float = 0.0

    @property
    def fault(self) -> str | None:
        """The names of its faults, as the call log has them."""
        return ",".join(dict.fromkeys(self.hits)) or None


@dataclass(slots=True)
class RowFaults:
    """What the board does to the rows of one call.

    `places` are the (method, path) of the call, and before it of the subrequest it carries.
    """

    board: FaultBoard
    places: Sequence[Place]
    client: str | None
    state: CallState

    def lock(self, row: Row, old: Row | None) -> None:
        """Take the locks that the write of a row needs, where the org has locks."""
        if self.state.locks is not None:
            self.state.locks.take(row, old)

    def before(self, kind: str, row_id: str | None) -> None:
        """Refuse the write of a row when a fault says so."""
        for fault in self._take(REFUSALS, kind):
            raise _refusal(fault, kind, row_id)

    def after(self, kind: str) -> Mapping[str, Any] | None:
        """The values that a trigger sets after the write of a row."""
        values: dict[str, Any] = {}
        for fault in self._take(frozenset({AUTOMATION}), kind):
            values.update(fault.params["values"])
        return values or None

    def _take(self, names: frozenset[str], kind: str) -> list[ActiveFault]:
        return _taken(self.board, self.places, self.client, self.state, names, kind)


def event_faults(
    board: FaultBoard, client: str | None, state: CallState
) -> Callable[[str], str | None]:
    """What the board does to the events of a call, by object; asked when the call commits."""

    def taken(kind: str) -> str | None:
        found = _taken(board, state.places, client, state, EVENT_FAULTS, kind)
        return found[0].name if found else None

    return taken


def _taken(
    board: FaultBoard,
    places: Sequence[Place],
    client: str | None,
    state: CallState,
    names: frozenset[str],
    kind: str,
) -> list[ActiveFault]:
    for method, path in places:
        taken = board.take(
            method,
            path,
            client,
            names,
            where=lambda fault: fault.params.get("object", kind).lower() == kind.lower(),
        )
        if taken:
            state.hits += [fault.name for fault in taken]
            return taken
    return []


def change_origin(
    board: FaultBoard, api: str, client: str | None, place: Place, state: CallState
) -> str:
    """What change events call the origin of the changes of a call (facts section 13)."""
    if client is not None and client.startswith(PAGE_CLIENT):
        api = PAGE_API
    origin = f"com/salesforce/api/{api}"
    if client is None or place[0] == "GET":
        return origin
    if board.take(*place, client, {UNTAGGED}):
        state.hits.append(UNTAGGED)
        return origin
    return f"{origin};client={client}"


def _refusal(fault: ActiveFault, kind: str, row_id: str | None) -> Refusal:
    if fault.name == "duplicate":
        return Duplicates(kind)
    if fault.name == "validation":
        shown = fault.params.get("field")
        return Refusal(
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            fault.params["message"],
            [shown] if shown else [],
        )
    locked = row_id[:SHORT] if row_id else ""
    return Refusal(
        "UNABLE_TO_LOCK_ROW",
        f"unable to obtain exclusive access to this record or 1 records: {locked}",
        [],
    )
