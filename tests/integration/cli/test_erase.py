"""`connector erase` on a database without an org behind it."""

from __future__ import annotations

from tests.integration.cli.conftest import USER, Connector, Town

AUTHOR = ("--author", "ops")


def test_a_dry_run_says_what_would_be_touched_and_touches_nothing(
    town: Town, connector: Connector
) -> None:
    town.friend()
    first = connector("erase", USER, "--dry-run", "--json")
    assert first.code == 0
    assert first.json["erased"] is False
    assert first.json["copies"]["person"] == 1
    assert connector("erase", USER, "--dry-run", "--json").json == first.json


def test_an_erasure_prints_its_counts_and_a_second_finds_nothing(
    town: Town, connector: Connector
) -> None:
    friend = town.friend()
    told = connector("erase", f"friend:{friend}", "--yes", *AUTHOR)
    assert told.code == 0
    assert "erased here" in told.out
    assert USER not in told.out + told.err
    again = connector("erase", USER, "--yes", "--json", *AUTHOR)
    assert again.json["copies"] == {}


def test_without_a_yes_nothing_is_erased(town: Town, connector: Connector) -> None:
    town.friend()
    assert connector("erase", USER, *AUTHOR).code != 0
    assert connector("erase", USER, "--dry-run", "--json").json["copies"]["person"] == 1


def test_somebody_unknown_is_refused_without_repeating_who_was_sought(connector: Connector) -> None:
    stranger = "U" + "9" * 32
    told = connector("erase", stranger, "--yes", "--json")
    assert told.code == 1
    assert told.json["error"]["code"] == "unknown_person"
    assert stranger not in told.out + told.err
