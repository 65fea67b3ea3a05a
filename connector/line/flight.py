"""One call for all who ask for the same thing at the same time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class SingleFlight(Generic[Key, Result]):
    """Runs `work` once per key at a time; who comes meanwhile shares its result or its error."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._flights: dict[Key, Future[Result]] = {}

    def do(self, key: Key, work: Callable[[], Result]) -> Result:
        """The result of `work`, this caller's or that of the one already under way."""
        with self._lock:
            under_way = self._flights.get(key)
            if under_way is None:
                mine = self._flights[key] = Future[Result]()
        return self._lead(key, mine, work) if under_way is None else under_way.result()

    def _lead(self, key: Key, flight: Future[Result], work: Callable[[], Result]) -> Result:
        try:
            flight.set_result(work())
        except BaseException as error:
            flight.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._flights[key]
        return flight.result()
