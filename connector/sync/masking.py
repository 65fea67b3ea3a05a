"""Values as logs and stories may show them: enough to recognise, not enough to know."""

from __future__ import annotations

from connector.domain.values import Fields, Value

_SHOWN_WHOLE = 1


def masked(fields: Fields) -> dict[str, Value]:
    """A copy in which every text keeps its first character and its length."""
    return {name: _mask(value) for name, value in fields.items()}


def _mask(value: Value) -> Value:
    if isinstance(value, str) and len(value) > _SHOWN_WHOLE:
        return f"{value[:_SHOWN_WHOLE]}… ({len(value)})"
    if isinstance(value, list):
        return [_mask(item) for item in value]
    if isinstance(value, dict):
        return masked(value)
    return value
