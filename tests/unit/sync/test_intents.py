"""What a weighed job says to the org."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from connector.domain.states import MatchState, PairState
from connector.store.tables import Outbox, Pair, Record
from connector.sync.outgoing import writes
from connector.sync.pairs.jobs import Job
from connector.sync.pairs.weighing import Outcome
from tests.unit.mapping.building import starter


def test_a_set_goes_out_as_the_text_that_a_multi_select_picklist_takes() -> None:
    mapping = replace(starter().mappings["friend-lead"], parents=())
    pair = Pair(id=uuid4(), object="Lead", mapping="friend-lead", state=PairState.OPEN, key="k")
    pair.match, pair.salesforce_id = MatchState.NONE, None
    record = Record(id=uuid4(), kind="friend", values={}, version=1)
    job = Job(Outbox(pair_id=pair.id), pair, record, {}, mapping)
    job.outcome = Outcome(sends={"Tags__c": ["air", "water"], "LastName": "王"})
    (intent,) = writes.intents([job])
    assert intent.fields == {"Tags__c": "air;water", "LastName": "王"}
