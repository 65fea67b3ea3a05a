"""Whatever comes in is stored by one statement, however much comes at once and whichever columns it fills."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connector.domain.changes import Cause
from connector.domain.lines import Lane
from connector.domain.states import InboxState, Ledger
from connector.store.session import Store
from connector.store.tables import Received, Source
from connector.sync.incoming.receiving import receive

AT = datetime(2026, 3, 1, 8, 30, 0, 123456, UTC)


def row(key: str, **more: object) -> dict[str, object]:
    return {
        "source": Source.LINE,
        "kind": "message",
        "dedupe_key": key,
        "body": {"text": "你好", "n": 1.5, "list": [None, True, {"a": []}]},
        "at": AT,
        "state": InboxState.READY,
        "ledger": Ledger.IN_FLIGHT,
        **more,
    }


def a_webhook_event() -> dict[str, object]:
    turn = AT + timedelta(seconds=2)
    return row("01J", oa="U1", subject="325708", lane=Lane.URGENT, turn=turn)


def a_change_event() -> dict[str, object]:
    return row(
        "event:t:1:003", source=Source.SALESFORCE, kind="Contact", subject="003", rest=60.0,
        lane=Lane.BULK, state=InboxState.WAITING, cause=Cause.RESTORE,
    )  # fmt: skip


def a_polled_row() -> dict[str, object]:
    return row("Case:500", source=Source.SALESFORCE, kind="Case", noted=2**40, cause=Cause.BACKFILL)


def stored(store: Store) -> dict[str, Received]:
    with store.reading() as session:
        return {each.dedupe_key: each for each in session.scalars(sa.select(Received))}


def put(store: Store, *rows: dict[str, object]) -> int:
    with store.transaction() as session:
        return receive(session, rows)


@contextmanager
def executed(store: Store) -> Iterator[list[Any]]:
    """What the driver is given meanwhile: one context of execution for each statement."""
    seen: list[Any] = []

    def note(_c: object, _cursor: object, _text: str, _p: object, context: Any, _m: bool) -> None:
        seen.append(context)

    sa.event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(store.engine, "before_cursor_execute", note)


def test_rows_of_every_kind_go_in_together_and_come_back_as_they_were(store: Store) -> None:
    given = [a_webhook_event(), a_change_event(), a_polled_row()]
    with executed(store) as statements:
        assert put(store, *given) == 3
    assert len(statements) == 1
    found = stored(store)
    for one in given:
        there = found[str(one["dedupe_key"])]
        told = {name: getattr(there, name) for name in one if name != "rest"}
        assert told == {name: value for name, value in one.items() if name != "rest"}


def test_what_a_row_does_not_say_is_what_the_table_says(store: Store) -> None:
    put(store, row("plain"))
    found = stored(store)["plain"]
    assert (found.lane, found.cause, found.attempts) == (Lane.URGENT, Cause.LIVE, 0)
    assert (found.oa, found.subject, found.noted, found.original) == (None, None, None, None)
    assert abs(found.turn - found.received_at) < timedelta(seconds=5)


def test_a_row_that_must_rest_is_due_so_much_later(store: Store) -> None:
    put(store, row("now"), row("later", rest=60))
    found = stored(store)
    apart = found["later"].due - found["now"].due
    assert timedelta(seconds=55) < apart < timedelta(seconds=65)


def test_the_statement_is_put_together_once_for_groups_of_all_sizes(store: Store) -> None:
    with executed(store) as statements:
        for size in (1, 7, 600):
            put(store, *(row(f"{size}:{number}") for number in range(size)))
    assert len(stored(store)) == 608
    assert len({context.statement for context in statements}) == 1
    assert len({id(context.compiled) for context in statements}) == 1


def test_what_comes_again_is_not_new_beside_what_is(store: Store) -> None:
    put(store, row("a"), row("b"))
    assert put(store, row("c"), row("b", body={}), row("c", body={})) == 1
    assert stored(store)["b"].body == row("b")["body"]


def test_only_what_is_new_wakes_the_reader(store: Store, woken: list[str]) -> None:
    put(store, row("a"))
    put(store, row("a"))
    assert len(woken) == 1


@pytest.mark.parametrize("odd", ["a\x00b", "a\ud800b", "a\\u0000b"])
@pytest.mark.parametrize(
    "place", [lambda text: {"kind": text}, lambda text: {"body": {text: text}}]
)
def test_text_that_the_database_refuses_is_stored_without_what_it_refuses(
    store: Store, place: Callable[[str], dict[str, object]], odd: str
) -> None:
    assert put(store, row("odd", **place(odd)), row("even")) == 2
    found = stored(store)
    assert found["even"].body == row("even")["body"]
    assert "a" in f"{found['odd'].kind} {found['odd'].body}"


def test_a_column_that_nobody_knows_is_not_lost_in_silence(store: Store) -> None:
    with pytest.raises(KeyError, match="reply_to"):
        put(store, row("a", reply_to="b"))
