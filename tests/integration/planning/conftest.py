"""The world of the sync tests, and a person whose repair requests stand in the org."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import pytest

from connector.planning import applying, drafts, plans
from connector.planning.survey import Survey
from connector.planning.undoing import Undoing
from connector.store.tables import Plan
from connector.sync.live import publishing
from connector.sync.veil import Veil
from tests.integration.sync.conftest import outside, prepared, world
from tests.world import World

__all__ = ["outside", "prepared", "world"]
CASE = "repair_request-case.yaml"


@dataclass(frozen=True)
class Office:
    """Where an admin plans, publishes and takes back."""

    world: World

    def texts(self) -> dict[str, str]:
        """What is live."""
        with self.world.system.store.reading() as session:
            return publishing.live_texts(session)

    def edited(self, path: str, edit: Callable[[str], str]) -> dict[str, str]:
        """The live documents with one of them edited."""
        texts = self.texts()
        edited = edit(texts[path])
        assert edited != texts[path]
        return {**texts, path: edited}

    def survey(self, texts: Mapping[str, str] | None, *only: str, tries: int = 0) -> Survey:
        """A plan to be made."""
        system = self.world.system
        drafted = drafts.draft(system.store, system.gateway, texts, only)
        return Survey(system.store, system.catalogs, system.gateway, drafted, tries)

    def plan(self, texts: Mapping[str, str] | None, *only: str, tries: int = 0) -> int:
        """Make a plan; its number."""
        survey = self.survey(texts, *only, tries=tries)
        return survey.run(survey.begin("ada"))

    def summary(self, plan: int) -> dict:
        """What a plan comes to."""
        with self.world.system.store.reading() as session:
            return plans.summary(session.get_one(Plan, plan))

    def rows(self, plan: int, reveal: bool = True, **search: object) -> list[dict]:
        """The rows of a plan."""
        system = self.world.system
        with system.store.reading() as session:
            mappings = system.catalogs.live(session).mappings
            wanted = plans.Search(**search)
            return list(plans.rows(session, plan, wanted, mappings, Veil(reveal)))

    def publish(self, plan: int, *, most: float = 1.0, force: bool = False) -> None:
        """Publish a plan, and let the workers do its rows."""
        system = self.world.system
        step = applying.Applying(system.store, system.catalogs, system.gateway, plan, most)
        course = step.begin("ada", "a better subject", force=force)
        step.run(course, "ada")
        self.world.run_until_idle()

    def undo(self, plan: int) -> None:
        """Take a plan back, and let the workers do its rows."""
        system = self.world.system
        step = Undoing(system.store, system.catalogs, system.gateway, plan)
        step.run(step.begin("ada", "it was better before"), "ada")
        self.world.run_until_idle()


@dataclass(frozen=True)
class Customer:
    """Somebody with repair requests."""

    user: str
    member: UUID
    requests: tuple[UUID, ...]


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


@pytest.fixture
def customer(world: World) -> Customer:
    user = world.person()
    world.follow(user)
    member = world.bind(user, "王小明", "0912345678")
    said = [{"symptom": f"{number}漏水", "urgency": "high"} for number in "零一二"]
    requests = tuple(world.asks_for_repair(user, **form) for form in said)
    world.run_until_idle()
    return Customer(user, member, requests)
