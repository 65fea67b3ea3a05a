"""The layer both simulators share: call log, faults, journal, server."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.control.app import Controlled, calling_client, control_routes
from simulator.control.calls import CallLog
from simulator.control.faults import FaultBoard, InvalidFault, UnknownFault
from simulator.control.journal import Journal
from simulator.control.server import serving

TIMEOUT = 5


class Counter:
    """A platform of one row, to see what was committed."""

    def __init__(self) -> None:
        self.value = 0
        self.board = FaultBoard(frozenset({"lock"}))
        self.calls = CallLog()
        routes: list[BaseRoute] = [
            Route("/add", self.add, methods=["POST"]),
            Route("/value", self.read),
        ]
        routes += control_routes(self.board, self.calls, self.reset)
        self.app = Controlled(Starlette(routes=routes), self.board, self.calls)

    async def add(self, request: Request) -> Response:
        self.value += 1
        request.state.records = 7
        return JSONResponse({"value": self.value}, 201)

    async def read(self, _: Request) -> Response:
        return JSONResponse({"value": self.value})

    def reset(self) -> None:
        self.value = 0


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def url(counter: Counter) -> Iterator[str]:
    with serving(counter.app) as base:
        yield base


def fault(url: str, **wanted: object) -> requests.Response:
    return requests.post(f"{url}/_simulator/faults", json=wanted, timeout=TIMEOUT)


def calls(url: str, since: int = 0) -> list[dict[str, object]]:
    answer = requests.get(f"{url}/_simulator/calls", params={"since": since}, timeout=TIMEOUT)
    return list(answer.json())


def test_a_call_is_logged_with_client_and_records(url: str) -> None:
    headers = {"Sforce-Call-Options": "client=line-connector/0.1", "User-Agent": "tester"}
    requests.post(f"{url}/add?x=1", headers=headers, timeout=TIMEOUT)
    (call,) = calls(url)
    assert (call["seq"], call["method"], call["path"], call["query"]) == (1, "POST", "/add", "x=1")
    assert (call["status"], call["client"], call["records"]) == (201, "line-connector/0.1", 7)
    assert call["user_agent"] == "tester"
    assert call["fault"] is None
    assert set(call) == {
        *("seq", "time", "method", "path", "query", "status", "ms", "client", "user_agent"),
        *("records", "fault"),
    }


def test_since_leaves_out_what_was_already_read(url: str) -> None:
    for _ in range(3):
        requests.get(f"{url}/value", timeout=TIMEOUT)
    assert [call["seq"] for call in calls(url, since=1)] == [2, 3]


def test_secrets_in_queries_are_not_kept(url: str) -> None:
    requests.get(f"{url}/value?access_token=abc&x=1", timeout=TIMEOUT)
    assert calls(url)[0]["query"] == "access_token=***&x=1"


def test_every_answer_carries_one_date(url: str) -> None:
    answer = requests.get(f"{url}/value", timeout=TIMEOUT)
    assert answer.headers["Date"].endswith("GMT")
    assert "," not in answer.headers["Date"].split(", ", 1)[1]


def test_an_unknown_fault_is_refused_with_the_known_ones(url: str) -> None:
    answer = fault(url, fault="nonsense")
    assert answer.status_code == 422
    assert "lock" in answer.json()["message"]
    assert "reset_before" in answer.json()["known"]


def test_a_fault_that_is_not_json_is_refused(url: str) -> None:
    answer = requests.post(f"{url}/_simulator/faults", data=b"{", timeout=TIMEOUT)
    assert answer.status_code == 422


def test_status_answers_without_reaching_the_app(url: str, counter: Counter) -> None:
    params = {"status": 503, "body": [{"errorCode": "X"}]}
    assert fault(url, fault="status", times=1, params=params).json() == {"id": "f1"}
    answer = requests.post(f"{url}/add", timeout=TIMEOUT)
    assert (answer.status_code, answer.json()) == (503, [{"errorCode": "X"}])
    assert counter.value == 0
    assert requests.post(f"{url}/add", timeout=TIMEOUT).status_code == 201
    assert [call["fault"] for call in calls(url)] == ["status", None]


def test_latency_delays_the_answer(url: str) -> None:
    fault(url, fault="latency", times=1, params={"ms": 120})
    started = time.perf_counter()
    requests.get(f"{url}/value", timeout=TIMEOUT)
    assert time.perf_counter() - started >= 0.12


def test_reset_before_breaks_the_connection_and_commits_nothing(url: str, counter: Counter) -> None:
    fault(url, fault="reset_before", times=1)
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{url}/add", timeout=TIMEOUT)
    assert counter.value == 0
    assert calls(url)[0]["status"] is None


def test_reset_after_commit_breaks_the_connection_once_committed(
    url: str, counter: Counter
) -> None:
    fault(url, fault="reset_after_commit", times=1)
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{url}/add", timeout=TIMEOUT)
    assert counter.value == 1
    assert requests.get(f"{url}/value", timeout=TIMEOUT).json() == {"value": 1}


def test_a_reset_on_a_kept_alive_connection_is_seen_as_a_reset(url: str) -> None:
    with requests.Session() as session:
        session.get(f"{url}/value", timeout=TIMEOUT)
        fault(url, fault="reset_after_commit", times=1)
        with pytest.raises(requests.ConnectionError):
            session.post(f"{url}/add", timeout=TIMEOUT)
        assert session.get(f"{url}/value", timeout=TIMEOUT).json() == {"value": 1}


def test_reset_restores_the_start_and_takes_faults_off(url: str, counter: Counter) -> None:
    requests.post(f"{url}/add", timeout=TIMEOUT)
    fault(url, fault="status", params={"status": 500})
    assert requests.post(f"{url}/_simulator/reset", timeout=TIMEOUT).status_code == 204
    assert counter.value == 0
    assert requests.get(f"{url}/value", timeout=TIMEOUT).status_code == 200
    assert [call["seq"] for call in calls(url)] == [2]


def test_faults_are_cleared_on_demand(url: str) -> None:
    fault(url, fault="status", params={"status": 500})
    assert requests.delete(f"{url}/_simulator/faults", timeout=TIMEOUT).status_code == 204
    assert requests.get(f"{url}/value", timeout=TIMEOUT).status_code == 200


def test_a_fault_matches_by_method_path_and_client() -> None:
    board = FaultBoard(frozenset({"lock"}))
    match = {"method": "PATCH", "path": "/services/data/*/sobjects/Case/*", "client": "line-*"}
    board.add({"fault": "lock", "match": match})
    path = "/services/data/v62.0/sobjects/Case/500"
    assert board.take("PATCH", path, "line-connector/0.1")
    assert not board.take("GET", path, "line-connector/0.1")
    assert not board.take("PATCH", "/services/data/v62.0/sobjects/Lead/1", "line-connector/0.1")
    assert not board.take("PATCH", path, None)


def test_times_count_down_only_for_the_names_taken() -> None:
    board = FaultBoard(frozenset({"lock"}))
    board.add({"fault": "lock", "times": 2})
    assert not board.take("GET", "/", None, {"latency"})
    assert [len(board.take("GET", "/", None, {"lock"})) for _ in range(3)] == [1, 1, 0]


def test_seconds_end_a_fault() -> None:
    board = FaultBoard(frozenset({"lock"}))
    board.add({"fault": "lock", "seconds": 0.02})
    assert board.take("GET", "/")
    time.sleep(0.03)
    assert not board.take("GET", "/")


def test_probability_zero_never_strikes() -> None:
    board = FaultBoard(frozenset({"lock"}))
    board.add({"fault": "lock", "times": 1, "probability": 0})
    assert not board.take("GET", "/")


@pytest.mark.parametrize(
    "wanted",
    [
        [],
        {"fault": "lock", "typo": 1},
        {"fault": "lock", "match": {"url": "x"}},
        {"fault": "lock", "match": {"path": 1}},
        {"fault": "lock", "times": 0},
        {"fault": "lock", "times": 1.5},
        {"fault": "lock", "seconds": -1},
        {"fault": "lock", "probability": 1.1},
        {"fault": "lock", "params": []},
        {"fault": "latency"},
        {"fault": "latency", "params": {"ms": "5"}},
        {"fault": "status", "params": {"status": 99}},
    ],
)
def test_a_malformed_fault_is_refused(wanted: object) -> None:
    with pytest.raises(InvalidFault):
        FaultBoard(frozenset({"lock"})).add(wanted)


def test_an_unknown_fault_names_the_known_ones() -> None:
    with pytest.raises(UnknownFault, match="known: latency, lock"):
        FaultBoard(frozenset({"lock"})).add({"fault": "nope"})


def test_the_call_log_forgets_the_oldest() -> None:
    log = CallLog(size=2)
    for _ in range(3):
        log.record("GET", "/")
    assert [call["seq"] for call in log.since(0)] == [2, 3]


@pytest.mark.parametrize(
    ("header", "client"),
    [("client=a/1, defaultNamespace=x", "a/1"), ("", None), ("defaultNamespace=x", None)],
)
def test_the_client_is_read_from_the_call_options(header: str, client: str | None) -> None:
    assert calling_client(header) == client


def test_a_journal_gives_back_what_was_appended(tmp_path: Path) -> None:
    Journal(tmp_path / "j").append({"a": 1}, {"b": "字"})
    assert list(Journal(tmp_path / "j").replay()) == [{"a": 1}, {"b": "字"}]
    assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"a":1}\n{"b":')
    journal = Journal(path)
    assert list(journal.replay()) == [{"a": 1}]
    journal.append({"c": 2})
    assert list(Journal(path).replay()) == [{"a": 1}, {"c": 2}]


def test_a_rewrite_replaces_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append({"a": 1})
    journal.rewrite([{"b": 2}])
    journal.append({"c": 3})
    assert list(Journal(tmp_path / "j").replay()) == [{"b": 2}, {"c": 3}]


def test_a_journal_without_a_path_keeps_nothing() -> None:
    journal = Journal(None)
    journal.append({"a": 1})
    assert list(journal.replay()) == []
