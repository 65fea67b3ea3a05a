"""A new version runs in the shadow of the live one: where the two differ is told, and nothing is written."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from connector.mapping.schema import to_json
from connector.planning.rehearsals import following as rehearsing
from connector.store.tables import CachedSchema, Outbox, Pair, Rehearsal, Relation
from tests.integration.cli.conftest import Connector, Town
from tests.integration.cli.described_org import DescribedOrg
from tests.unit.mapping.building import org as described

CASE, LEAD = "repair_request-case.yaml", "friend-lead.yaml"
SHOUTED = ("[trim, {truncate: 255}]", "[trim, upper, {truncate: 255}]")
Edit = Callable[[str, str, str], None]


@pytest.fixture(autouse=True)
def org(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the org said of its objects when the starter set was published."""
    monkeypatch.setattr("connector.bootstrap.open_gateway", lambda _settings: DescribedOrg())
    with town.store.transaction() as session:
        for name, schema in described().items():
            at = datetime.now(UTC)
            session.add(CachedSchema(object=name, body=to_json(schema), fetched_at=at))


@pytest.fixture
def draft(connector: Connector, tmp_path: Path) -> Edit:
    """Begins to rehearse the live documents with one of them edited."""

    def begin(path: str, before: str, after: str) -> None:
        connector("mappings", "export", tmp_path / "draft")
        file = tmp_path / "draft" / path
        text = file.read_text("utf-8")
        assert before in text
        file.write_text(text.replace(before, after), "utf-8")
        answer = connector("mappings", "rehearse", tmp_path / "draft", "--for", "2h", "--json")
        assert answer.code == 0, answer.out + answer.err

    return begin


def asks(town: Town, symptom: str, **values: Any) -> UUID:
    """Somebody asks for a repair."""
    return town.happens("repair_request", {"symptom": symptom, **values})


def follows(town: Town, **later: float) -> int:
    """A minute passes."""
    now = datetime.now(UTC) + timedelta(**later)
    return rehearsing.turn(town.store, town.catalogs, timedelta(), lambda: now)


def found(connector: Connector, *words: str) -> list[tuple[Any, ...]]:
    told = connector("mappings", "rehearse", "show", "--json", *words).json["differences"]
    return [(each["mapping"], each["line"], each["kind"], each["times"]) for each in told]


def test_a_line_that_says_something_else_is_counted_with_its_records(town, connector, draft):
    asks(town, "too cold")  # before it began: of no concern
    draft(CASE, *SHOUTED)
    hot, loud = asks(town, "too hot"), asks(town, "TOO LOUD")
    assert follows(town) == 2
    assert found(connector) == [("repair_request-case", "Subject", "differs", 1)]
    town.happens("repair_request", {"urgency": "high"}, hot)
    assert follows(town) == 1
    assert found(connector) == [("repair_request-case", "Subject", "differs", 2)]
    (shown,) = connector("mappings", "rehearse", "show", "--json", "--reveal").json["differences"]
    assert shown["examples"] == [
        {
            "record": f"repair_request:{hot}",
            "live": {"Subject": "too hot"},
            "draft": {"Subject": "TOO HOT"},
        }
    ]
    assert str(loud) not in connector("mappings", "rehearse", "show", "--json").out


def test_personal_values_are_masked_and_kept_nowhere(town, connector, draft):
    draft(CASE, *SHOUTED)
    hot = asks(town, "too hot")
    follows(town)
    assert "hot" not in (told := connector("mappings", "rehearse", "show").out)
    assert f"repair_request:{hot}" in told
    town.happens("repair_request", {"symptom": None}, hot)
    (shown,) = connector("mappings", "rehearse", "show", "--json", "--reveal").json["differences"]
    assert (shown["examples"][0]["live"], shown["examples"][0]["draft"]) == (None, None)


def test_a_line_that_fails_in_the_new_version_only_says_why(town, connector, draft):
    draft(CASE, "normal: Medium, high: High}", "normal: Medium}")
    asks(town, "too hot", urgency="high")
    follows(town)
    assert found(connector) == [("repair_request-case", "Priority", "draft_fails", 1)]
    assert "do not name" in connector("mappings", "rehearse", "show", "--reveal").out


def test_a_line_that_only_one_version_has_is_told_apart(town, connector, draft):
    draft(
        CASE,
        "Subject, transform: [trim, {truncate: 255}]",
        "SuppliedName, transform: {truncate: 80}",
    )
    asks(town, "too hot")
    follows(town)
    assert found(connector) == [
        ("repair_request-case", "Subject", "only_live", 1),
        ("repair_request-case", "SuppliedName", "only_draft", 1),
    ]


def test_when_is_compared_before_any_line(town, connector, draft):
    draft(LEAD, "when: line.consents.service && !line.bound", "when: '!line.bound'")
    town.friend(consents=False)
    follows(town)
    assert found(connector) == [("friend-lead", "when", "only_draft", 1)]


def test_what_a_row_said_is_read_by_both(town, connector, draft):
    request = town.happens("repair_request", {"symptom": "不冷", "urgency": "low"})
    held = {"Status": {"value": "Escalated", "line": "working", "version": 1}}
    town.change(Pair, Pair.mapping == "repair_request-case", base=held)
    draft(
        CASE,
        "[Working, Escalated], closed: Closed",
        "Working, closed: [Closed, Escalated]",
    )
    town.happens("repair_request", {"urgency": "high"}, request)
    follows(town)
    (shown,) = connector("mappings", "rehearse", "show", "--json").json["differences"]
    assert (shown["line"], shown["inbound"], shown["kind"]) == ("Status", True, "differs")
    assert shown["examples"][0]["live"] == {"status": "working"}
    assert shown["examples"][0]["draft"] == {"status": "closed"}


def test_nothing_is_written_and_it_ends_when_its_time_is_up(town, connector, draft):
    draft(CASE, *SHOUTED)
    asks(town, "too hot")
    with town.store.reading() as session:
        before = session.scalars(sa.select(Outbox.id)).all()
    follows(town)
    follows(town, hours=3)
    with town.store.reading() as session:
        assert session.scalars(sa.select(Outbox.id)).all() == before
    (told,) = connector("mappings", "rehearse", "list", "--json").json["rehearsals"]
    assert (told["seen"], told["ended_by"]) == (1, rehearsing.TIME_WAS_UP)
    asks(town, "too loud")
    assert follows(town) == 0


def test_a_rehearsal_can_be_ended_once(town, connector, draft):
    draft(CASE, *SHOUTED)
    assert connector("mappings", "rehearse", "end", "--author", "amy").code == 0
    asks(town, "too hot")
    assert follows(town) == 0
    answer = connector("mappings", "rehearse", "end", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (1, "no_rehearsal")


def test_what_is_live_already_is_not_rehearsed(connector, tmp_path):
    connector("mappings", "export", tmp_path / "same")
    answer = connector("mappings", "rehearse", "--for", "1d", tmp_path / "same", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (1, "nothing_to_rehearse")
    assert connector("mappings", "rehearse", tmp_path / "same", "--for", "soon").code == 2


def test_more_than_a_page_is_followed_to_the_end(town, connector, draft, monkeypatch):
    monkeypatch.setattr(rehearsing, "PAGE", 3)
    monkeypatch.setattr(rehearsing, "EXAMPLES", 2)
    draft(CASE, *SHOUTED)
    for number in range(4):
        asks(town, f"too hot {number}")
    follows(town)
    assert found(connector) == [("repair_request-case", "Subject", "differs", 4)]
    (shown,) = connector("mappings", "rehearse", "show", "--json").json["differences"]
    assert len(shown["examples"]) == 2
    with town.store.reading() as session:
        assert session.scalars(sa.select(Rehearsal)).one().through is not None


def test_two_workers_count_nothing_twice(town, connector, draft, monkeypatch):
    draft(CASE, *SHOUTED)
    asks(town, "too hot")
    differences = rehearsing.differences

    def meanwhile(*given):
        monkeypatch.setattr(rehearsing, "differences", differences)
        follows(town)  # another worker is quicker
        return differences(*given)

    monkeypatch.setattr(rehearsing, "differences", meanwhile)
    follows(town)
    assert found(connector) == [("repair_request-case", "Subject", "differs", 1)]


def test_records_that_read_a_changed_one_are_looked_at_too(town, connector, draft):
    product = town.happens("product", {"sku": "AC-1", "name": "Cool", "warranty_months": 12})
    unit = town.happens("registration", {"code": "C", "serial": "S1"})
    with town.store.transaction() as session:
        session.add(Relation(record_id=unit, name="product", target_id=product))
    draft("registration-asset.yaml", "[line.product.name,", "[line.product.sku,")
    town.happens("product", {"name": "Cooler"}, product)
    follows(town)
    assert found(connector) == [("registration-asset", "Name", "differs", 1)]
