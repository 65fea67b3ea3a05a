"""Who follows: the friend record, and events that come late."""

from __future__ import annotations

from datetime import timedelta

from connector.members import consents, friendship
from tests.integration.members.conftest import OA, Face, Town

EARLIER = timedelta(minutes=1)


def test_a_follow_makes_a_friend_record_with_everything_known(town: Town) -> None:
    ann = town.person()
    changes = friendship.befriend(town.session, ann, OA, town.clock(), Face("Ann", "ja"))
    town.apply(changes)
    assert dict(town.values("friend")) == {
        "user_id": "ann",
        "display_name": "Ann",
        "language": "ja",
        "following": True,
        "followed_at": "2026-11-21T04:00:00.000Z",
        "bound": False,
        "consents.service": False,
        "consents.marketing": False,
    }
    assert ann.language == "ja"


def test_a_block_stops_following(town: Town) -> None:
    ann = town.friend()
    town.apply(friendship.block(town.session, ann, OA, town.clock.move(seconds=1)))
    assert town.values("friend")["following"] is False


def test_an_older_block_does_not_undo_a_newer_follow(town: Town) -> None:
    ann = town.friend()
    assert friendship.block(town.session, ann, OA, town.clock() - EARLIER) == []
    assert friendship.follows(town.session, ann.id, OA)


def test_an_older_follow_does_not_undo_a_newer_block(town: Town) -> None:
    ann = town.person()
    town.apply(friendship.block(town.session, ann, OA, town.clock()))
    town.apply(friendship.befriend(town.session, ann, OA, town.clock() - EARLIER))
    assert town.values("friend")["following"] is False


def test_a_message_of_an_unknown_person_makes_the_friend_record(town: Town) -> None:
    town.apply(friendship.heard(town.session, town.person(), OA, town.clock(), Face("Ann")))
    friend = town.values("friend")
    assert (friend["following"], friend["display_name"]) == (True, "Ann")


def test_a_message_after_a_block_means_that_the_person_unblocked(town: Town) -> None:
    ann = town.friend()
    town.apply(friendship.block(town.session, ann, OA, town.clock.move(seconds=1)))
    town.apply(friendship.heard(town.session, ann, OA, town.clock.move(seconds=1)))
    assert town.values("friend")["following"] is True


def test_a_message_of_a_friend_changes_nothing(town: Town) -> None:
    ann = town.friend()
    assert friendship.heard(town.session, ann, OA, town.clock.move(seconds=1)) == []


def test_who_comes_by_a_form_is_a_friend_record_that_does_not_follow(town: Town) -> None:
    town.apply(friendship.meet(town.session, town.person(), OA, "Ann"))
    friend = town.values("friend")
    assert (friend["following"], friend["display_name"]) == (False, "Ann")


def test_a_follow_from_before_the_form_still_counts(town: Town) -> None:
    ann = town.person()
    town.apply(friendship.meet(town.session, ann, OA, None))
    town.apply(friendship.befriend(town.session, ann, OA, town.clock() - EARLIER))
    assert town.values("friend")["following"] is True


def test_unblocking_keeps_the_day_of_the_first_follow(town: Town) -> None:
    ann = town.friend()
    town.apply(friendship.block(town.session, ann, OA, town.clock.move(days=1)))
    later = town.clock.move(days=1)
    town.apply(friendship.befriend(town.session, ann, OA, later, is_unblocked=True))
    friend = town.values("friend")
    assert (friend["following"], friend["followed_at"]) == (True, "2026-11-21T04:00:00.000Z")


def test_a_bound_persons_second_friendship_names_the_member_and_becomes_its_face(
    town: Town,
) -> None:
    ann = town.member()
    member = town.record("member")
    changes = friendship.befriend(town.session, ann, "U-other", town.clock(), Face("Ann"))
    town.apply(changes)
    newest = friendship.of(town.session, ann.id)[-1]
    assert town.related(newest.id) == {"member": member.id}
    assert town.related(member.id) == {"person": newest.id}


def test_a_new_friend_record_shows_consents_given_before(town: Town) -> None:
    ann = town.person()
    consents.give(town.session, ann, "service", "1", True, town.clock(), {})
    town.apply(friendship.befriend(town.session, ann, OA, town.clock()))
    assert town.values("friend")["consents.service"] is True
