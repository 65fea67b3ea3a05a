"""What the networks and the platforms do to calls, webhooks and change events."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests import interference as stir
from tests.properties.stories import Story, happens, people

OURS = {"client": "line-connector*"}
COMPOSITE = {**OURS, "path": "/services/data/*/composite"}
STREAM = {"method": "GRPC"}
PUSH = {"path": "/v2/bot/message/push"}
REPLY = {"path": "/v2/bot/message/reply"}
MESSAGE = {"path": "/v2/bot/message/*"}
CARRIED = st.sampled_from(["Contact", "Case", "Lead", "Asset", "WorkOrder"])
Outage = Mapping[str, Any]
ORG_FAULTS: Mapping[str, Outage] = {
    "reset_before": {"match": COMPOSITE},
    "reset_after_commit": {"match": COMPOSITE},
    "status": {"match": COMPOSITE, "status": 503},
    "lock": {"match": OURS},
    "expire_session": {"match": OURS},
    "concurrent_limit": {"match": OURS},
    "maintenance": {"match": OURS},
    "drop_client_tag": {"match": OURS},
    "edit_after": {"match": OURS, "object": "Case", "values": {"Status": "Working"}},
}
LINE_FAULTS: Mapping[str, tuple[str, Outage]] = {
    "a push is lost on its way": ("reset_before", {"match": PUSH}),
    "the answer to a push is lost": ("reset_after_commit", {"match": PUSH}),
    "the answer to a reply is lost": ("reset_after_commit", {"match": REPLY}),
    "LINE fails": ("status", {"match": MESSAGE, "status": 500}),
    "rate_429": ("rate_429", {}),
    "quota_429": ("quota_429", {}),
    "expire_reply_tokens": ("expire_reply_tokens", {}),
    "redeliver": ("redeliver", {}),
}
STREAM_FAULTS = ("drop_stream", "expire_replay", "duplicate_events", "reorder_events")
UNLOGGED = "redeliver"  # strikes a webhook, which no log of calls holds
EVENT_FAULTS = ("gap", "overflow")


class Outages(Story):
    """Failures, at any moment."""

    @happens(order=st.integers(0, 9))
    def webhooks_overtake_each_other(self, order: int) -> str | None:
        arrived = self.stage.outside.catcher.arrived
        late = arrived[self.world.taken :]
        if len(late) < 2:
            return None
        random.Random(order).shuffle(late)
        arrived[self.world.taken :] = late
        return f"{len(late)}"

    @happens(number=st.integers(1, 3))
    def webhooks_come_again(self, number: int) -> str | None:
        arrived = self.stage.outside.catcher.arrived
        if not arrived:
            return None
        arrived.extend(arrived[-number:])
        return f"the last {number}"

    @happens(name=st.sampled_from(sorted(ORG_FAULTS)), times=st.integers(1, 3))
    def the_org_fails(self, name: str, times: int) -> str | None:
        self.world.org_fault(name, times=times, **dict(ORG_FAULTS[name]))
        return f"{name} {times} times"

    @happens(name=st.sampled_from(sorted(LINE_FAULTS)))
    def line_fails(self, name: str) -> str | None:
        fault, params = LINE_FAULTS[name]
        self.world.line_fault(fault, times=1, **dict(params))
        if fault == UNLOGGED:
            self.tally.faults[fault] += 1
        return name

    @happens(who=people)
    def a_block_comes_unsaid(self, who: int) -> str | None:
        """LINE knows of a block before its webhook arrives."""
        self.people[who].blocked = True
        user = self.people[who].user
        self.world.line_fault("block_user", times=1, match=PUSH, user_id=user)
        self.tally.faults["block_user"] += 1
        return f"person {who}"

    # -- change events

    @happens(name=st.sampled_from(EVENT_FAULTS), of=CARRIED)
    def events_are_lost(self, name: str, of: str) -> str | None:
        if self.ear is None:
            return None
        self.world.org_fault(name, times=1, object=of)
        return f"{name} of {of}"

    @happens(name=st.sampled_from(STREAM_FAULTS))
    def the_stream_breaks(self, name: str) -> str | None:
        """What the stream tells anew once it stands again is where order and place matter."""
        if self.ear is None:
            return None
        if name != "duplicate_events":
            self.world.org_fault("drop_stream", times=1, match=STREAM)
        if name != "drop_stream":
            self.world.org_fault(name, times=1, match=STREAM)
        return name

    @happens()
    def events_are_heard(self) -> str | None:
        if self.ear is None or self.ear.over:
            return None
        return f"all told: {self.ear.hear()}"

    @happens()
    def the_reader_of_events_dies(self) -> str | None:
        if self.ear is None or self.ear.over:
            return None
        self.ear.die()
        return "it keeps the lease"

    @happens()
    def another_reader_takes_over(self) -> str | None:
        """From one that sleeps or is gone, and whose lease runs out; or from the polls."""
        stir.expire_leases(self.world)
        if self.ear is not None and not self.ear.over:
            self.old_ears.append(self.ear)
        self.listens()
        return "all is told"

    @happens()
    def an_old_reader_wakes(self) -> str | None:
        if not self.old_ears and (self.ear is None or self.ear.over):
            return None
        if not self.old_ears:
            self.another_reader_takes_over()
        old = self.old_ears.pop()
        old.wake()
        old.stop()
        return "with the lease it had"
