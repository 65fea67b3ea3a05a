"""How long until all is as before: the old backlog is gone, and something new made its whole way.

The probe is a member of their own. After each fault an agent sets the time of their visit, and they
change their mind about advertising: the first must reach their chat, the second their Contact.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.org import Org
from tests.acceptance.waiting import until
from tests.chaos.agent import FIRST_VISIT, edit
from tests.chaos.claims import Claims
from tests.chaos.diary import CONSENT, Person
from tests.chaos.phones import Phones

SETTLED_WITHIN = 240.0
PROBES = 4  # by turns: nobody may change their mind more than forty times a day
# Far from the visits of other people, so that no time is used twice.
FIRST_PROBE = FIRST_VISIT + timedelta(days=120)


class Probe:
    """A member with one repair request, who notices when things work again."""

    def __init__(
        self, number: int, phones: Phones, org: Org, claims: Claims, ask: Callable[..., None]
    ) -> None:
        self._phones = phones
        self._org = org
        self._claims = claims
        self._ask = ask
        self._numbers = itertools.count(number * 1_000 + 1)
        self.person = Person(9_999 - number, "林探針", f"091999999{number}", "")
        self._order = self._contact = ""

    def settle_in(self, diary: Any) -> set[str]:
        """Become a member with a repair request; gives the Ids of the probe's own rows."""
        self._diary = diary
        me = self.person
        self._phones.join(me)
        diary.people.append(me)
        self._phones.event(me, "follow", follow={"isUnblocked": False})
        me.followed, me.follows = 1, True
        self._phones.event(me, "postback", data=CONSENT)
        me.consented_at = datetime.now(UTC)
        until(lambda: self._org.leads(me.user_id), "the probe's Lead", 60, pause=0.2)
        self._phones.bind(me, wrong=False, email=False)
        contact = until(lambda: self._org.contacts(me.user_id), "the probe's Contact", 60)[0]
        self._ask(me)
        case = until(lambda: self._org.cases(contact["Id"]), "the probe's Case", 60)[0]
        order = until(lambda: self._org.work_orders(case["Id"]), "the probe's WorkOrder", 60)[0]
        self._contact, self._order = contact["Id"], order["Id"]
        return {contact["Id"], case["Id"], order["Id"]}

    def measure(self) -> float | None:
        """Seconds from now until all works and all that was there before is dealt with."""
        ended, began = datetime.now(UTC), time.monotonic()
        visit = FIRST_PROBE + timedelta(minutes=next(self._numbers))
        value = visit.isoformat().replace("+00:00", ".000+0000")
        edit(self._diary, self._org, "WorkOrder", self._order, "StartDate", value)
        given = not self.person.marketing
        body = {"purpose": "marketing", "version": "1", "given": given}
        self._phones.post(self.person, "/consents", body, 204)
        self.person.marketing = given
        local = visit + timedelta(hours=8)
        shown = f"{local.month}/{local.day}（"
        clock = f"{local:%H:%M}"

        def told() -> bool:
            texts = [item["text"] or "" for item in self._phones.chat(self.person)[-3:]]
            return any(shown in text and clock in text for text in texts)

        def written() -> bool:
            fields = "SELECT LINE_Marketing_Consent__c FROM Contact"
            (row,) = self._org.rows(f"{fields} WHERE Id = '{self._contact}'")
            return bool(row["LINE_Marketing_Consent__c"]) is given

        for look in (told, written, lambda: self._claims.older_than(ended) == 0):
            rest = SETTLED_WITHIN - (time.monotonic() - began)
            try:
                until(look, "recovered", max(rest, 0.1), pause=0.2)
            except AssertionError:
                return None
        return time.monotonic() - began
