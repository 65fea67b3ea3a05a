"""Looking a name up in a record's view."""

from __future__ import annotations

from connector.domain.values import Value, Values


def look_up(view: Values, name: str) -> Value:
    """The value of a name, which may itself be dotted (`consents.service`) or one relation away."""
    if name in view:
        return view[name]
    relation, _, rest = name.partition(".")
    related = view.get(relation)
    return related.get(rest) if isinstance(related, dict) else None
