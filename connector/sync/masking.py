"""Values as logs and stories may show them: enough to recognise, not enough to know."""

from __future__ import annotations

from collections.abc import Iterable

from connector.domain.values import Fields, Value

_SHOWN_WHOLE = 1


def masked(fields: Fields) -> dict[str, Value]:
    """A copy in which every text keeps its first character and its length."""
    return {name: _mask(value) for name, value in fields.items()}


def without(text: str, hidden: Iterable[Value]) -> str:
    """A text in which these values, where it repeats them, are masked."""
    words = {str(value) for value in hidden if isinstance(value, str)}
    for word in sorted(words, key=len, reverse=True):
        if len(word) > _SHOWN_WHOLE:
            text = text.replace(word, str(_mask(word)))
    return text


def _mask(value: Value) -> Value:
    if isinstance(value, str) and len(value) > _SHOWN_WHOLE:
        return f"{value[:_SHOWN_WHOLE]}… ({len(value)})"
    if isinstance(value, list):
        return [_mask(item) for item in value]
    if isinstance(value, dict):
        return masked(value)
    return value
