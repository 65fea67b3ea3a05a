"""What should not be is told once for as long as it lasts, with the rows and what to do."""

import sqlalchemy as sa

from connector.domain.states import Ledger
from connector.store import alerts
from connector.store.alerts import AlertKind
from connector.store.tables import Received
from connector.sync.upkeep import auditing


def _audit(town, look=auditing.look):
    auditing.tell(town.store, look(town.store))
    with town.store.reading() as session:
        return alerts.open_alerts(session)


def test_a_ledger_that_does_not_balance_is_an_alert_until_it_does(town):
    town.friend()
    assert _audit(town) == []
    town.change(Received, sa.true(), ledger=Ledger.WRITTEN)
    (alert,) = _audit(town)
    with town.store.reading() as session:
        row = session.scalar(sa.select(Received.id))
    assert (alert.kind, alert.subject, alert.times) == ("ledger", "line/message", 1)
    assert f"do not balance: {row} (" in alert.message
    assert [each.times for each in _audit(town)] == [2]
    town.change(Received, sa.true(), ledger=Ledger.IN_FLIGHT)
    assert _audit(town) == []


def test_the_whole_ledger_is_read_in_pages(town, monkeypatch):
    monkeypatch.setattr(auditing, "_PAGE", 2)
    for letter in "abcde":
        town.friend("U" + letter * 32)
    assert _audit(town, auditing.look_at_all) == []
    town.change(Received, sa.true(), ledger=Ledger.IGNORED)
    assert [row.stored for row in auditing.look_at_all(town.store).broken] == ["ignored"] * 5


def test_the_command_shows_them_and_exits_with_1(town, connector):
    assert connector("alerts").code == 0
    with town.store.transaction() as session:
        alerts.raise_alert(session, AlertKind.GUESSING, "7f3a", "codes are guessed", "Look there.")
        alerts.raise_alert(session, AlertKind.GUESSING, "7f3a", "codes are guessed", "Look there.")
    told = connector("alerts", "--json")
    assert (told.code, told.json[0]["times"], told.json[0]["next_step"]) == (1, 2, "Look there.")
    assert "what to do: Look there." in connector("alerts").out
    assert "codes are guessed" in connector("status").out


def test_the_equation_is_shown_by_hour_source_and_kind(town, connector):
    town.friend()
    (line,) = connector("ledger", "--json").json["by_hour"]
    assert (line["source"], line["kind"], line["received"]) == ("line", "message", 1)
    assert line["in_flight"] == 1
    assert connector("status", "--json").json["ledger"]["by_hour"] == [line]
    assert "message" in connector("ledger").out
