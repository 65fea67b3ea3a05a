"""Versions of the documents: what differs, and the way back."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from connector.sync.live.publishing import history, live_texts
from tests.integration.cli.conftest import Answer, Connector, Town
from tests.integration.cli.described_org import DescribedOrg
from tests.unit.mapping.building import org as described

CONTACT, CASE = "member-contact.yaml", "repair_request-case.yaml"
LEAD, MORE = "friend-lead.yaml", "friend-contact.yaml"


@pytest.fixture(autouse=True)
def org(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.bootstrap.open_gateway", lambda _settings: DescribedOrg())


@pytest.fixture
def folder(connector: Connector, tmp_path: Path) -> Path:
    """The live documents as files."""
    connector("mappings", "export", tmp_path / "mappings")
    return tmp_path / "mappings"


def publishes(connector: Connector, folder: Path, reason: str = "a change") -> Answer:
    return connector("mappings", "publish", folder, "--reason", reason, "--json")


def edits(folder: Path, path: str, before: str, after: str) -> None:
    text = (folder / path).read_text("utf-8")
    assert before in text
    (folder / path).write_text(text.replace(before, after), "utf-8")


def versions(town: Town, path: str) -> list[int]:
    """The versions of a document, newest first."""
    with town.store.reading() as session:
        return [row.id for row in history(session, path)]


def live(town: Town) -> Mapping[str, str]:
    with town.store.reading() as session:
        return live_texts(session)


def test_an_edit_is_told_by_line_and_key(connector, folder):
    edits(folder, CASE, "normal: Medium", "normal: Low")
    edits(
        folder,
        CASE,
        "- {salesforce: Origin, constant: LINE}",
        "- {salesforce: Type, constant: LINE}",
    )
    (found,) = connector("mappings", "diff", "--json").json["documents"]
    told = {each["part"]: (each["how"], each["before"], each["after"]) for each in found["parts"]}
    assert told == {
        "fields[Priority].values.normal": ("changed", "Medium", "Low"),
        "fields[Origin]": ("removed", {"salesforce": "Origin", "constant": "LINE"}, None),
        "fields[Type]": ("added", None, {"salesforce": "Type", "constant": "LINE"}),
    }
    shown = connector("mappings", "diff", CASE).out
    assert "~ fields[Priority].values.normal: Medium -> Low" in shown
    assert "+  - {salesforce: Type, constant: LINE}" in shown


def test_two_versions_of_a_document_are_compared(town, connector, folder):
    edits(folder, CASE, "normal: Medium", "normal: Low")
    publishes(connector, folder)
    new, old = versions(town, CASE)
    told = connector("mappings", "diff", old, new, "--json").json
    assert (told["before"], told["after"]) == (f"version {old}", f"version {new}")
    assert [each["path"] for each in told["documents"]] == [CASE]
    assert connector("mappings", "diff", new, "--json").json["documents"] == []


def test_another_layout_is_no_change_of_meaning(connector, folder):
    edits(folder, CASE, "from: repair_request", "# what people ask for\nfrom: repair_request")
    assert "only layout" in connector("mappings", "diff").out


def test_a_field_that_is_written_and_read_keeps_its_two_lines_apart(connector, folder):
    edits(folder, CASE, "fields:", "fields:\n  - {salesforce: Status, constant: New}")
    (found,) = connector("mappings", "diff", "--json").json["documents"]
    assert [(each["part"], each["how"]) for each in found["parts"]] == [
        ("fields[Status, to_salesforce]", "added")
    ]


def test_a_version_comes_back_as_a_new_one(town, connector, folder):
    before = live(town)
    edits(folder, CASE, "normal: Medium", "normal: Low")
    edits(folder, CONTACT, "from: member", "# people\nfrom: member")
    publishes(connector, folder)
    old = versions(town, CASE)[1]
    answer = connector("mappings", "rollback", old, "--reason", "too low", "--author", "amy")
    assert (answer.code, answer.out.splitlines()) == (0, [CASE])
    assert live(town)[CASE] == before[CASE]
    assert "# people" in live(town)[CONTACT]
    newest = connector("mappings", "history", CASE, "--json").json["versions"][0]
    assert newest["live"] is True
    assert (newest["author"], newest["reason"]) == ("amy", f"rollback to {old}: too low")


def test_what_the_org_would_refuse_today_does_not_come_back(town, connector, folder, monkeypatch):
    edits(folder, CASE, "- {salesforce: Origin, constant: LINE}", "")
    publishes(connector, folder)
    without = {**described()}
    case = without["Case"]
    kept = {name: field for name, field in case.fields.items() if name != "Origin"}
    monkeypatch.setattr(
        DescribedOrg,
        "describe",
        lambda _, name: {**without, "Case": type(case)("Case", kept)}[name],
    )
    answer = connector("mappings", "rollback", versions(town, CASE)[1], "--reason", "x", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (1, "mapping_problems")
    assert "Origin" in answer.json["error"]["message"]
    assert "Origin" not in live(town)[CASE]


def test_the_whole_set_comes_back_with_what_was_taken_out_and_without_what_was_new(
    town, connector, folder
):
    edits(folder, CASE, "normal: Medium", "normal: Low")
    publishes(connector, folder, "the good one")
    good, as_of = live(town), max(versions(town, CASE))
    (folder / LEAD).unlink()
    edits(folder, CONTACT, "from: member", "# people\nfrom: member")
    (folder / MORE).write_text("from: friend\nto: Contact\nenabled: false\n", "utf-8")
    answer = publishes(connector, folder)
    assert set(answer.json.get("changed", ())) == {LEAD, CONTACT, MORE}, answer.out
    newest = connector("mappings", "history", LEAD, "--json").json["versions"][0]
    assert (newest["live"], newest["removed"], newest["reason"]) == (False, True, "a change")
    other = live(town)
    assert connector("mappings", "rollback", "--to", as_of, "--reason", "x").code == 0
    assert live(town) == good
    assert connector("mappings", "rollback", newest["version"], "--reason", "x").code == 0
    assert live(town) == {path: text for path, text in good.items() if path != LEAD}
    assert connector("mappings", "rollback", "--to", newest["version"], "--reason", "x").code == 0
    assert live(town) == other


def test_the_set_of_a_moment_comes_back(town, connector, folder):
    before, then = live(town), connector("mappings", "history", "--json").json["versions"][0]["at"]
    edits(folder, CASE, "normal: Medium", "normal: Low")
    publishes(connector, folder)
    assert connector("mappings", "rollback", "--to", then[:-1] + "999Z", "--reason", "x").code == 0
    assert live(town) == before


def test_what_was_published_together_has_one_moment(connector, folder):
    edits(folder, CASE, "normal: Medium", "normal: Low")
    edits(folder, CONTACT, "from: member", "# people\nfrom: member")
    publishes(connector, folder)
    first, second, third, *_ = connector("mappings", "history", "--json").json["versions"]
    assert first["at"] == second["at"] != third["at"]


def test_documents_come_back_from_files_to_the_byte(town, connector, folder):
    windows = (folder / CASE).read_bytes().replace(b"\n", b"\r\n")
    (folder / CASE).write_bytes(windows)
    assert publishes(connector, folder).json["changed"] == [CASE]
    connector("mappings", "export", folder.parent / "again")
    assert (folder.parent / "again" / CASE).read_bytes() == windows
    answer = publishes(connector, folder.parent / "again")
    assert (answer.code, answer.json["changed"]) == (0, [])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["999999"], "unknown_version"),
        (["--to", "last week"], "unreadable_time"),
        (["--to", "2001-01-01T00:00Z"], "nothing_published"),
    ],
)
def test_what_never_was_cannot_come_back(connector, words, code):
    answer = connector("mappings", "rollback", *words, "--reason", "x", "--json")
    assert answer.json["error"]["code"] == code
