"""The fault board: failures asked for in advance, taken by the calls they match."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

COMMON_FAULTS = frozenset({"latency", "status", "reset_before", "reset_after_commit"})
COMMON_NEEDS: Mapping[str, frozenset[str]] = {
    "latency": frozenset({"ms"}),
    "status": frozenset({"status"}),
}
FIELDS = frozenset({"fault", "match", "times", "seconds", "probability", "params"})
MATCH_FIELDS = frozenset({"method", "path", "client"})
LOWEST_STATUS, HIGHEST_STATUS = 200, 599


class InvalidFault(ValueError):
    """The fault asked for cannot be set (HTTP 422)."""


class UnknownFault(InvalidFault):
    """No fault of that name exists here (HTTP 422)."""

    def __init__(self, name: object, known: Iterable[str]) -> None:
        self.name = name
        self.known = sorted(known)
        super().__init__(f"unknown fault {name!r}; known: {', '.join(self.known)}")


@dataclass(slots=True)
class ActiveFault:
    """One fault on the board; `times` counts down, `until` is monotonic seconds."""

    id: str
    name: str
    method: str | None = None
    path: str | None = None
    client: str | None = None
    times: int | None = None
    until: float | None = None
    probability: float = 1.0
    params: dict[str, Any] = field(default_factory=dict)

    def matches(self, method: str, path: str, client: str | None) -> bool:
        """Whether a call is one this fault was set for (globs, `*` also crosses `/`)."""
        return (
            (self.method is None or self.method.upper() == method.upper())
            and (self.path is None or fnmatchcase(path, self.path))
            and (self.client is None or fnmatchcase(client or "", self.client))
        )

    def is_spent(self, at: float) -> bool:
        """Whether its times or its seconds are used up."""
        return self.times == 0 or (self.until is not None and at >= self.until)


class FaultBoard:
    """The faults set now, thread-safe; `needs` names the parameters a fault cannot do without."""

    def __init__(
        self, known: frozenset[str], needs: Mapping[str, frozenset[str]] | None = None
    ) -> None:
        self.known = known | COMMON_FAULTS
        self._needs = {**COMMON_NEEDS, **(needs or {})}
        self._faults: list[ActiveFault] = []
        self._count = 0
        self._lock = threading.Lock()

    def add(self, wanted: Any) -> str:
        """Set a fault from the JSON of `POST /_simulator/faults` and give its id."""
        parsed = self._parse(wanted)
        with self._lock:
            self._count += 1
            parsed.id = f"f{self._count}"
            self._faults.append(parsed)
        return parsed.id

    def clear(self) -> None:
        """Take every fault off the board."""
        with self._lock:
            self._faults.clear()

    def take(
        self,
        method: str,
        path: str,
        client: str | None = None,
        names: Iterable[str] | None = None,
        *,
        where: Callable[[ActiveFault], bool] | None = None,
    ) -> list[ActiveFault]:
        """The faults that hit this call, oldest first, each counted down once."""
        if not self._faults:
            return []
        wanted = None if names is None else frozenset(names)
        with self._lock:
            at = time.monotonic()
            self._faults = [fault for fault in self._faults if not fault.is_spent(at)]
            return [
                fault
                for fault in self._faults
                if (wanted is None or fault.name in wanted)
                and fault.matches(method, path, client)
                and (where is None or where(fault))
                and _strikes(fault)
            ]

    def _parse(self, wanted: Any) -> ActiveFault:
        if not isinstance(wanted, dict):
            raise InvalidFault("a fault is a JSON object")
        if wanted.get("fault") not in self.known:
            raise UnknownFault(wanted.get("fault"), self.known)
        _refuse_unknown("field", wanted, FIELDS)
        match = _object(wanted, "match")
        _refuse_unknown("match field", match, MATCH_FIELDS)
        for key, value in match.items():
            if value is not None and not isinstance(value, str):
                raise InvalidFault(f"match.{key} must be a string")
        seconds = _number(wanted, "seconds", None)
        return ActiveFault(
            id="",
            name=wanted["fault"],
            method=match.get("method"),
            path=match.get("path"),
            client=match.get("client"),
            times=_count(wanted),
            until=None if seconds is None else time.monotonic() + seconds,
            probability=_probability(wanted),
            params=self._params(wanted),
        )

    def _params(self, wanted: dict[str, Any]) -> dict[str, Any]:
        name, params = wanted["fault"], _object(wanted, "params")
        for needed in sorted(self._needs.get(name, frozenset()) - params.keys()):
            raise InvalidFault(f"{name} needs params.{needed}")
        if name == "latency":
            _number(params, "ms", None)
            _number(params, "jitter_ms", None)
        if name == "status" and not _is_status(params["status"]):
            raise InvalidFault(f"params.status must be {LOWEST_STATUS} to {HIGHEST_STATUS}")
        return params


def _strikes(fault: ActiveFault) -> bool:
    if fault.probability < 1 and random.random() >= fault.probability:
        return False
    if fault.times is not None:
        fault.times -= 1
    return True


def _refuse_unknown(what: str, given: dict[str, Any], known: frozenset[str]) -> None:
    for name in sorted(given.keys() - known):
        raise InvalidFault(f"unknown {what} {name!r}; known: {', '.join(sorted(known))}")


def _object(source: dict[str, Any], key: str) -> dict[str, Any]:
    value = source.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidFault(f"{key} must be an object")
    return value


def _number(source: dict[str, Any], key: str, default: float | None) -> float | None:
    value = source.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise InvalidFault(f"{key} must be a number of at least 0")
    return float(value)


def _count(source: dict[str, Any]) -> int | None:
    value = source.get("times")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidFault("times must be a whole number of at least 1")
    return value


def _probability(source: dict[str, Any]) -> float:
    value = _number(source, "probability", 1.0)
    if value is None or value > 1:
        raise InvalidFault("probability must be between 0 and 1")
    return value


def _is_status(value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and LOWEST_STATUS <= value <= HIGHEST_STATUS
