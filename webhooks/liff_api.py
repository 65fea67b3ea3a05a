"""The LIFF JSON API under `/liff/api`: a thin skin over `connector.members`."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import structlog
from sqlalchemy.orm import Session
from starlette.routing import BaseRoute, Route

from connector.domain.changes import Change
from connector.domain.values import Value
from connector.errors import ConnectorError
from connector.members import binding, consents, people, registration, repair, views
from connector.members.answers import Answers
from connector.members.binding import Begun
from connector.members.refusals import Refused
from connector.store.tables import Person
from webhooks.calls import Call, Calls
from webhooks.files import Files
from webhooks.forms import Forms
from webhooks.problems import Answer, Problem, Words
from webhooks.submissions import Submissions
from webhooks.web import Web

_DONE = Answer(204)
_log = structlog.get_logger(__name__)


class LiffApi:
    """The calls that our pages make."""

    def __init__(self, web: Web, words: Words) -> None:
        self._web = web
        self._calls = Calls(web, words)
        self._submissions = Submissions(web, words)

    def routes(self) -> list[BaseRoute]:
        """Every call of the API."""
        table = (
            ("GET", "/me", self.me),
            ("POST", "/consents", self.consent),
            ("POST", "/bindings", self.begin),
            ("POST", "/bindings/{challenge_id}/confirm", self.confirm),
            ("DELETE", "/bindings/me", self.unbind),
            ("POST", "/registrations", self.register),
            ("GET", "/registrations", self.registrations),
            ("POST", "/repair-requests", self.ask),
            ("GET", "/repair-requests", self.repairs),
        )
        return [
            Files(self._web, self._calls, self._submissions).route(),
            *Forms(self._web, self._calls, self._submissions).routes(),
            *(
                Route(f"/liff/api{path}", self._calls.endpoint(work), methods=[method])
                for method, path, work in table
            ),
        ]

    def me(self, call: Call) -> Answer:
        """Who the caller is to us."""
        with self._web.store.reading() as session:
            person = self._known(session, call)
            if person is None:
                return Answer(200, views.stranger(call.identity.user_id))
            return Answer(200, views.me(session, person, call.oa))

    def consent(self, call: Call) -> Answer:
        """Give or withdraw a consent."""
        answers = Answers(call.form)
        purpose, version = answers.text("purpose", 40), answers.text("version", 40)
        given = answers.flag("given", required=True)
        answers.check()

        def act(session: Session, person: Person) -> tuple[Answer, list[Change]]:
            evidence = _evidence(call)
            at = self._web.clock()
            consents.require_room(session, person, at, self._web.limits)
            return _DONE, consents.give(
                session, person, str(purpose), str(version), given, at, evidence
            )

        kept = _only(call.form, "purpose", "version", "given")
        return self._submissions.accept(call, "consents", kept, act)

    def begin(self, call: Call) -> Answer:
        """Send a one-time code, after the commit: no transaction waits for the SMS gateway."""
        begun: list[Begun] = []

        def act(session: Session, person: Person) -> tuple[Answer, list[Change]]:
            code = binding.begin(
                session,
                person,
                call.form,
                call.address,
                self._web.clock(),
                self._web.secret_key,
                regions=self._web.settings.sms_regions,
                limits=self._web.limits,
            )
            begun.append(code)
            return _begun(code), []

        kept = _only(call.form, "name", "phone", "email", "consents")
        answer = self._submissions.accept(call, "bindings", kept, act)
        for code in begun:
            self._send(call, code)
        return answer

    def confirm(self, call: Call) -> Answer:
        """Bind the caller when the code is the one that was sent."""
        challenge_id = _id(call.parameters["challenge_id"], "unknown_challenge")

        def act(session: Session, person: Person) -> tuple[Answer | Refused, list[Change]]:
            code, secret = call.form.get("code"), self._web.secret_key
            found, changes = binding.confirm(
                session,
                person,
                challenge_id,
                code,
                self._web.clock(),
                secret,
                limits=self._web.limits,
            )
            if isinstance(found, Refused):
                return found, changes
            return Answer(200, {"member_id": str(found)}), changes

        kept = {"challenge_id": str(challenge_id)}  # never the code
        return self._submissions.accept(call, "bindings.confirm", kept, act)

    def unbind(self, call: Call) -> Answer:
        """Let go of the member."""

        def act(session: Session, person: Person) -> tuple[Answer, list[Change]]:
            return _DONE, binding.unbind(session, person, self._web.clock())

        return self._submissions.accept(call, "bindings.delete", {}, act)

    def register(self, call: Call) -> Answer:
        """Claim a unit by its code."""

        def act(session: Session, person: Person) -> tuple[Answer | Refused, list[Change]]:
            found, changes = registration.claim(
                session,
                person,
                call.form,
                self._web.clock(),
                zone=self._web.zone,
                limits=self._web.limits,
                address_hash=self._web.address_hash(call.address),
            )
            if isinstance(found, Refused):
                return found, changes
            body: Value = {"registration_id": str(found.registration_id)}
            return Answer(201 if found.created else 200, body), changes

        kept = _only(call.form, "code", "purchased_on", "shop", "proof", "from_chat")
        return self._submissions.accept(call, "registrations", kept, act)

    def registrations(self, call: Call) -> Answer:
        """What the caller has registered."""
        with self._web.store.reading() as session:
            person = self._known(session, call)
            return Answer(200, list(registration.list_of(session, person)) if person else [])

    def ask(self, call: Call) -> Answer:
        """Ask for a repair."""

        def act(session: Session, person: Person) -> tuple[Answer, list[Change]]:
            made, changes = repair.ask(
                session,
                person,
                call.form,
                self._web.clock(),
                zone=self._web.zone,
                regions=self._web.settings.sms_regions,
                limits=self._web.limits,
                secret_key=self._web.secret_key,
            )
            return Answer(201, {"repair_request_id": str(made)}), changes

        kept = _only(call.form, *_REPAIR_FIELDS)
        return self._submissions.accept(call, "repair-requests", kept, act)

    def repairs(self, call: Call) -> Answer:
        """What the caller's member has asked for."""
        with self._web.store.reading() as session:
            person = self._known(session, call)
            return Answer(200, list(repair.list_of(session, person)) if person else [])

    def _known(self, session: Session, call: Call) -> Person | None:
        return people.find(session, call.identity.provider_id, call.identity.user_id)

    def _send(self, call: Call, code: Begun) -> None:
        try:
            self._web.sms.send(code.phone, binding.sms_text(call.locale.name, code.code))
        except ConnectorError as trouble:
            _log.error("code_not_sent", code=trouble.code, why=trouble.message)
            with self._web.store.transaction() as session:
                binding.not_sent(session, code.challenge_id)
            self._submissions.forget(call)
            raise Problem("try_later") from trouble


_REPAIR_FIELDS = (
    "registration_id",
    "product",
    "symptom",
    "description",
    "address",
    "slots",
    "contact_phone",
    "urgency",
    "photos",
    "from_chat",
)


def _only(form: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: form[name] for name in names if name in form}


def _begun(code: Begun) -> Answer:
    return Answer(
        202,
        {
            "challenge_id": str(code.challenge_id),
            "expires_in": code.expires_in,
            "resend_in": code.resend_in,
            "sent_to": code.sent_to,
        },
    )


def _evidence(call: Call) -> dict[str, Value]:
    return {"via": "form", "oa": call.oa, "language": call.locale.name}


def _id(text: str, refusal: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused(refusal) from None
