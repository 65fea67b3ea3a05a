"""Lets the people of a run do what they plan, at a steady rate, each one thing after the other."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.chaos.diary import CONSENT, Diary, Person, Registration, Repair
from tests.chaos.phones import Phones
from tests.chaos.plans import MENU

HANDS = 16  # more than would ever be needed if nobody had to wait
TICK = 0.005
DEBT = 3.0  # seconds that are made up for after everybody had to wait


class Crowd:
    """The people, their phones, and the units that they have bought."""

    def __init__(
        self,
        diary: Diary,
        phones: Phones,
        codes: Mapping[str, deque[str]],
        has_lead: Callable[[str], bool],
        rng: random.Random,
    ) -> None:
        self.diary = diary
        self._phones = phones
        self._codes = codes
        self._has_lead = has_lead
        self._rng = rng
        self._hands = threading.Semaphore(HANDS)
        self._tags = 0
        self._lock = threading.Lock()
        self._acts: Mapping[str, Callable[..., None]] = {
            "follow": self._follow,
            "leave": self._leave,
            "return": self._return,
            "postback": self._postback,
            "message": self._message,
            "bind": self._bind,
            "register": self._register,
            "repair": self._repair,
            "marketing": self._marketing,
        }

    def run(self, a_second: float) -> None:
        """Until everybody has done everything; what the connector refused stands in the diary."""
        due = time.monotonic()
        with ThreadPoolExecutor(HANDS) as pool:
            while open_ := [person for person in self.diary.people if person.steps or person.busy]:
                time.sleep(max(TICK, due - time.monotonic()))
                ready = [person for person in open_ if self._can_go_on(person)]
                if not ready or not self._hands.acquire(timeout=1):
                    continue
                person = self._rng.choice(ready)
                person.busy = True
                pool.submit(self._go_on, person)
                due = max(due + 1 / a_second, time.monotonic() - DEBT)

    @property
    def left(self) -> int:
        """How many steps are still to be done."""
        return sum(len(person.steps) for person in self.diary.people)

    def ask_for_repair(self, person: Person) -> None:
        """Let somebody ask for a repair out of turn."""
        day = date.today() + timedelta(days=3)
        self._repair(person, [f"{day} AM"], "normal")

    def _can_go_on(self, person: Person) -> bool:
        """Whoever is bound before the Lead is written never becomes one, so they wait for it."""
        if person.busy or not person.steps:
            return False
        return person.steps[0].kind != "bind" or self._has_lead(person.user_id)

    def _go_on(self, person: Person) -> None:
        step = person.steps.pop(0)
        try:
            self._acts[step.kind](person, **step.facts)
        except Exception as refusal:
            said = f"{person.display_name} {step.kind}: {refusal}"
            self.diary.refused.append(said[:300])
            person.steps.clear()
        finally:
            person.busy = False
            self._hands.release()

    # -- acts

    def _follow(self, person: Person) -> None:
        self._phones.event(person, "follow", follow={"isUnblocked": False})
        person.followed, person.follows = 1, True

    def _leave(self, person: Person) -> None:
        self._phones.event(person, "unfollow")
        person.follows = False

    def _return(self, person: Person) -> None:
        self._phones.event(person, "follow", follow={"isUnblocked": True})
        person.followed, person.follows = person.followed + 1, True

    def _postback(self, person: Person, data: str) -> None:
        self._phones.event(person, "postback", data=data)
        if data == CONSENT:
            person.consented_at = datetime.now(UTC)

    def _message(self, person: Person, text: str) -> None:
        if text == MENU:
            person.menus.append(datetime.now(UTC))
        self._phones.event(person, "message", text=text)

    def _bind(self, person: Person, *, wrong: bool, email: bool) -> None:
        self._phones.bind(person, wrong=wrong, email=email)

    def _register(self, person: Person, sku: str, bought: str, shop: str) -> None:
        with self._lock:
            code = self._codes[sku].popleft()
        form = {"code": code, "purchased_on": bought, "shop": shop}
        made = self._phones.post(person, "/registrations", form, 200, 201)
        unit = Registration(code, sku, bought, shop, made["registration_id"])
        person.registrations.append(unit)

    def _repair(self, person: Person, slots: list[str], urgency: str) -> None:
        with self._lock:
            self._tags += 1
            tag = f"報修{self._tags:05}"
        unit = person.registrations[-1] if person.registrations and self._tags % 3 else None
        form: dict[str, Any] = {
            "symptom": tag,
            "description": f"{tag}：開機後有異音",
            "address": f"台北市信義區{tag}號",
            "slots": slots,
            "contact_phone": person.phone,
            "urgency": urgency,
            **({"registration_id": unit.id} if unit else {"product": "舊的濾水器"}),
        }
        person.repairs.append(Repair(tag, form, unit.code if unit else None))
        self._phones.post(person, "/repair-requests", form, 201)

    def _marketing(self, person: Person) -> None:
        given = not person.marketing
        body = {"purpose": "marketing", "version": "1", "given": given}
        self._phones.post(person, "/consents", body, 204)
        person.marketing = given
