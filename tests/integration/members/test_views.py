"""What a person sees of themselves."""

from __future__ import annotations

from connector.members import views
from tests.integration.members.conftest import OA, Town


def test_a_friend_sees_no_member(town: Town) -> None:
    assert views.me(town.session, town.friend(), OA) == {
        "user_id": "ann",
        "following": True,
        "consents": [],
        "member": None,
    }


def test_a_member_sees_what_the_record_holds_also_after_an_agents_correction(town: Town) -> None:
    ann = town.member()
    member = town.record("member")
    member.values = {**member.values, "name": "王曉明"}
    seen = views.me(town.session, ann, OA)
    assert seen["member"] == {
        "member_id": str(member.id),
        "name": "王曉明",
        "phone": "+886912345678",
        "email": None,
    }
    assert seen["consents"] == [
        {
            "purpose": "service",
            "version": "1",
            "given": True,
            "at": "2026-11-21T04:00:00.000Z",
        }
    ]
