"""A REST call and its answer, free of HTTP, so that composite can make calls too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from simulator.salesforce.errors import bad_json

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One call; `path` begins after `/services/data/vXX.X`, header names are lower-case."""

    method: str
    version: str
    path: str
    user_id: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Headers = field(default_factory=dict)
    body: Any = None
    client: str | None = None
    # (method, full path) of the composite call that carries this one.
    carrier: tuple[str, str] | None = None

    @property
    def full_path(self) -> str:
        """The path as a client writes it."""
        return f"/services/data/{self.version}{self.path}"

    @property
    def number(self) -> float:
        """The API version as a number."""
        return float(self.version[1:])

    def object_body(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        if not isinstance(self.body, dict):
            raise bad_json("The HTTP entity body is required, but this request has no entity body.")
        return self.body

    def inside(self, **changes: Any) -> "Call":
        """A call that this one carries."""
        return replace(self, carrier=(self.method, self.full_path), **changes)


@dataclass(slots=True)
class Answer:
    """One answer; `records` goes into the call log."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    records: int | None = None
    # Requests that count against the allocation of the org.
    cost: int = 1

    @property
    def is_success(self) -> bool:
        """Whether the call did what it was asked."""
        return self.status < 300


Perform = Callable[[Call], Answer]
