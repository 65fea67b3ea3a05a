"""Forms of every kind together: how many one person, and one address, may send in a day."""

from __future__ import annotations

from collections.abc import Sequence

from connector.members import alarms
from connector.members.limits import DAY, Cap, Limits
from connector.store.alerts import AlertKind
from connector.store.tables import Idempotency, Person, Received, Source

_MANY = "sent more forms in a day than anybody fills in"


def caps(person: Person, address_hash: str | None, limits: Limits) -> Sequence[Cap]:
    """What is counted of a form whatever it asks for: itself, its answer, where it comes from."""
    told = alarms.of_person(AlertKind.FLOODING, person.id, _MANY)
    forms = [Received.person_id == person.id, Received.source == Source.FORM]
    answers = [Idempotency.person_id == person.id]
    found = [
        Cap(Received.received_at, forms, limits.forms_per_person_and_day, DAY, told),
        Cap(Idempotency.at, answers, limits.answers_per_person_and_day, DAY, told),
    ]
    if address_hash is not None:
        what = "more forms were sent in a day than one network fills in"
        there = [Received.address_hash == address_hash]
        alarm = alarms.of_address(AlertKind.FLOODING, address_hash, what)
        most = limits.forms_per_address_and_day
        found.append(Cap(Received.received_at, there, most, DAY, alarm))
    return found
