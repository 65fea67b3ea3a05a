"""What LINE users do."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from connector.domain.changes import Change
from connector.members import consents, registration
from connector.members.refusals import Refused
from connector.sync.changes import apply_all
from connector.sync.incoming.intake import scene_for
from tests.properties.naps import at_once
from tests.properties.stories import NAMES, PHONES, Known, Story, happens, people, serial


class Citizens(Story):
    """People of LINE, in any order."""

    @happens(who=people)
    def a_person_follows(self, who: int) -> str | None:
        self.world.tell(self.people[who].user, type="follow")
        return f"person {who}"

    @happens(who=people)
    def a_person_blocks(self, who: int) -> str | None:
        self.people[who].blocked = True
        self.world.tell(self.people[who].user, type="unfollow")
        return f"person {who}"

    @happens(who=people)
    def a_person_consents(self, who: int) -> str | None:
        self.world.tell(self.people[who].user, type="postback", data="consent:service")
        return f"person {who}"

    @happens(who=people, given=st.booleans())
    def a_person_has_a_mind_about_marketing(self, who: int, given: bool) -> str | None:
        known, at = self.people[who], self.world.now()
        self._form(known, lambda s, p: (None, consents.give(s, p, "marketing", "1", given, at, {})))
        return f"person {who}: {given}"

    @happens(who=people, name=st.sampled_from(NAMES), phone=st.sampled_from(PHONES))
    def a_person_binds(self, who: int, name: str, phone: str) -> str | None:
        known = self.one(who, member=False)
        if known is None:
            return None
        try:
            known.member = self.world.bind(known.user, name, phone)
        except Refused:  # too many codes within the hour
            return None
        return f"person {known.number} as {name} {phone}: member {known.member}"

    @happens(who=people)
    def a_person_unbinds(self, who: int) -> str | None:
        known = self.one(who, member=True)
        if known is None:
            return None
        self.world.unbind(known.user)
        member, known.member = known.member, None
        return f"person {known.number} of member {member}"

    @happens(who=people)
    def a_person_registers(self, who: int) -> str | None:
        known = self.people[who]
        if not known.codes:
            return None
        code = known.codes.pop()
        known.registered.append(self.world.register(known.user, code))
        return f"person {who}, unit {code}"

    @happens(who=people, from_chat=st.booleans(), registered=st.booleans())
    def a_person_asks_for_repair(self, who: int, from_chat: bool, registered: bool) -> str | None:
        known = self.one(who, member=True)
        if known is None:
            return None
        form: dict[str, Any] = {"address": f"台北市大安區{next(serial)}號", "from_chat": from_chat}
        owned = self._owned(known) if registered else []
        if owned:
            form |= {"registration_id": owned[-1], "product": None}
        request = self.world.asks_for_repair(known.user, **form)
        return f"person {known.number}: request {request}, {form}"

    @happens(
        who=people,
        name=st.one_of(st.none(), st.sampled_from(NAMES)),
        email=st.sampled_from(["new", "none", "as it is"]),
    )
    def a_person_corrects_their_data(self, who: int, name: str | None, email: str) -> str | None:
        known = self.one(who, member=True)
        values: dict[str, Any] = {} if name is None else {"name": name}
        if email != "as it is":
            values["email"] = f"p{next(serial)}@example.com" if email == "new" else None
        if known is None or known.member is None or not values:
            return None
        member = known.member
        with self.world.system.store.transaction() as session:
            scene = scene_for(session, self.world.system.catalogs, self.world.now())
            apply_all(scene, [Change(member, "member", values)])
        if "email" in values:
            self.entered.by_people[member] = values["email"]
        return f"person {known.number}: {values}"

    @happens(who=people, text=st.sampled_from(["你好", "選單"]))
    def a_person_writes(self, who: int, text: str) -> str | None:
        self.world.tell(self.people[who].user, type="message", text=text)
        return f"person {who}: {text}"

    # -- at the same moment

    @happens(owner=people)
    def both_claim_one_code(self, owner: int) -> str | None:
        if not self.people[owner].codes:
            return None
        code = self.people[owner].codes.pop()
        came_to = at_once(*(self._claiming(known, code) for known in self.people))
        won = [told for told in came_to if isinstance(told, registration.Claimed)]
        lost = [told for told in came_to if isinstance(told, Refused)]
        assert (len(won), [each.code for each in lost]) == (1, ["code_claimed"]), came_to
        winner = came_to.index(won[0])
        self.people[winner].registered.append(won[0].registration_id)
        return f"unit {code}; person {winner} has it"

    @happens(name=st.sampled_from(NAMES), phone=st.sampled_from(PHONES))
    def both_bind_at_once(self, name: str, phone: str) -> str | None:
        if any(known.member is not None for known in self.people):
            return None
        came_to = at_once(
            *(lambda known=known: self.world.bind(known.user, name, phone) for known in self.people)
        )
        for known, member in zip(self.people, came_to, strict=True):
            if isinstance(member, Exception):
                assert isinstance(member, Refused), member
            else:
                known.member = member
        return f"as {name} {phone}: {came_to}"

    def _claiming(self, known: Known, code: str) -> Any:
        fields = {"code": code, "purchased_on": "2026-11-01", "shop": "大同店"}
        person = self.world.person_id(known.user)
        return lambda: self.world._submit(
            person,
            "registrations",
            fields,
            lambda session, who: registration.claim(session, who, fields, self.world.now()),
        )

    def _owned(self, known: Known) -> list[str]:
        with self.world.system.store.reading() as session:
            person = self.world.person_id(known.user)
            who = session.get_one(registration.Person, person)
            return [str(each["registration_id"]) for each in registration.list_of(session, who)]

    def _form(self, known: Known, act: Any) -> None:
        self.world._submit(self.world.person_id(known.user), "consents", {}, act)
