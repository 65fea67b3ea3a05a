"""What is kept for a day only."""

from __future__ import annotations

from connector.members import expiry
from connector.store.tables import Challenge, CodeTry, Idempotency
from tests.integration.members.conftest import Town


def test_after_a_day_codes_guesses_and_answers_are_gone(town: Town) -> None:
    ann = town.friend()
    town.begin(ann)
    town.session.add(CodeTry(person_id=ann.id, at=town.clock()))
    town.session.add(Idempotency(person_id=ann.id, key="k", request_hash="h", at=town.clock()))
    town.session.flush()
    assert expiry.clear(town.session, town.clock.move(hours=23)) == 0
    assert expiry.clear(town.session, town.clock.move(hours=1)) == 3
    for table in (Challenge, CodeTry, Idempotency):
        assert town.session.query(table).count() == 0
