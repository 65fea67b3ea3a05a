"""What a LINE user sends: stored, carried out and answered in one transaction, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.values import Value, storable
from connector.members import flooding, friendship, people
from connector.members.limits import require_room
from connector.members.refusals import Refused
from connector.store.tables import Person
from connector.sync.incoming.intake import Form, take
from webhooks import idempotency
from webhooks.calls import Call
from webhooks.problems import Answer, Words
from webhooks.web import Web

Act: TypeAlias = Callable[[Session, Person], tuple[Answer | Refused, list[Change]]]
_PASSING = 429  # from here on up the same request may be answered otherwise a little later


class Submissions:
    """Carries out what callers submit."""

    def __init__(self, web: Web, words: Words) -> None:
        self._web = web
        self._words = words

    def accept(self, call: Call, kind: str, body: Mapping[str, object], act: Act) -> Answer:
        """Carry out `act` once for the call's key; `body` is what of the form is kept."""
        kept = {name: storable(value) for name, value in body.items()}  # type: ignore[arg-type]
        try:
            return self._accept(call, kind, kept, act)
        except idempotency.Repeated as again:
            return again.answer
        except Refused as refusal:
            if refusal.alarm is not None:
                with self._web.store.transaction() as session:
                    refusal.alarm.raise_in(session)
            return self._refuse(call, self._answer(call, refusal))

    def _accept(self, call: Call, kind: str, kept: dict[str, Value], act: Act) -> Answer:
        with self._web.store.transaction() as session:
            person = self._person(session, call)
            if person is not None:
                return self._take(session, person, call, kind, kept, act)
        who = call.identity
        with self._web.store.transaction() as session:  # known from now on, even if it is refused
            people.find_or_make(session, who.provider_id, who.user_id, self._web.clock())
        return self._accept(call, kind, kept, act)

    def _take(
        self,
        session: Session,
        person: Person,
        call: Call,
        kind: str,
        kept: dict[str, Value],
        act: Act,
    ) -> Answer:
        address_hash = self._web.address_hash(call.address)

        def once(session: Session) -> tuple[Answer, list[Change]]:
            if call.key:
                asked = idempotency.fingerprint(call.path, call.form)
                idempotency.reserve(session, person.id, call.key, asked, self._web.clock())
            caps = flooding.caps(person, address_hash, self._web.limits)
            require_room(session, caps, self._web.clock())
            met = friendship.meet(session, person, call.oa, call.identity.name)
            result, changes = act(session, person)
            answer = self._answer(call, result)
            if call.key:
                idempotency.keep(session, person.id, call.key, answer)
            return answer, [*met, *changes]

        form = Form(kind, person.id, call.oa, kept, address_hash=address_hash)
        return take(session, self._web.catalogs, form, once, self._web.clock())

    def forget(self, call: Call) -> None:
        """Let the call's key be used anew."""
        if call.key is None:
            return
        with self._web.store.transaction() as session:
            person = self._person(session, call)
            if person is not None:
                idempotency.forget(session, person.id, call.key)

    def _person(self, session: Session, call: Call) -> Person | None:
        return people.find_locked(session, call.identity.provider_id, call.identity.user_id)

    def _answer(self, call: Call, result: Answer | Refused) -> Answer:
        return self._words.answer(result, call.locale) if isinstance(result, Refused) else result

    def _refuse(self, call: Call, answer: Answer) -> Answer:
        """Nothing of a refused form is kept but its answer."""
        if call.key is None or answer.status >= _PASSING:
            return answer
        asked = idempotency.fingerprint(call.path, call.form)
        try:
            with self._web.store.transaction() as session:
                person = self._person(session, call)
                if person is not None:
                    idempotency.reserve(session, person.id, call.key, asked, self._web.clock())
                    idempotency.keep(session, person.id, call.key, answer)
        except idempotency.Repeated as again:
            return again.answer
        return answer
