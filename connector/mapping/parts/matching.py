"""Finding the row that already stands for a record."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.domain.phones import spellings, to_e164
from connector.domain.values import Fields, Value, Values
from connector.mapping.canonical import plain_text
from connector.mapping.documents.document import Normalise
from connector.mapping.views import look_up

if TYPE_CHECKING:
    from connector.mapping.parts.compiled import Line


@dataclass(frozen=True)
class MatchRule:
    """Rows whose `fields` hold the record's `source` value, in whatever spelling."""

    source: str
    fields: tuple[str, ...]
    normalise: Normalise
    agree: tuple[Line, ...] = ()

    def candidates(self, view: Values) -> tuple[str, ...]:
        """Every spelling to ask for with one `IN`; empty where the record has no value to match by."""
        value = self.normalised(look_up(view, self.source))
        if value is None:
            return ()
        typed = plain_text(look_up(view, self.source)).strip()
        return tuple(dict.fromkeys((*_SPELLINGS[self.normalise](value), typed)))

    def normalised(self, value: Value) -> str | None:
        """The one spelling in which two values are compared; None for a value that matches nothing."""
        text = plain_text(value).strip()
        return _NORMAL[self.normalise](text) if text else None

    def matches(self, view: Values, row: Fields) -> bool:
        """Whether one of the row's fields holds the record's value."""
        wanted = self.normalised(look_up(view, self.source))
        held = (self.normalised(row.get(name)) for name in self.fields)
        return wanted is not None and wanted in held

    def disagreeing(self, view: Values, row: Fields) -> tuple[str, ...]:
        """The ids of the lines that must agree and do not; a blank side agrees with nothing."""
        return tuple(line.id for line in self.agree if not _agree(line, view, row))

    def agrees(self, view: Values, row: Fields) -> bool:
        """Whether every line that must agree does."""
        return not self.disagreeing(view, row)


def _agree(line: Line, view: Values, row: Fields) -> bool:
    ours = _loose(line.meaning(line.forward(view)))
    return bool(ours) and ours == _loose(line.meaning(line.canonical(row)))


def _loose(value: Value) -> str:
    """Agreement looks past case, width and blanks, which people type as they like."""
    text = (
        "".join(plain_text(part) for part in value)
        if isinstance(value, list)
        else plain_text(value)
    )
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _email(text: str) -> str | None:
    return text.casefold()


def _text(text: str) -> str | None:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()) or None


def _exact(text: str) -> str | None:
    return text


_NORMAL: Mapping[Normalise, Callable[[str], str | None]] = {
    Normalise.PHONE: to_e164,
    Normalise.EMAIL: _email,
    Normalise.TEXT: _text,
    Normalise.EXACT: _exact,
}


def _one(value: str) -> tuple[str, ...]:
    return (value,)


_SPELLINGS: Mapping[Normalise, Callable[[str], tuple[str, ...]]] = {
    Normalise.PHONE: spellings,
    Normalise.EMAIL: _one,
    Normalise.TEXT: _one,
    Normalise.EXACT: _one,
}
