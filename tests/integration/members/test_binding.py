"""Binding by a one-time code, and letting go again."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa

from connector.members import binding, bound, registration
from connector.members.limits import Limits
from connector.members.refusals import Refused
from connector.store.tables import Binding, Challenge
from tests.integration.members.conftest import BOUND, OA, SECRET, Town


def other(code: str) -> str:
    """A code that is certainly wrong."""
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_code_is_six_digits_and_kept_only_as_a_hash(town: Town) -> None:
    begun = town.begin(town.friend())
    row = town.session.get(Challenge, begun.challenge_id)
    assert row is not None
    assert len(begun.code) == 6
    assert begun.code not in row.code_hash
    assert begun.code not in repr(begun)


def test_the_answer_hides_the_middle_of_the_phone(town: Town) -> None:
    begun = town.begin(town.friend())
    assert (begun.sent_to, begun.expires_in, begun.resend_in) == ("+886 912 *** 678", 300, 60)


def test_a_known_and_an_unknown_phone_get_the_same_answer(town: Town) -> None:
    town.member("ann")
    known, unknown = (
        town.begin(town.friend("bob")),
        town.begin(town.friend("cid"), phone="0912000678"),
    )
    assert (known.sent_to, known.expires_in) == (unknown.sent_to, unknown.expires_in)


def test_the_right_code_makes_a_member_with_what_the_form_said(town: Town) -> None:
    ann = town.friend()
    member_id = town.confirm(ann, town.begin(ann, name=" 王小明 ", email="ming@example.com"))
    member = town.record("member")
    assert member.id == member_id
    assert dict(member.values) == {
        "name": "王小明",
        "phone": "+886912345678",
        "email": "ming@example.com",
        "bound_at": "2026-11-21T04:00:00.000Z",
        "consents.service": True,
        "consents.marketing": False,
    }


def test_friend_and_member_name_each_other_and_the_friend_is_bound(town: Town) -> None:
    town.member()
    friend, member = town.record("friend"), town.record("member")
    assert (friend.values["bound"], friend.values["consents.service"]) == (True, True)
    assert town.related(friend.id) == {"member": member.id}
    assert town.related(member.id) == {"person": friend.id}


def test_no_change_on_the_way_shows_a_consenting_friend_who_is_not_bound(town: Town) -> None:
    ann = town.friend()
    begun = town.begin(ann)
    _, changes = binding.confirm(
        town.session, ann, begun.challenge_id, begun.code, town.clock(), SECRET
    )
    friends = [change.values for change in changes if change.kind == "friend"]
    assert all(values["bound"] for values in friends if values.get("consents.service"))


def test_earlier_registrations_get_their_member(town: Town) -> None:
    ann = town.friend()
    form = {"code": town.unit().code, "purchased_on": "2026-11-01"}
    _, changes = registration.claim(town.session, ann, form, town.clock())
    town.apply(changes)
    member_id = town.confirm(ann, town.begin(ann))
    assert town.related(town.record("registration").id)["member"] == member_id


def test_confirming_again_gives_the_same_member(town: Town) -> None:
    ann = town.friend()
    begun = town.begin(ann)
    assert town.confirm(ann, begun) == town.confirm(ann, begun)
    assert town.session.scalar(sa.select(sa.func.count()).select_from(Binding)) == 1


def test_full_width_digits_are_digits(town: Town) -> None:
    ann = town.friend()
    begun = town.begin(ann)
    wide = begun.code.translate({48 + digit: 0xFF10 + digit for digit in range(10)})
    assert not isinstance(town.confirm(ann, begun, f" {wide} "), Refused)


def test_a_wrong_code_counts_a_try_and_says_how_many_are_left(town: Town) -> None:
    ann = town.friend()
    begun = town.begin(ann)
    refused = town.confirm(ann, begun, other(begun.code))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.problems[0].facts) == ("wrong_code", {"left": 4})


def test_after_five_wrong_codes_the_right_one_is_no_good(town: Town) -> None:
    ann = town.friend()
    begun = town.begin(ann)
    for _ in range(5):
        town.confirm(ann, begun, other(begun.code))
    with pytest.raises(Refused, match="no longer good"):
        town.confirm(ann, begun)


def test_a_code_is_good_for_five_minutes(town: Town) -> None:
    ann = town.friend()
    begun = town.begin(ann)
    town.clock.move(minutes=5)
    with pytest.raises(Refused) as refused:
        town.confirm(ann, begun)
    assert refused.value.code == "challenge_expired"


def test_another_persons_challenge_is_unknown(town: Town) -> None:
    begun = town.begin(town.friend("ann"))
    with pytest.raises(Refused) as refused:
        town.confirm(town.friend("bob"), begun)
    assert refused.value.code == "unknown_challenge"


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", None, 123456])
def test_what_is_not_six_digits_is_no_try(town: Town, code: object) -> None:
    ann = town.friend()
    begun = town.begin(ann)
    with pytest.raises(Refused) as refused:
        binding.confirm(town.session, ann, begun.challenge_id, code, town.clock(), SECRET)
    row = town.session.get(Challenge, begun.challenge_id)
    assert row is not None
    assert (refused.value.code, row.tries) == ("invalid", 0)


def test_a_bound_person_cannot_begin_again(town: Town) -> None:
    with pytest.raises(Refused) as refused:
        town.begin(town.member())
    assert refused.value.code == "already_bound"


def test_of_two_codes_only_one_binds(town: Town) -> None:
    ann = town.friend()
    first, second = town.begin(ann), town.begin(ann)
    town.confirm(ann, first)
    with pytest.raises(Refused) as refused:
        town.confirm(ann, second)
    assert refused.value.code == "already_bound"


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"name": "  "}, {("name", "required")}),
        ({"name": "王" * 81}, {("name", "too_long")}),
        ({"name": 7}, {("name", "text")}),
        ({"phone": "02-2345-6789"}, {("phone", "phone")}),
        ({"phone": "+81 90 1234 5678"}, {("phone", "phone")}),
        ({"phone": "0912"}, {("phone", "phone")}),
        ({"email": "nobody"}, {("email", "email")}),
        ({"consents": [{"purpose": "spying", "version": "1"}]}, {("consents", "consents")}),
        (
            {"name": "", "phone": "", "consents": []},
            {("name", "required"), ("phone", "required"), ("consents", "consent_required")},
        ),
    ],
)
def test_everything_wrong_with_a_form_is_told_at_once(
    town: Town, form: dict[str, object], wrong: set[tuple[str, str]]
) -> None:
    with pytest.raises(Refused) as refused:
        town.begin(town.friend(), **form)
    assert refused.value.code == "invalid"
    assert {(problem.field, problem.code) for problem in refused.value.problems} == wrong


def test_without_the_required_consent_nothing_is_sent(town: Town) -> None:
    with pytest.raises(Refused) as refused:
        town.begin(town.friend(), consents=[{"purpose": "marketing", "version": "1"}])
    assert refused.value.code == "consent_required"


@pytest.mark.parametrize(
    "phone", ["0912345678", "+886912345678", "886-912-345-678", "０９１２３４５６７８"]
)
def test_a_phone_is_stored_in_one_form_however_typed(town: Town, phone: str) -> None:
    assert town.begin(town.friend(), phone=phone).phone == "+886912345678"


def test_a_phone_gets_three_codes_an_hour_whoever_asks(town: Town) -> None:
    for name in ("ann", "bob", "cid"):
        town.begin(town.friend(name))
    with pytest.raises(Refused) as refused:
        town.begin(town.friend("dan"))
    assert (refused.value.code, refused.value.retry_after) == ("too_many", 3600)
    town.clock.move(minutes=60)
    assert town.begin(town.friend("dan"))


def test_a_code_that_could_not_be_sent_does_not_count(town: Town) -> None:
    for _ in range(4):
        begun = town.begin(town.friend())
        binding.not_sent(town.session, begun.challenge_id)
    with pytest.raises(Refused, match="no longer good"):
        town.confirm(town.friend(), begun)


@pytest.mark.parametrize(
    ("limits", "address"),
    [
        (Limits(codes_per_person_and_day=2), "203.0.113.7"),
        (Limits(codes_per_day=2), "203.0.113.7"),
        (Limits(codes_per_address_and_day=2), "8.8.8.8"),
    ],
)
def test_a_person_an_address_and_all_together_get_so_many_a_day(
    town: Town, limits: Limits, address: str
) -> None:
    ann = town.friend()

    def ask(phone: str) -> object:
        form = {**BOUND, "phone": phone}
        now = town.clock.move(seconds=1)
        return binding.begin(town.session, ann, form, address, now, SECRET, limits=limits)

    assert ask("0912000001")
    assert ask("0912000002")
    with pytest.raises(Refused, match="too many"):
        ask("0912000003")


def test_a_proxys_address_says_nothing_and_is_not_counted(town: Town) -> None:
    ann, limits = town.friend(), Limits(codes_per_address_and_day=1)
    for phone in ("0912000001", "0912000002"):
        form = {**BOUND, "phone": phone}
        now = town.clock()
        assert binding.begin(town.session, ann, form, "10.0.0.1", now, SECRET, limits=limits)


def test_unbinding_releases_member_and_friend_and_keeps_the_consents(town: Town) -> None:
    ann = town.member()
    changes = binding.unbind(town.session, ann, town.clock())
    assert {change.kind for change in changes if change.releases} == {"member", "friend"}
    town.apply(changes)
    friend = town.record("friend")
    assert (friend.values["bound"], friend.values["consents.service"]) == (False, True)
    assert town.related(friend.id) == {}
    assert bound.member_of(town.session, ann.id) is None


def test_unbinding_twice_changes_nothing_more(town: Town) -> None:
    ann = town.member()
    binding.unbind(town.session, ann, town.clock())
    assert binding.unbind(town.session, ann, town.clock()) == []


def test_binding_anew_opens_a_new_member_and_leaves_registrations_where_they_are(
    town: Town,
) -> None:
    ann = town.member()
    first = bound.member_of(town.session, ann.id)
    form = {"code": town.unit().code, "purchased_on": "2026-11-01"}
    town.apply(registration.claim(town.session, ann, form, town.clock())[1])
    town.apply(binding.unbind(town.session, ann, town.clock()))
    town.clock.move(minutes=1)
    second = town.confirm(ann, town.begin(ann))
    assert second != first
    assert town.related(town.record("registration").id)["member"] == first


@pytest.mark.parametrize("locale", ["zh-TW", "en", "ja", "fr"])
def test_the_text_message_has_exactly_one_run_of_six_digits(locale: str) -> None:
    import re

    assert re.findall(r"\d{6,}", binding.sms_text(locale, "012345")) == ["012345"]


def test_a_person_whom_no_official_account_knows_can_bind(town: Town) -> None:
    ann = town.person()
    assert not isinstance(town.confirm(ann, town.begin(ann)), Refused)
    assert town.related(town.record("member").id) == {}


def test_nothing_personal_is_logged(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "connector"):
        town.member()
    assert "912345678" not in caplog.text
    assert OA not in caplog.text
