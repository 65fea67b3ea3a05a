"""One database and two simulators for all stories: what a story leaves is taken away, which is faster than a new one."""

from __future__ import annotations

from dataclasses import dataclass, field

import requests

from connector.store.session import Store
from connector.store.tables import Base
from connector.sync.catalog import Catalogs
from tests.world import Simulators, World, make_world, open_world

_TABLES = [table.name for table in Base.metadata.sorted_tables]
_KEEP = "; ".join(
    ["CREATE SCHEMA kept", *(f"CREATE TABLE kept.{name} AS TABLE {name}" for name in _TABLES)]
)
_RESTORE = "; ".join(
    [
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {name}" for name in _TABLES),
        *(f"INSERT INTO {name} SELECT * FROM kept.{name}" for name in _TABLES),
    ]
)


@dataclass
class Stage:
    """Where stories are played. What is compiled or read once serves all of them."""

    outside: Simulators
    database_url: str
    catalogs: Catalogs = field(default_factory=Catalogs)

    def __post_init__(self) -> None:
        self.outside.reset()
        world = make_world(self.outside, self.database_url)
        world.run_until_idle()  # the org's products are known
        _run(world.system.store, _KEEP)
        leave(world)

    def fresh(self) -> World:
        """A world in which nothing has happened yet, its worker signed in."""
        self.outside.reset()
        world = open_world(self.outside, self.database_url)
        world.system.__dict__["catalogs"] = self.catalogs
        _run(world.system.store, _RESTORE)
        assert world.system.guard.holds()
        return world

    def faults(self) -> list[str]:
        """The faults that struck since the world was fresh, each as often as it did."""
        return [
            fault
            for url in (self.outside.org_url, self.outside.line_url)
            for call in requests.get(f"{url}/_simulator/calls", timeout=10).json()
            for fault in str(call["fault"] or "").split(",")
            if fault
        ]


def leave(world: World) -> None:
    world.system.gateway.close()
    if world.system.topics is not None:
        world.system.topics.bus.close()
    world.system.store.engine.dispose()


def _run(store: Store, text: str) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql(text)
