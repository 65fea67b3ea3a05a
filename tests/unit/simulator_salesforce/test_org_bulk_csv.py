"""The CSV that jobs of the Bulk API read: its variants, its columns, and what cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .bulk_stage import Bulk
from .stage import Client

DELIMITERS = {
    "BACKQUOTE": "`",
    "CARET": "^",
    "COMMA": ",",
    "PIPE": "|",
    "SEMICOLON": ";",
    "TAB": "\t",
}
WRONG_LINE_END = "ClientInputError : LineEnding is invalid on user data."


@pytest.fixture
def bulk(agent: Client) -> Bulk:
    """The jobs of the agent."""
    return Bulk(agent)


@pytest.mark.parametrize("name", DELIMITERS)
def test_every_delimiter_is_read_and_written(bulk: Bulk, name: str) -> None:
    sign = DELIMITERS[name]
    content = f'LastName{sign}Title\n"a{sign}b"{sign}x\n'
    job = bulk.load("Contact", "insert", content, columnDelimiter=name)
    told = bulk.agent.call("GET", f"/jobs/ingest/{job['id']}/successfulResults").text
    header, row, _ = told.split("\n")
    assert header == sign.join(['"sf__Id"', '"sf__Created"', '"LastName"', '"Title"'])
    assert row.endswith(sign.join(["", f'"a{sign}b"', '"x"']))


def test_quotes_line_breaks_and_a_byte_order_mark_are_understood(bulk: Bulk, agent: Client) -> None:
    content = '\ufeffLastName,Description\r\n"王 ""小明""","一\r\n二"\r\n\r\nB,\r\n'
    job = bulk.load("Contact", "insert", content, lineEnding="CRLF")
    assert job["numberRecordsProcessed"] == 2
    rows = agent.query("SELECT LastName, Description FROM Contact ORDER BY Id")
    assert [list(row.values()) for row in rows] == [['王 "小明"', "一\r\n二"], ["B", None]]
    assert {row["Description"] for row in bulk.results(job, "successfulResults")} == {
        *("一\r\n二", "")
    }


def test_values_of_every_type_are_read(bulk: Bulk, agent: Client) -> None:
    header = "LASTNAME,birthdate,EmailBouncedDate,MailingLatitude,LINE_Following__c"
    rows = "A,2000-02-29,2026-01-02T03:04:05+08:00,25.04,1\nB,,,,FALSE\n"
    bulk.load("Contact", "insert", f"{header}\n{rows}")
    found = agent.query(f"SELECT {header} FROM Contact ORDER BY LastName")
    assert [list(row.values()) for row in found] == [
        ["A", "2000-02-29", "2026-01-01T19:04:05.000+0000", 25.04, True],
        ["B", None, None, None, False],
    ]


def test_an_empty_value_says_nothing_and_na_empties(bulk: Bulk, agent: Client) -> None:
    for key in ("k1", "k2"):
        agent.create("Contact", LastName="A", Title="x", LINE_Key__c=key)
    content = "LINE_Key__c,Title\nk1,\nk2,#N/A\n"
    bulk.load("Contact", "upsert", content, externalIdFieldName="LINE_Key__c")
    rows = agent.query("SELECT Title FROM Contact ORDER BY LINE_Key__c")
    assert [row["Title"] for row in rows] == ["x", None]


def test_rows_refer_to_others_by_their_keys(
    bulk: Bulk, agent: Client, credentials: dict[str, Any]
) -> None:
    account = agent.create("Account", Name="A", LINE_Key__c="a1")
    lead = agent.create("Lead", LastName="L", Company="-", Email="lead@example.com")
    owner = credentials["integration"]["username"]
    content = f"LastName,Account.LINE_Key__c,Owner.Email\nA,a1,{owner}\nB,#N/A,\nC,a2,\n"
    job = bulk.load("Contact", "insert", content)
    told = "Foreign key external ID: a2 not found for field LINE_Key__c in entity Account"
    assert bulk.errors(job) == [f"INVALID_FIELD:{told}:--"]
    rows = agent.query("SELECT AccountId, Owner.Email FROM Contact ORDER BY LastName")
    assert [row["AccountId"] for row in rows] == [account, None]
    assert rows[0]["Owner"]["Email"] == owner
    bulk.load("Task", "insert", "Subject,Lead:Who.Email\nCall,lead@example.com\n")
    assert [row["WhoId"] for row in agent.query("SELECT WhoId FROM Task")] == [lead]


def test_a_value_of_the_wrong_type_fails_its_row(bulk: Bulk) -> None:
    job = bulk.load("Contact", "insert", "LastName,Birthdate\nA,29.2.2000\n")
    told = "Birthdate: value not of required type: 29.2.2000"
    assert bulk.errors(job) == [f"INVALID_TYPE_ON_FIELD_IN_RECORD:{told}:Birthdate --"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("LastName,Nose\nA,x\n", "InvalidBatch : Field name not found : Nose"),
        ("LastName;Title\nA;x\n", "InvalidBatch : Field name not found : LastName;Title"),
        ("LastName,Account.Name\nA,x\n", "InvalidBatch : Field name not found : Account.Name"),
        ("Nose\n", "InvalidBatch : Field name not found : Nose"),
        (
            "LastName\r\nA\r\n",
            f"{WRONG_LINE_END} Current LineEnding setting is LF",
        ),
        (
            'LastName,Title\n"A,x\n',
            "ClientInputError : Failed to parse CSV. EOF reached before closing an opened quote",
        ),
        ("LastName\nA,x\n", "InvalidBatch : Row 1 has 2 values for 1 columns"),
        (b"LastName\n\xff\n", "InvalidBatch : The content is not UTF-8"),
    ],
)
def test_content_that_cannot_be_read_fails_the_job(
    bulk: Bulk, content: str | bytes, error: str
) -> None:
    job = bulk.load("Contact", "insert", content)
    assert (job["state"], job["errorMessage"]) == ("Failed", error)
    assert job["numberRecordsProcessed"] == 0
    assert bulk.results(job, "failedResults") == []


def test_a_job_without_its_key_column_fails_and_keeps_its_rows(bulk: Bulk) -> None:
    job = bulk.load("Contact", "update", "Title\nx\n")
    assert job["errorMessage"] == "InvalidBatch : Field name not found : Id"
    assert bulk.results(job, "unprocessedrecords") == [{"Title": "x"}]
    job = bulk.load("Contact", "delete", "Id,Title\nx,y\n")
    assert job["errorMessage"] == "InvalidBatch : Field name not found : Title"


@pytest.mark.parametrize(
    ("file", "delimiter"),
    [("caret", "CARET"), ("semicolon", "SEMICOLON"), ("comma_wrapped_values", "COMMA")],
)
def test_recorded_uploads_are_read(bulk: Bulk, contracts: Path, file: str, delimiter: str) -> None:
    content = (contracts / "bulk2-csv" / f"{file}.csv").read_bytes()
    ending = "CRLF" if b"\r\n" in content else "LF"
    job = bulk.load("Account", "insert", content, columnDelimiter=delimiter, lineEnding=ending)
    assert job["state"] == "JobComplete"
    assert job["numberRecordsProcessed"] > 1 and job["numberRecordsFailed"] == 0
