"""What a LINE user sends: stored, carried out and answered in one transaction, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.orm import Session

from connector.domain.changes import Change
from connector.domain.values import storable
from connector.members import flooding, friendship, people
from connector.members.limits import require_room
from connector.members.refusals import Refused
from connector.store.tables import Person
from connector.sync.incoming.intake import Form, submit
from webhooks import idempotency
from webhooks.calls import Call
from webhooks.problems import Answer, Problem, Words
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
        person_id = self._person(call).id

        def once(session: Session) -> tuple[Answer, list[Change]]:
            person = people.lock(session, person_id)
            if person.erased_at is not None:  # a moment ago: who asks again is a new person
                raise Problem("try_later", retry_after=1)
            if call.key:
                asked = idempotency.fingerprint(call.path, call.form)
                idempotency.reserve(session, person_id, call.key, asked, self._web.clock())
            self._require_room(session, call, person)
            met = friendship.meet(session, person, call.oa, call.identity.name)
            result, changes = act(session, person)
            answer = self._answer(call, result)
            if call.key:
                idempotency.keep(session, person_id, call.key, answer)
            return answer, [*met, *changes]

        kept = {name: storable(value) for name, value in body.items()}  # type: ignore[arg-type]
        form = Form(
            kind, person_id, call.oa, kept, address_hash=self._web.address_hash(call.address)
        )
        try:
            return submit(self._web.store, self._web.catalogs, form, once, self._web.clock())
        except idempotency.Repeated as again:
            return again.answer
        except Refused as refusal:
            if refusal.alarm is not None:
                with self._web.store.transaction() as session:
                    refusal.alarm.raise_in(session)
            return self._refuse(call, person_id, self._answer(call, refusal))

    def _require_room(self, session: Session, call: Call, person: Person) -> None:
        address_hash = self._web.address_hash(call.address)
        caps = flooding.caps(person, address_hash, self._web.limits)
        require_room(session, caps, self._web.clock())

    def forget(self, call: Call) -> None:
        """Let the call's key be used anew."""
        if call.key is None:
            return
        person_id = self._person(call).id
        with self._web.store.transaction() as session:
            idempotency.forget(session, person_id, call.key)

    def _person(self, call: Call) -> Person:
        who = call.identity
        with self._web.store.transaction() as session:
            return people.find_or_make(session, who.provider_id, who.user_id, self._web.clock())

    def _answer(self, call: Call, result: Answer | Refused) -> Answer:
        return self._words.answer(result, call.locale) if isinstance(result, Refused) else result

    def _refuse(self, call: Call, person_id: UUID, answer: Answer) -> Answer:
        """Nothing of a refused form is kept but its answer."""
        if call.key is None or answer.status >= _PASSING:
            return answer
        asked = idempotency.fingerprint(call.path, call.form)
        try:
            with self._web.store.transaction() as session:
                idempotency.reserve(session, person_id, call.key, asked, self._web.clock())
                idempotency.keep(session, person_id, call.key, answer)
        except idempotency.Repeated as again:
            return again.answer
        return answer
