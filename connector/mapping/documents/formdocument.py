"""What an admin may ask in a form: the models of `forms/<kind>.yaml`, every key with its default."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Answer(StrEnum):
    """What a field asks for."""

    TEXT = "text"
    LONG_TEXT = "long text"
    PHONE = "phone"
    EMAIL = "email"
    DATE = "date"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CHOICES = "choices"


class Requires(StrEnum):
    """Who may send a form."""

    FRIEND = "friend"
    MEMBER = "member"


CHOOSING = frozenset({Answer.CHOICE, Answer.CHOICES})
MOST_CHARACTERS = 10_000
# The longest answer where the field names none. Only these have a length.
LONGEST: Mapping[Answer, int] = {Answer.TEXT: 255, Answer.LONG_TEXT: 2000}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Wording(_Model):
    """One text in each language."""

    zh_tw: str = Field(alias="zh-TW")
    en: str
    ja: str

    def told(self, locale: str) -> str:
        """The text in a language."""
        return {"en": self.en, "ja": self.ja}.get(locale, self.zh_tw)


class OptionSpec(_Model):
    """One answer that may be chosen."""

    value: str
    """What the record holds when it is chosen; mappings name this."""
    label: Wording
    """What people read."""


class FieldSpec(_Model):
    """One question."""

    name: str
    """The value of the record, as mappings name it: small letters, digits and `_`."""
    type: Answer
    """What is asked for."""
    label: Wording
    """The question as people read it."""
    help: Wording | None = None
    """A sentence under the label."""
    required: bool = True
    """Whether the form is refused without it; a required boolean must be ticked."""
    max_length: int | None = None
    """The longest text; 255 characters for `text`, 2000 for `long text` when left out."""
    options: tuple[OptionSpec, ...] = ()
    """What a `choice` or `choices` offers."""
    personal: bool = True
    """Whether the answer says something of the person: it is masked, and erased with them."""

    @property
    def longest(self) -> int:
        """The longest text that is taken."""
        return self.max_length or LONGEST.get(self.type, MOST_CHARACTERS)

    @property
    def chosen_from(self) -> tuple[str, ...]:
        """What a choice may come to."""
        return tuple(option.value for option in self.options)


class FormDocument(_Model):
    """One page of questions."""

    PARTS: ClassVar[Mapping[tuple[str, ...], type[BaseModel]]] = {
        ("fields",): FieldSpec,
        ("fields", "options"): OptionSpec,
        **{("fields", *name): Wording for name in (("label",), ("help",), ("options", "label"))},
        **{(name,): Wording for name in ("title", "intro", "thanks")},
    }

    title: Wording
    """The heading of the page."""
    intro: Wording | None = None
    """A sentence above the questions."""
    thanks: Wording
    """What who sent it reads."""
    requires: Requires = Requires.FRIEND
    """Who may send it: a friend who agreed to the service, or a bound member."""
    description: str | None = None
    """For people."""
    enabled: bool = True
    """Whether its page is there; `false` takes the page down, what was sent stays."""
    fields: tuple[FieldSpec, ...]
    """The questions, in their order."""
