"""The documents that admins own, by command."""

import shutil

import pytest

from connector.bootstrap import STARTER
from connector.mapping.schema import FieldSchema, ObjectSchema
from connector.sync.live.publishing import live_texts

PRODUCT = "product-product2.yaml"


class Org:
    """An org that shows every field a starter mapping names."""

    def describe(self, name):
        fields = ("ProductCode", "Name", "Warranty_Months__c", "IsActive", "LINE_Key__c")
        types = {"IsActive": "boolean", "Warranty_Months__c": "double"}
        shown = [FieldSchema(field, type=types.get(field, "string")) for field in fields]
        return ObjectSchema(name, {field.name: field for field in shown})

    def close(self):
        pass


@pytest.fixture
def folder(tmp_path):
    """A folder with the product mapping alone."""
    place = tmp_path / "documents"
    place.mkdir()
    shutil.copy(STARTER / PRODUCT, place)
    return place


@pytest.fixture
def org(monkeypatch):
    monkeypatch.setattr("connector.bootstrap.open_gateway", lambda _settings: Org())


def spoil(folder):
    file = folder / PRODUCT
    file.write_text(file.read_text("utf-8").replace("line: sku", "line: skoo"), "utf-8")


def test_the_starter_set_is_in_order(connector):
    answer = connector("mappings", "check")
    assert (answer.code, answer.err) == (0, "")
    assert "are in order" in answer.out


def test_checking_needs_neither_settings_nor_database(connector, folder, monkeypatch):
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        monkeypatch.delenv(f"CONNECTOR_{name}")
    assert connector("mappings", "check", folder).code == 0


def test_a_problem_is_told_with_file_line_and_column(connector, folder):
    spoil(folder)
    answer = connector("mappings", "check", folder)
    assert answer.code == 1
    assert answer.out.startswith(f"documents/{PRODUCT}:7:12: ")
    assert "sku" in answer.out


def test_problems_as_json_have_their_places(connector, folder):
    spoil(folder)
    told = connector("mappings", "check", folder, "--json").json
    assert told["ok"] is False
    (problem,) = [each for each in told["problems"] if "skoo" in each["message"]]
    assert (problem["file"], problem["line"]) == (f"documents/{PRODUCT}", 7)
    assert problem["rule"] == "unknown-value"


def test_a_folder_that_is_not_there_is_a_usage_error(connector):
    assert connector("mappings", "check", "nowhere").code == 2


def test_the_org_is_asked_only_when_wanted(connector, folder, org, monkeypatch):
    assert connector("mappings", "check", folder, "--org").code == 0
    less = ObjectSchema("Product2", {"Name": FieldSchema("Name")})
    monkeypatch.setattr(Org, "describe", lambda *_: less)
    assert connector("mappings", "check", folder, "--org").code == 1
    assert connector("mappings", "check", folder).code == 0


def test_publishing_makes_a_folder_live_and_keeps_who_and_why(town, connector, folder, org):
    words = ("mappings", "publish", folder, "--reason", "only products", "--author", "amy")
    answer = connector(*words, "--json")
    assert answer.code == 0
    with town.store.reading() as session:
        assert set(live_texts(session)) == {PRODUCT}
    (folder / PRODUCT).write_text((folder / PRODUCT).read_text("utf-8") + "# more\n", "utf-8")
    assert connector(*words).out.splitlines() == [PRODUCT]
    newest = connector("mappings", "history", PRODUCT, "--json").json["versions"][0]
    assert (newest["author"], newest["reason"], newest["live"]) == ("amy", "only products", True)


def test_a_wrong_document_is_not_published(town, connector, folder, org):
    spoil(folder)
    answer = connector("mappings", "publish", folder, "--reason", "x", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (1, "mapping_problems")
    assert answer.json["error"]["problems"][0]["line"] == 7
    with town.store.reading() as session:
        assert len(live_texts(session)) > 1
    assert (
        f"documents/{PRODUCT}:7:12" in connector("mappings", "publish", folder, "--reason", "x").err
    )


def test_a_reason_is_asked_for(connector, folder):
    assert connector("mappings", "publish", folder).code == 2


def test_history_lists_every_document_for_people(connector, starter):
    told = connector("mappings", "history").out
    assert all(path in told for path in starter)


def test_what_is_live_can_be_exported_and_published_again(connector, tmp_path, starter):
    place = tmp_path / "out"
    assert connector("mappings", "export", place, "--json").json["documents"] == sorted(starter)
    texts = {path: (place / path).read_text("utf-8") for path in starter}
    assert texts == starter
    assert connector("mappings", "check", place).code == 0


def test_exporting_does_not_overwrite_other_documents(connector, folder):
    spoil(folder)
    answer = connector("mappings", "export", folder, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (1, "would_overwrite")
    assert PRODUCT in answer.json["error"]["message"]
    assert connector("mappings", "export", folder, "--force").code == 0
    assert connector("mappings", "check", folder).code == 0
