"""What a resource works with while it answers one call."""

from dataclasses import dataclass
from typing import Protocol

from simulator.control.faults import FaultBoard
from simulator.salesforce.bulk.jobs import Jobs
from simulator.salesforce.calls import Answer, Call
from simulator.salesforce.cursors import Cursors
from simulator.salesforce.events.bus import EventBus
from simulator.salesforce.locks import RowLocks
from simulator.salesforce.metadata.catalog import Catalog
from simulator.salesforce.rulebook import Rulebook
from simulator.salesforce.schema import Schema
from simulator.salesforce.store import Store, Transaction
from simulator.salesforce.switches import Switches
from simulator.salesforce.usage import Usage
from simulator.salesforce.visibility import Visibility
from simulator.salesforce.writes import Writer


class Org(Protocol):
    """The parts of the org that resources use."""

    store: Store
    usage: Usage
    cursors: Cursors
    locks: RowLocks
    events: EventBus
    board: FaultBoard
    jobs: Jobs
    catalog: Catalog
    rulebook: Rulebook
    switches: Switches
    visibility: Visibility
    instance_url: str


class Performer(Protocol):
    """What answers the calls that a composite call carries."""

    def perform(self, call: Call, transaction: Transaction) -> Answer:
        """Answer a call inside a transaction; a refusal undoes only its own writes."""


@dataclass(frozen=True, slots=True)
class Session:
    """One call in progress: its org, its transaction and its writer."""

    org: Org
    transaction: Transaction
    writer: Writer
    performer: Performer

    @property
    def store(self) -> Store:
        """The data of the org."""
        return self.org.store

    @property
    def schema(self) -> Schema:
        """The objects and fields that the caller may see."""
        return self.org.store.schema
