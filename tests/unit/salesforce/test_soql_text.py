"""SOQL: whatever a LINE user types stays inside its quotes."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.salesforce import soql
from connector.salesforce.rows import flat


@given(st.text())
def test_a_quoted_text_ends_where_it_should(text):
    inner = soql.quoted(text)[1:-1]
    assert re.fullmatch(r"(?:[^'\\]|\\.)*", inner, re.DOTALL)
    assert "\n" not in inner


def test_quotes_and_backslashes_are_escaped():
    assert soql.quoted("O'Brien\\") == r"'O\'Brien\\'"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (1.5, "1.5"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 11, 4, 5, 900, timezone(timedelta(hours=8))), "2026-01-02T03:04:05Z"),
        ("x", "'x'"),
    ],
)
def test_a_value_has_its_literal(value, text):
    assert soql.literal(value) == text


def test_a_list_names_each_value_once_and_an_empty_one_matches_nothing():
    assert soql.in_list("Phone", ["1", "2", "1"]) == "Phone IN ('1','2')"
    assert soql.in_list("Phone", []) == "Id = null"


@pytest.mark.parametrize("text", ["Id FROM X", "a-b", "", "1a", "Name'", "A.B."])
def test_what_is_no_name_does_not_reach_a_query(text):
    with pytest.raises(ValueError, match="not a Salesforce name"):
        soql.select([text], "Contact")


def test_the_polling_query_starts_at_the_watermark_and_goes_on_by_keyset():
    since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert soql.changed_since("Case", ["Status", "ID"], since) == (
        "SELECT ID, SystemModstamp, Status FROM Case "
        "WHERE SystemModstamp >= 2026-01-02T03:04:05Z "
        "ORDER BY SystemModstamp, Id LIMIT 2000"
    )
    after = ("2026-01-02T03:04:05.000+0000", "500A")
    assert (
        soql.changed_since("Case", [], since, after)
        .split(" WHERE ")[1]
        .startswith(
            "(SystemModstamp > 2026-01-02T03:04:05Z OR "
            "(SystemModstamp = 2026-01-02T03:04:05Z AND Id > '500A'))"
        )
    )


def test_a_match_query_seeks_every_spelling_in_every_field():
    text = soql.matches("Contact", ["LastName"], ["MobilePhone", "Phone"], ["09", "+886"])
    assert text == (
        "SELECT Id, LastName FROM Contact "
        "WHERE MobilePhone IN ('09','+886') OR Phone IN ('09','+886') LIMIT 2000"
    )


def test_rows_come_back_under_the_names_asked_for():
    row = {
        "attributes": {"type": "Contact", "url": "/x"},
        "Id": "003",
        "Account": {"attributes": {"type": "Account"}, "Name": "A", "Owner": None},
        "MailingAddress": {"city": "Taipei"},
    }
    names = soql.selected("select Id, account.name, Account.Owner.Name FROM Contact")
    assert flat(row, names) == {"Id": "003", "account.name": "A", "Account.Owner.Name": None}
    assert flat(row, None) == {
        "Id": "003",
        "Account.Name": "A",
        "Account.Owner": None,
        "MailingAddress": {"city": "Taipei"},
    }


def test_a_query_with_functions_keeps_the_names_of_the_answer():
    assert soql.selected("SELECT COUNT(Id) n FROM Case") is None
    assert soql.selected("SELECT Id, (SELECT Id FROM Contacts) FROM Account") is None
