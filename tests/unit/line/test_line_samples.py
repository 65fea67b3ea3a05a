"""Every recorded webhook body is accepted."""

import json
from pathlib import Path

import pytest

from connector.line.events import read_delivery

SAMPLES = Path(__file__).parents[4] / "shared/contracts/line/webhooks"
BODIES = sorted(SAMPLES.glob("*/*.json"))


@pytest.mark.skipif(not BODIES, reason="the recordings do not lie beside this checkout")
@pytest.mark.parametrize("path", BODIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recorded_body_is_read_whole(path):
    body = path.read_bytes()
    recorded = json.loads(body)
    delivery = read_delivery(body)
    assert delivery.destination == recorded.get("destination")
    assert [event.raw for event in delivery.events] == recorded["events"]
    for event, raw in zip(delivery.events, recorded["events"], strict=True):
        assert event.at is not None
        assert event.dedupe_key
        named = raw.get("source", {})
        assert event.user_id == (named.get("userId") if named.get("type") == "user" else None)
