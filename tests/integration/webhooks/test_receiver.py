"""`POST /webhooks/line`."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from connector.store.session import Store
from connector.store.tables import Received
from tests.integration.webhooks.site import OA, Site
from webhooks import receiver

SAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "line" / "webhooks"


def event(number: int = 1, **more: object) -> dict[str, object]:
    return {
        "type": "message",
        "webhookEventId": f"01J{number:023}",
        "timestamp": 1_795_000_000_000,
        "source": {"type": "user", "userId": "U" + "1" * 32},
        "message": {"type": "text", "id": "1", "text": "你好"},
        **more,
    }


def stored(store: Store) -> list[Received]:
    with store.reading() as session:
        return list(session.scalars(sa.select(Received).order_by(Received.id)))


def test_an_event_is_stored_with_all_that_line_said(site: Site, store: Store) -> None:
    answer = site.deliver({"destination": "U-other", "events": [event()]})
    assert (answer.status_code, answer.text) == (200, "{}")
    (row,) = stored(store)
    assert (row.oa, row.kind, row.body) == (OA, "message", event())


def test_a_stored_event_wakes_the_reader(site: Site, woken: list[str]) -> None:
    site.deliver({"events": [event()]})
    assert woken


def test_the_same_event_again_is_not_stored_again(site: Site, store: Store) -> None:
    for _ in range(3):
        assert site.deliver({"events": [event()]}).status_code == 200
    assert len(stored(store)) == 1


def test_an_event_without_an_id_is_known_by_its_content(site: Site, store: Store) -> None:
    nameless = event()
    del nameless["webhookEventId"]
    for body in (nameless, dict(reversed(nameless.items())), {**nameless, "timestamp": 1}):
        site.deliver({"events": [body]})
    assert len(stored(store)) == 2


def test_no_events_is_a_delivery_too(site: Site, store: Store) -> None:
    assert site.deliver({"destination": OA, "events": []}).status_code == 200
    assert stored(store) == []


def test_the_earlier_secret_is_good_while_it_is_rotated(site: Site) -> None:
    assert site.deliver({"events": []}, "earlier").status_code == 200


def test_a_body_over_two_megabytes_is_refused_before_its_signature_is_looked_at(
    site: Site,
) -> None:
    assert site.deliver(b" " * (2 * 1024 * 1024 + 1), "wrong").status_code == 413


def test_two_megabytes_are_taken(site: Site) -> None:
    body = json.dumps({"events": []}).encode().ljust(2 * 1024 * 1024)
    assert site.deliver(body).status_code == 200


def test_a_long_body_that_does_not_say_its_length_is_refused(site: Site) -> None:
    parts = (b" " * 65536 for _ in range(40))
    url = f"{site.url}/webhooks/line"
    assert site.session.post(url, data=parts, timeout=20).status_code == 413


@pytest.mark.parametrize("body", [b"{}", b"not json"])
def test_what_no_known_secret_signs_is_refused_before_it_is_read(site: Site, body: bytes) -> None:
    assert site.deliver(body, "wrong").status_code == 401


def test_a_delivery_without_a_signature_is_refused(site: Site) -> None:
    answer = site.session.post(f"{site.url}/webhooks/line", b'{"events":[]}', timeout=20)
    assert answer.status_code == 401


@pytest.mark.parametrize("body", [b"not json", b"[]", b"{}", b'{"events":{}}', b"", b"\xff"])
def test_what_is_signed_but_no_delivery_is_refused(site: Site, body: bytes) -> None:
    assert site.deliver(body).status_code == 400


def test_odd_text_is_stored_too(site: Site, store: Store) -> None:
    odd = event(message={"type": "text", "id": "1", "text": "a\x00b\ud800"})
    assert site.deliver({"events": [odd]}).status_code == 200
    assert len(stored(store)) == 1


def test_a_number_that_is_too_large_for_most_is_stored_too(site: Site, store: Store) -> None:
    assert site.deliver({"events": [event(size=2**70)]}).status_code == 200
    (row,) = stored(store)
    assert row.body["size"] == float(2**70)


def test_many_deliveries_at_once_are_all_stored(site: Site, store: Store) -> None:
    bodies = [{"events": [event(number), event(number + 1)]} for number in range(0, 200, 2)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(site.deliver, bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert len(stored(store)) == 200


@pytest.mark.skipif(not SAMPLES.exists(), reason="the recorded webhooks are not on this machine")
def test_every_recorded_webhook_is_accepted(site: Site, store: Store) -> None:
    seen = 0
    for sample in sorted(SAMPLES.rglob("*.json")):
        if isinstance(body := json.loads(sample.read_bytes()), dict) and "events" in body:
            assert site.deliver(sample.read_bytes()).status_code == 200, sample.name
            seen += len(body["events"])
    assert 0 < len(stored(store)) <= seen


def test_while_postgresql_is_slow_every_delivery_is_answered_in_time(
    site: Site, store: Store
) -> None:
    """LINE waits two seconds; each insert takes a third of one."""
    slow = """
        CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$;
        CREATE TRIGGER dawdles AFTER INSERT ON received EXECUTE FUNCTION dawdle();
    """
    with store.engine.begin() as connection:
        connection.exec_driver_sql(slow)
    try:
        with ThreadPoolExecutor(40) as line:
            answers = list(
                line.map(lambda number: site.deliver({"events": [event(number)]}), range(40))
            )
    finally:
        with store.engine.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION dawdle CASCADE")
    assert {answer.status_code for answer in answers} == {200}
    assert max(answer.elapsed.total_seconds() for answer in answers) < 2
    assert len(stored(store)) == 40


def test_a_delivery_just_after_the_server_dropped_every_connection_is_stored(
    site: Site, store: Store
) -> None:
    with store.engine.begin() as connection:
        site.deliver({"events": [event(1)]})
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert site.deliver({"events": [event(2)]}).status_code == 200
    assert len(stored(store)) == 2


def test_deliveries_that_find_no_room_wait_unread_and_are_stored(
    store: Store, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Room for one body at a time: nothing is refused, whatever comes at once."""
    monkeypatch.setattr(receiver, "ROOM_BYTES", 200)
    site: Site = request.getfixturevalue("site")
    with ThreadPoolExecutor(20) as line:
        answers = line.map(lambda number: site.deliver({"events": [event(number)]}), range(20))
        assert {answer.status_code for answer in answers} == {200}
    assert len(stored(store)) == 20
