"""Forms that admins write: a form's answers are records of a kind that is called like its file.

Beside the answers every record of a form holds `created_at`, and is related to the friend and,
where there is one, to the member who sent it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from connector.domain.records import FORM_RELATIONS, SCHEMAS, RecordSchema, ValueType
from connector.mapping.documents import formchecks
from connector.mapping.documents.formdocument import Answer, FormDocument
from connector.mapping.documents.places import Problem, read_yaml
from connector.mapping.documents.reading import read_model

FORMS = "forms/"
CREATED = "created_at"
_VALUES: Mapping[Answer, ValueType] = {
    Answer.PHONE: ValueType.PHONE,
    Answer.EMAIL: ValueType.EMAIL,
    Answer.DATE: ValueType.DATE,
    Answer.NUMBER: ValueType.INTEGER,
    Answer.BOOLEAN: ValueType.BOOLEAN,
    Answer.CHOICES: ValueType.SET,
}


@dataclass(frozen=True)
class CompiledForm:
    """A form, ready to be shown and answered."""

    kind: str
    document: FormDocument

    @cached_property
    def schema(self) -> RecordSchema:
        """What mappings may name of its records."""
        fields = self.document.fields
        values = {field.name: _VALUES.get(field.type, ValueType.TEXT) for field in fields}
        return RecordSchema(
            self.kind,
            {**values, CREATED: ValueType.MOMENT},
            FORM_RELATIONS,
            personal=frozenset(field.name for field in fields if field.personal),
            options={field.name: field.chosen_from for field in fields if field.options},
        )


def path_of(kind: str) -> str:
    """Where the form of a kind stands."""
    return f"{FORMS}{kind}.yaml"


def read_forms(
    texts: Mapping[str, str], prefix: str = ""
) -> tuple[dict[str, CompiledForm], frozenset[str], list[Problem]]:
    """The forms among documents by kind, the kinds whose form could not be read, and every problem."""
    compiled: dict[str, CompiledForm] = {}
    unread: set[str] = set()
    problems: list[Problem] = []
    for path, text in texts.items():
        if not path.startswith(FORMS):
            continue
        kind = path.removeprefix(FORMS).removesuffix(".yaml")
        read = read_model(FormDocument, read_yaml(text, prefix + path), kind)
        problems += [*read.problems, *formchecks.check(read)]
        if read.document is None:
            unread.add(kind)
        elif kind not in SCHEMAS:
            compiled[kind] = CompiledForm(kind, read.document)
    return compiled, frozenset(unread), problems


def kinds(forms: Mapping[str, CompiledForm]) -> Mapping[str, RecordSchema]:
    """Every record kind: those of the starter set and those of forms."""
    return {**SCHEMAS, **{kind: form.schema for kind, form in forms.items()}}
