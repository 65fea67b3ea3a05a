"""The forms that admins wrote, under `/liff/api/forms`: what each asks, and what is answered."""

from __future__ import annotations

from sqlalchemy.orm import Session
from starlette.routing import BaseRoute, Route

from connector.domain.changes import Change
from connector.domain.values import Value
from connector.mapping.documents.formdocument import LONGEST, FieldSpec, Wording
from connector.mapping.documents.forms import CompiledForm
from connector.members import forms
from connector.store.tables import Person
from webhooks.calls import Call, Calls
from webhooks.problems import Answer, Problem
from webhooks.submissions import Submissions
from webhooks.web import Web

PATH = "/liff/api/forms/{kind}"


class Forms:
    """The calls about one form; which forms there are is looked up anew each time."""

    def __init__(self, web: Web, calls: Calls, submissions: Submissions) -> None:
        self._web = web
        self._calls = calls
        self._submissions = submissions

    def routes(self) -> list[BaseRoute]:
        """Showing a form and taking its answers."""
        return [
            Route(PATH, self._calls.endpoint(self.show), methods=["GET"]),
            Route(PATH, self._calls.endpoint(self.take), methods=["POST"]),
        ]

    def show(self, call: Call) -> Answer:
        """What the form asks, in the caller's language."""
        return Answer(200, told(self._form(call), call.locale.name))

    def take(self, call: Call) -> Answer:
        """Keep what the caller answers."""
        form = self._form(call)
        evidence: dict[str, Value] = {
            "via": f"form {form.kind}",
            "oa": call.oa,
            "language": call.locale.name,
        }

        def act(session: Session, person: Person) -> tuple[Answer, list[Change]]:
            made, changes = forms.send(
                session,
                person,
                call.oa,
                form,
                call.form,
                self._web.clock(),
                evidence=evidence,
                regions=self._web.settings.sms_regions,
                limits=self._web.limits,
            )
            return Answer(201, {"id": str(made)}), changes

        kept = forms.kept(form, call.form)
        return self._submissions.accept(call, f"forms.{form.kind}", kept, act)

    def _form(self, call: Call) -> CompiledForm:
        with self._web.store.reading() as session:
            found = self._web.catalogs.live(session).forms.get(call.parameters["kind"])
        if found is None or not found.document.enabled:
            raise Problem("not_found")
        return found


def told(form: CompiledForm, locale: str) -> Value:
    document = form.document
    return {
        "kind": form.kind,
        "title": document.title.told(locale),
        "intro": _maybe(document.intro, locale),
        "thanks": document.thanks.told(locale),
        "requires": document.requires,
        "fields": [_field(field, locale) for field in document.fields],
    }


def _field(field: FieldSpec, locale: str) -> Value:
    return {
        "name": field.name,
        "type": field.type,
        "label": field.label.told(locale),
        "help": _maybe(field.help, locale),
        "required": field.required,
        "max_length": field.longest if field.type in LONGEST else None,
        "options": [
            {"value": option.value, "label": option.label.told(locale)} for option in field.options
        ],
    }


def _maybe(wording: Wording | None, locale: str) -> str | None:
    return None if wording is None else wording.told(locale)
