"""What people said yes or no to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.members import consents
from connector.members.refusals import Refused
from connector.store.tables import Person
from tests.integration.members.conftest import Town


def say(town: Town, person: Person, given: bool, purpose: str = "service", ago: int = 0) -> None:
    at = town.clock() - timedelta(minutes=ago)
    town.apply(consents.give(town.session, person, purpose, "1", given, at, {"via": "test"}))


def test_a_consent_shows_on_the_friend_record(town: Town) -> None:
    ann = town.friend()
    say(town, ann, True)
    assert town.values("friend")["consents.service"] is True


def test_a_members_consent_shows_on_the_member_record_too(town: Town) -> None:
    ann = town.member()
    say(town, ann, True, "marketing")
    assert town.values("member")["consents.marketing"] is True
    assert town.values("friend")["consents.marketing"] is True


def test_the_same_word_again_is_kept_once(town: Town) -> None:
    ann = town.friend()
    say(town, ann, True)
    town.clock.move(hours=1)
    assert consents.give(town.session, ann, "service", "1", True, town.clock(), {}) == []
    assert consents.current(town.session, ann.id)[0].at == town.clock() - timedelta(hours=1)


def test_a_consent_may_be_withdrawn(town: Town) -> None:
    ann = town.friend()
    say(town, ann, True)
    town.clock.move(seconds=1)
    say(town, ann, False)
    assert town.values("friend")["consents.service"] is False


def test_an_older_word_does_not_undo_a_newer_one(town: Town) -> None:
    ann = town.friend()
    say(town, ann, False)
    say(town, ann, True, ago=5)
    assert town.values("friend")["consents.service"] is False
    assert consents.current(town.session, ann.id)[0].given is False


@pytest.mark.parametrize(
    ("purpose", "version", "field"),
    [("spying", "1", "purpose"), ("service", "2", "version"), (None, "1", "purpose")],
)
def test_what_nobody_asked_for_cannot_be_consented_to(
    town: Town, purpose: str, version: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        consents.give(town.session, town.friend(), purpose, version, True, town.clock(), {})
    assert [problem.field for problem in refused.value.problems] == [field]
