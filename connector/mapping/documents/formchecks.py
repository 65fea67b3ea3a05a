"""What is wrong with a form besides its shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from connector.domain.records import FORM_RELATIONS, SCHEMAS
from connector.mapping.documents.formdocument import (
    CHOOSING,
    LONGEST,
    MOST_CHARACTERS,
    Answer,
    FieldSpec,
    FormDocument,
    Wording,
)
from connector.mapping.documents.places import Path, Problem, problem_at
from connector.mapping.documents.reading import Read, did_you_mean, read_model
from connector.mapping.rules import Rule

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NAMES = "small letters, digits and _, at most 40, a letter first"
# What every record of a form holds by itself, and what our page asks.
_TAKEN = frozenset({"created_at", "consents", *FORM_RELATIONS})
_EXPRESSION_WORDS = frozenset(
    {"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in"}
    | {"let", "loop", "namespace", "null", "package", "return", "true", "var", "void", "while"}
)
_MOST_FIELDS, _MOST_OPTIONS = 40, 60


def check(read: Read[FormDocument]) -> list[Problem]:
    """Every problem of a form that could be read."""
    return _Check(read).run()


class _Check:
    """Goes through one form."""

    def __init__(self, read: Read[FormDocument]) -> None:
        self._read = read
        self._data = read.placed.data if isinstance(read.placed.data, dict) else {}
        self._problems: list[Problem] = []

    def run(self) -> list[Problem]:
        """Every problem; a question is looked at even where the rest of the form cannot be read."""
        self._kind(self._read.name)
        fields = dict(self._fields())
        document = self._read.document
        if document is not None and not 1 <= len(document.fields) <= _MOST_FIELDS:
            self._note(("fields",), f"a form asks 1 to {_MOST_FIELDS} questions")
        names: set[str] = set()
        for at, field in fields.items():
            if field.name in names:
                path: Path = ("fields", at, "name")
                self._note(path, f"another field is called {field.name} already")
            names.add(field.name)
            self._name(at, field.name)
            self._length(at, field)
            self._options(at, field)
            for name, wording in _wordings(field):
                self._blank(("fields", at, *name), wording)
        for part in {"title", "intro", "thanks"} & self._data.keys():
            self._blank((part,), read_model(Wording, self._read.placed, "", (part,)).document)
        return self._problems

    def _fields(self) -> Iterator[tuple[int, FieldSpec]]:
        """The questions that can be read, by their place in the file."""
        listed = self._data.get("fields")
        for at in range(len(listed) if isinstance(listed, list) else 0):
            field = read_model(FieldSpec, self._read.placed, "", ("fields", at)).document
            if field is not None:
                yield at, field

    def _kind(self, kind: str) -> None:
        if kind in SCHEMAS:
            message = f"{kind} is a record kind of the starter set, so no form can be called so"
            self._note((), message, "give the file another name")
        elif not NAME.fullmatch(kind):
            message = f"the file must be called <kind>.yaml, and {kind!r} is no name of a kind"
            self._note((), message, _NAMES)

    def _name(self, at: int, name: str) -> None:
        path: Path = ("fields", at, "name")
        if not NAME.fullmatch(name):
            self._note(path, f"{name!r} is no name of a value", _NAMES)
        elif name in _TAKEN:
            self._note(path, f"every record of a form has {name} already", "choose another name")
        elif name in _EXPRESSION_WORDS:
            self._note(path, f"{name} means something in expressions", "choose another name")

    def _length(self, at: int, field: FieldSpec) -> None:
        if field.max_length is None:
            return
        path: Path = ("fields", at, "max_length")
        if field.type not in LONGEST:
            longest = " and ".join(LONGEST)
            self._note(path, f"only {longest} have a length, {field.name} is a {field.type}")
        elif not 1 <= field.max_length <= MOST_CHARACTERS:
            self._note(path, f"must be 1 to {MOST_CHARACTERS}, not {field.max_length}")

    def _options(self, at: int, field: FieldSpec) -> None:
        path: Path = ("fields", at, "options")
        if field.type not in CHOOSING:
            if field.options:
                hint = did_you_mean(field.type, [Answer.CHOICE, Answer.CHOICES])
                self._note(path, f"a {field.type} has no options", hint)
            return
        if not 1 <= len(field.options) <= _MOST_OPTIONS:
            message = f"{field.name} is a {field.type}, which offers 1 to {_MOST_OPTIONS} options"
            self._note(path, message)
        for nth in _repeated(field.chosen_from):
            self._note((*path, nth, "value"), f"{field.chosen_from[nth]!r} is offered twice")
        for nth, option in enumerate(field.options):
            if not option.value.strip() or ";" in option.value:
                message = f"{option.value!r} cannot be a value: it is blank or holds a semicolon"
                self._note((*path, nth, "value"), message)

    def _blank(self, path: Path, wording: Wording | None) -> None:
        for name, info in Wording.model_fields.items() if wording is not None else ():
            if not getattr(wording, name).strip():
                self._note((*path, info.alias or name), "there is no text")

    def _note(self, path: Path, message: str, hint: str = "") -> None:
        place = self._read.placed.at(*path)
        self._problems.append(problem_at(place, message, hint, rule=Rule.FORM))


def _repeated(names: Sequence[str]) -> Iterator[int]:
    """The places of names that stood before."""
    return (at for at, name in enumerate(names) if name in names[:at])


def _wordings(field: FieldSpec) -> Iterator[tuple[Path, Wording]]:
    """Every text of a question that people read, with its place in it."""
    yield ("label",), field.label
    if field.help is not None:
        yield ("help",), field.help
    for at, option in enumerate(field.options):
        yield ("options", at, "label"), option.label
