"""A product by its SKU, known or asked of the org once; and the codes of its units."""

import pytest
import sqlalchemy as sa

from connector.domain.records import Kind
from connector.errors import ConnectorError
from connector.store.tables import Pair, Received, Record, Source, Unit
from connector.sync.incoming.products import product_by_sku, salesforce_id_of
from connector.sync.upkeep import ledger

ROW = {
    "Id": "01t5g000000AbCdAAK",
    "SystemModstamp": "2026-11-21T04:00:00.000+0000",
    "LINE_Key__c": None,
    "ProductCode": "AC-100",
    "Name": "冷氣 AC-100",
    "Warranty_Months__c": 24,
    "IsActive": True,
}


class Org:
    """An org that knows some products and notes what it is asked."""

    def __init__(self, *rows):
        self.rows, self.asked = rows, []

    def query(self, soql):
        self.asked.append(soql)
        return [dict(row) for row in self.rows]

    def close(self):
        pass


@pytest.fixture
def find(town):
    def by(sku, org):
        return product_by_sku(town.store, town.catalogs, org, sku)

    return by


@pytest.fixture
def org(monkeypatch):
    made = Org(ROW)
    monkeypatch.setattr("connector.bootstrap.open_gateway", lambda _settings: made)
    return made


def test_an_unknown_product_is_asked_once_and_kept(town, find):
    org = Org(ROW)
    product = find("AC-100", org)
    assert product.values["name"] == "冷氣 AC-100"
    assert product.values["warranty_months"] == 24
    assert salesforce_id_of(town.store, product) == ROW["Id"]
    assert find("AC-100", org).id == product.id
    assert len(org.asked) == 1
    assert "ProductCode = 'AC-100'" in org.asked[0]


def test_asking_is_an_operators_act_and_the_ledger_stays_balanced(town, find):
    find("AC-100", Org(ROW))
    with town.store.reading() as session:
        row = session.scalars(sa.select(Received)).one()
        assert ledger.balanced(session)
    assert (row.source, row.kind, row.subject) == (Source.OPERATOR, "Product2", ROW["Id"])


def test_a_product_that_nobody_knows_is_refused(find):
    with pytest.raises(ConnectorError) as refused:
        find("XX", Org())
    assert refused.value.code == "unknown_product"


def test_the_sku_is_taken_to_the_letter(town, find):
    with pytest.raises(ConnectorError, match="there is no product 'ac-100'"):
        find("ac-100", Org(ROW))
    with town.store.reading() as session:
        assert session.scalars(sa.select(Received)).all() == []


def test_a_quote_in_a_sku_cannot_end_the_query(find):
    org = Org()
    with pytest.raises(ConnectorError):
        find("x' OR Name != '", org)
    assert r"ProductCode = 'x\' OR Name != \''" in org.asked[0]


def test_two_products_with_one_code_are_for_a_person(find):
    with pytest.raises(ConnectorError) as refused:
        find("AC-100", Org(ROW, {**ROW, "Id": "01t5g000000AbCeAAK"}))
    assert refused.value.code == "several_products"


def test_an_inactive_product_is_refused_until_the_org_says_otherwise(find):
    with pytest.raises(ConnectorError) as refused:
        find("AC-100", Org({**ROW, "IsActive": False}))
    assert refused.value.code == "inactive_product"
    changed = {**ROW, "SystemModstamp": "2026-11-21T05:00:00.000+0000"}
    assert find("AC-100", Org(changed)).values["active"] is True


def test_a_product_made_meanwhile_by_the_stream_reader_is_taken(town, find, monkeypatch):
    org = Org(ROW)
    ask = org.query

    def slow(soql):
        town.happens(Kind.PRODUCT, {"sku": "AC-100", "name": "first", "active": True})
        return ask(soql)

    monkeypatch.setattr(org, "query", slow)
    assert find("AC-100", org).values["name"] == "first"
    with town.store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Record)) == 1


def test_without_a_mapping_for_products_it_says_what_to_publish(town, find):
    with town.store.transaction() as session:
        session.execute(sa.text("UPDATE published SET live = false WHERE path LIKE 'product-%'"))
    with pytest.raises(ConnectorError) as refused:
        find("AC-100", Org(ROW))
    assert refused.value.code == "no_product_mapping"


def test_codes_are_one_a_line_and_words_go_to_stderr(town, connector, org):
    answer = connector("codes", "create", "--product", "AC-100", "--count", 3)
    lines = answer.out.splitlines()
    assert (answer.code, len(lines), len(set(lines))) == (0, 3, 3)
    assert all(len(line.split("-")) == 3 and len(line) == 14 for line in lines)
    assert "3 codes for 冷氣 AC-100" in answer.err
    with town.store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Unit)) == 3


def test_codes_as_json_name_product_units_and_addresses(connector, org, monkeypatch):
    monkeypatch.setenv("CONNECTOR_PUBLIC_URL", "https://line.example.com/")
    told = connector("codes", "create", "--product", "AC-100", "--count", 1, "--json").json
    product = {"sku": "AC-100", "name": "冷氣 AC-100", "salesforce_id": ROW["Id"]}
    assert told["product"] == product
    (code,) = told["codes"]
    assert set(code) == {"code", "serial", "unit_id", "url"}
    assert code["serial"] is None
    assert code["url"] == f"https://line.example.com/r/{code['code'].replace('-', '')}"


def test_each_serial_gets_its_code_in_the_order_of_the_file(connector, org, tmp_path):
    file = tmp_path / "s.csv"
    file.write_text("\ufeffserial\nS2\n\nS1\n", encoding="utf-8")
    words = ("codes", "create", "--product", "AC-100", "--serials", file, "--json")
    assert [code["serial"] for code in connector(*words).json["codes"]] == ["S2", "S1"]


def test_a_wrong_file_is_refused_before_the_org_is_asked(connector, org, tmp_path):
    file = tmp_path / "s.csv"
    file.write_text("S1\nS1\n", encoding="utf-8")
    answer = connector("codes", "create", "--product", "AC-100", "--serials", file, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (1, "wrong_serials")
    assert org.asked == []


def test_an_unknown_product_is_refused_with_a_fix(connector, org):
    answer = connector("codes", "create", "--product", "NOPE", "--count", 1, "--json")
    error = answer.json["error"]
    assert (answer.code, error["code"]) == (1, "unknown_product")
    assert error["fix"]


@pytest.mark.parametrize("words", [(), ("--count", 1, "--serials", "x.csv"), ("--count", 100_001)])
def test_what_is_wanted_must_be_clear(connector, words, tmp_path):
    (tmp_path / "x.csv").write_text("S1\n", encoding="utf-8")
    assert connector("codes", "create", "--product", "AC-100", *words).code == 2


def test_a_large_order_is_made_in_full(town, connector, org):
    answer = connector("codes", "create", "--product", "AC-100", "--count", 2500)
    assert len(set(answer.out.splitlines())) == 2500
    with town.store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Unit)) == 2500
        assert session.scalar(sa.select(sa.func.count()).select_from(Pair)) == 1
