"""Which changes are told, and what people then read."""

from datetime import timedelta

import pytest

from connector.mapping.loader import load
from connector.mapping.messaging.limits import graphemes, message_problems
from connector.mapping.messaging.messages import LOCALES, RenderFailed
from tests.unit.mapping.building import LINKS, starter

REQUEST = {
    "case_number": "00001000",
    "status": "received",
    "visit_at": "2026-11-25T06:00:00.000Z",
    "address": "台北市信義路1號",
}
RULE = "- {id: a, kind: friend, when: %s, purpose: service, max_age: 1d, template: a}\n"
FILES = {f"messages/a.{locale}.yaml": "- {type: text, text: hi}\n" for locale in LOCALES}


def told(kind, before, after):
    return [rule.id for rule in starter().notices.of_kind(kind) if rule.matches(before, after)]


def text_of(template, locale="zh-TW", **after):
    messages = starter().notices.render(template, locale, {}, {**REQUEST, **after}, LINKS)
    return messages[0]["text"]


def wrong(rule="true", **files):
    texts = {**FILES, "notices.yaml": RULE % f"'{rule}'", **files}
    return [str(problem) for problem in load(texts).problems]


@pytest.mark.parametrize(
    ("before", "after", "rules"),
    [
        ({"following": None}, {"following": True}, ["greeting"]),
        ({"following": True}, {"following": True, "consents.service": True}, ["menu"]),
        ({"following": False}, {"following": True, "consents.service": True}, ["menu"]),
        ({"following": True}, {"following": True, "display_name": "x"}, []),
        ({"following": True}, {"following": False}, []),
    ],
)
def test_friends_are_greeted_once_and_shown_the_menu_after_consent(before, after, rules):
    base_before, base_after = dict(before), dict(after)
    for name in ("consents.service", "following"):
        base_before.setdefault(name, None)
        base_after.setdefault(name, None)
    if "consents.service" in after and before.get("following") is False:
        base_before["consents.service"] = True
    assert told("friend", base_before, base_after) == rules


@pytest.mark.parametrize(
    ("before", "after", "rules"),
    [
        ({}, {"case_number": "1"}, ["case_number"]),
        ({"case_number": "1"}, {"case_number": "1", "symptom": "x"}, []),
        ({"status": "received"}, {"status": "working"}, ["repair_working"]),
        ({"status": "working"}, {"status": "closed"}, ["repair_closed"]),
        ({"status": "working"}, {"status": "received"}, []),
        ({}, {"visit_at": "2026-01-01T00:00:00.000Z"}, ["visit"]),
        (
            {"visit_at": "2026-01-01T00:00:00.000Z"},
            {"visit_at": "2026-01-02T00:00:00.000Z"},
            ["visit"],
        ),
        ({"visit_at": "2026-01-01T00:00:00.000Z"}, {"visit_at": None}, []),
    ],
)
def test_members_hear_of_what_moves_their_request(before, after, rules):
    assert told("repair_request", before, after) == rules


def test_the_case_number_may_wait_for_a_reply_token():
    rule = starter().notices.rule("case_number")
    assert rule.reply_within == timedelta(seconds=50)
    assert rule.max_age == timedelta(days=1)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    "template", ["greeting", "menu", "case_number", "repair_working", "repair_closed", "visit"]
)
def test_every_message_can_be_put_together_in_every_locale(template, locale):
    messages = starter().notices.render(template, locale, {}, REQUEST, LINKS)
    assert 1 <= len(messages) <= 5
    assert "{{" not in str(messages)


def test_the_greeting_asks_for_consent_with_the_button_we_listen_to():
    button = starter().notices.render("greeting", "zh-TW", {}, {}, LINKS)[-1]
    (action,) = button["template"]["actions"]
    assert (action["type"], action["data"]) == ("postback", "consent:service")
    assert action["displayText"] == "我同意"


def test_the_menu_leads_to_the_four_pages():
    (menu,) = starter().notices.render("menu", "ja", {}, {}, LINKS)
    assert [action["uri"] for action in menu["template"]["actions"]] == list(LINKS.values())


def test_messages_carry_the_case_number_and_the_local_time():
    assert text_of("case_number").startswith("已收到您的報修，案件編號 00001000。")
    assert "11/25（三）14:00" in text_of("visit")
    assert "11月25日（水）14:00" in text_of("visit", "ja")
    assert "Wed, Nov 25, 14:00" in text_of("visit", "en")


def test_a_message_reads_well_while_there_is_no_case_number():
    assert text_of("repair_working", case_number=None).startswith("您的報修案件已開始處理")
    assert text_of("repair_working").startswith("您的報修案件 00001000 已開始處理")


@pytest.mark.parametrize(
    ("asked", "used"),
    [("zh-Hant", "zh-TW"), ("en-GB", "en"), ("th", "zh-TW"), (None, "zh-TW"), ("ja", "ja")],
)
def test_the_nearest_locale_is_used(asked, used):
    assert text_of("visit", asked) == text_of("visit", used)


def test_a_message_without_its_link_is_not_sent_half():
    with pytest.raises(RenderFailed, match="uri is missing"):
        starter().notices.render("menu", "en", {}, {}, {})


def test_an_unknown_message_cannot_be_put_together():
    with pytest.raises(RenderFailed, match="no such template"):
        starter().notices.render("poem", "en", {}, {}, {})


def test_a_right_set_of_notices_has_no_problem():
    assert wrong() == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("after.folowing", "1:32: unknown name 'after.folowing' (did you mean after.following?)"),
        ("after.display_name", "must come to true or false"),
        ("after.following &&", "Syntax error"),
    ],
)
def test_a_rule_that_does_not_compile_is_shown_at_its_place(rule, message):
    (problem,) = wrong(rule)
    assert message in problem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "- {id: a, kind: frend, when: 'true', purpose: service, max_age: 1d, template: a}",
            "no record kind 'frend'",
        ),
        (
            "- {id: a, kind: friend, when: 'true', purpose: fun, max_age: 1d, template: a}",
            "'fun' is not possible",
        ),
        (
            "- {id: a, kind: friend, when: 'true', purpose: service, max_age: soon, template: a}",
            "such as 30m, 2h or 1d",
        ),
        (
            "- {id: a, kind: friend, when: 'true', purpose: service, max_age: 1d, template: b}",
            "b is missing in zh-TW, en, ja",
        ),
        (
            "- {id: a, kind: friend, when: 'true', purpose: service, max_age: 1d, template: a, reply: 3}",
            "unknown key 'reply'",
        ),
        (
            "- {id: a, kind: friend, when: 'true', purpose: service, max_age: 1d}",
            "'template' is missing",
        ),
        ("a: b", "must be a list of notices"),
        (RULE % "'true'" + RULE % "'true'", "there is another notice 'a'"),
    ],
)
def test_a_wrong_notice_is_named(text, message):
    problems = wrong(**{"notices.yaml": text})
    assert any(message in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {type: text, text: '{{ after.nme }}'}", "1:26: unknown name 'after.nme'"),
        ("- {type: text, text: ''}", "text is missing"),
        ("- {type: poem}", "a message needs a type"),
        ("[]", "a list of one to 5 messages"),
        ("[" + "{type: text, text: a}," * 6 + "]", "a list of one to 5 messages"),
        (f"- {{type: text, text: {'字' * 5001}}}", "text has 5001 characters, LINE takes 5000"),
        (
            (
                "- type: template\n  altText: a\n  template:\n    type: buttons\n    text: a\n"
                "    actions: [{type: postback, data: a, label: 一二三四五六七八九十一二三四五六七八九十一}]"
            ),
            "6:48: the label has 21 letters, LINE takes 20",
        ),
        (
            "- {type: template, altText: a, template: {type: buttons, text: a, actions: []}}",
            "needs one to 4 actions",
        ),
        (
            "- {type: template, altText: a, template: {type: confirm, text: a, actions: [{type: uri, label: a, uri: 'javascript:x'}]}}",
            "uri must begin with",
        ),
    ],
)
def test_a_message_that_line_would_refuse_is_named_at_its_place(text, message):
    problems = wrong(**{"messages/a.en.yaml": text})
    assert any(message in problem for problem in problems), problems


def test_a_message_file_must_say_its_locale():
    (problem,) = wrong(**{"messages/a.yaml": "- {type: text, text: a}"})
    assert "<template>.<locale>.yaml" in problem


@pytest.mark.parametrize(
    ("text", "seen"),
    [("綁定會員", 4), ("👩\u200d🔧 ok", 4), ("🇹🇼🇯🇵", 2), ("e\u0301", 1), ("👍🏽", 1)],
)
def test_labels_are_counted_in_letters_as_people_see_them(text, seen):
    assert graphemes(text) == seen


def test_flex_buttons_may_have_longer_labels():
    button = {"type": "button", "action": {"type": "uri", "label": "x" * 30, "uri": "https://a"}}
    flex = {"type": "flex", "altText": "a", "contents": {"type": "bubble", "body": button}}
    assert list(message_problems([flex])) == []


def test_a_rule_that_fails_on_odd_values_tells_nothing():
    texts = {**FILES, "notices.yaml": RULE % "\"after.display_name + 'x' == 'ax'\""}
    (rule,) = load(texts).notices.rules
    assert rule.matches({}, {"display_name": "a"})
    assert not rule.matches({}, {"display_name": None})


def test_a_message_belongs_to_records_of_one_kind():
    second = (RULE % "'true'").replace("id: a", "id: b").replace("friend", "member")
    (problem,) = wrong(**{"notices.yaml": RULE % "'true'" + second})
    assert "belongs to records of another kind" in problem


def test_a_placeholder_that_fails_names_its_message():
    texts = {**FILES, "notices.yaml": RULE % "'true'"}
    texts["messages/a.en.yaml"] = "- {type: text, text: \"{{ after.display_name + 'x' }}\"}"
    with pytest.raises(RenderFailed, match=r"a \(en\) could not be put together"):
        load(texts).notices.render("a", "en", {}, {"display_name": None}, {})


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ({"type": "text", "text": "a", "quickReply": {"items": [{}] * 14}}, "13 quick replies"),
        ({"type": "template", "altText": "a"}, "needs a template with a type"),
        ({"type": "flex"}, "altText is missing"),
        (
            {
                "type": "template",
                "altText": "a",
                "template": {
                    "type": "buttons",
                    "title": "t" * 41,
                    "text": "x" * 61,
                    "actions": [{"type": "message", "label": "a", "text": "a"}],
                },
            },
            "text has 61 characters, LINE takes 60",
        ),
    ],
)
def test_limits_of_line_are_known_before_sending(message, problem):
    assert any(problem in found for found, _ in message_problems([message]))


def test_parts_that_are_not_texts_are_sent_as_they_are():
    texts = {**FILES, "notices.yaml": RULE % "'true'"}
    texts["messages/a.en.yaml"] = (
        "- {type: location, title: a, address: b, latitude: 25.0, longitude: 121.5}"
    )
    (message,) = load(texts).notices.render("a", "en", {}, {}, {})
    assert (message["latitude"], message["title"]) == (25.0, "a")
