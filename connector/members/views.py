"""What a person sees of themselves."""

from __future__ import annotations

from sqlalchemy.orm import Session

from connector.domain.values import Value, moment
from connector.members import bound, consents, friendship
from connector.store.tables import Person, Record


def me(session: Session, person: Person, oa: str) -> dict[str, Value]:
    """The person as `GET /liff/api/me` tells; what an agent corrected shows here."""
    return {
        "user_id": person.line_user_id,
        "following": friendship.follows(session, person.id, oa),
        "consents": [
            {
                "purpose": consent.purpose,
                "version": consent.version,
                "given": consent.given,
                "at": moment(consent.at),
            }
            for consent in consents.current(session, person.id)
        ],
        "member": _member(session, person),
    }


def stranger(user_id: str) -> dict[str, Value]:
    """The same of someone not heard of yet."""
    return {"user_id": user_id, "following": False, "consents": [], "member": None}


def _member(session: Session, person: Person) -> Value:
    binding = bound.open_binding(session, person.id)
    if binding is None:
        return None
    record = session.get(Record, binding.member_id)
    values = record.values if record else {}
    return {
        "member_id": str(binding.member_id),
        "name": values.get("name"),
        "phone": values.get("phone") or binding.phone,
        "email": values.get("email"),
    }
