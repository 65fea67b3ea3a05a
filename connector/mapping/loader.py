"""A set of documents, from a folder or from the published texts, compiled and checked together.

Texts are keyed by their path inside `mappings/`: `member-contact.yaml`, `notices.yaml`,
`messages/greeting.zh-TW.yaml`. This is the only module of the language that reads files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connector.domain.records import RecordSchema
from connector.mapping.compiler import try_compile
from connector.mapping.documents.document import MappingDocument
from connector.mapping.documents.forms import FORMS, CompiledForm, kinds, read_forms
from connector.mapping.documents.places import Place, Problem, problem_at
from connector.mapping.documents.reading import MappingProblems, Read, read_mapping
from connector.mapping.messaging.messages import read_messages
from connector.mapping.messaging.notices import CompiledNotices, compile_notices
from connector.mapping.parts.compiled import CompiledMapping
from connector.mapping.rules import Rule
from connector.mapping.schema import ObjectSchema

NOTICES = "notices.yaml"
MESSAGES = "messages/"


@dataclass(frozen=True)
class Documents:
    """Everything admins own, compiled as far as it goes, and all that is wrong with it."""

    mappings: Mapping[str, CompiledMapping]
    notices: CompiledNotices
    problems: tuple[Problem, ...]
    forms: Mapping[str, CompiledForm] = field(default_factory=dict)

    @property
    def objects(self) -> tuple[str, ...]:
        """The Salesforce objects that enabled mappings name, those of child rows and lookups among them."""
        live = [mapping for mapping in self.mappings.values() if mapping.enabled]
        children = {child.object for mapping in live for child in mapping.children}
        lookups = {line.lookup.object for each in live for line in each.lines if line.lookup}
        return tuple(sorted({mapping.object for mapping in live} | children | lookups))

    @property
    def record_types(self) -> Mapping[str, frozenset[str]]:
        """By object, the record types that enabled mappings give to its rows."""
        named: dict[str, frozenset[str]] = {}
        for mapping in self.mappings.values():
            if mapping.enabled and mapping.record_type is not None:
                mine = named.get(mapping.object, frozenset())
                named[mapping.object] = mine | {mapping.record_type}
        return named


def read_folder(folder: Path) -> dict[str, str]:
    """The documents of a folder, by their path inside it."""
    inner = [file for part in (MESSAGES, FORMS) for file in folder.glob(f"{part}*.yaml")]
    files = [*folder.glob("*.yaml"), *inner]
    return {
        file.relative_to(folder).as_posix(): file.read_bytes().decode("utf-8")  # ends of lines stay
        for file in sorted(files)
    }


def load(
    texts: Mapping[str, str],
    schemas: Mapping[str, ObjectSchema] | None = None,
    versions: Mapping[str, int] | None = None,
    prefix: str = "",
) -> Documents:
    """Compile a set of documents; `schemas` by object name, without them nothing of the org is checked.

    `prefix` is put before the paths in problems, so that a person can open them.
    """
    reads = {
        path.removesuffix(".yaml"): read_mapping(text, path.removesuffix(".yaml"), prefix + path)
        for path, text in texts.items()
        if _is_mapping(path)
    }
    forms, unread, wrong = read_forms(texts, prefix)
    # What maps a form that cannot be read is looked at once it can be.
    reads = {name: read for name, read in reads.items() if not _maps(read, unread)}
    records = kinds(forms)
    mappings, problems = _compile(reads, records, schemas, versions or {})
    messages = read_messages(
        {path: text for path, text in texts.items() if path.startswith(MESSAGES)}, prefix
    )
    notices, more = compile_notices(texts.get(NOTICES), prefix + NOTICES, messages, records)
    return Documents(mappings, notices, tuple(sorted({*problems, *wrong, *more})), forms)


def load_strictly(
    texts: Mapping[str, str],
    schemas: Mapping[str, ObjectSchema] | None = None,
    versions: Mapping[str, int] | None = None,
) -> Documents:
    """As `load`; raises `MappingProblems` when anything is wrong."""
    documents = load(texts, schemas, versions)
    if documents.problems:
        raise MappingProblems(documents.problems)
    return documents


def check_folder(folder: Path, schemas: Mapping[str, ObjectSchema] | None) -> list[Problem]:
    """Everything that is wrong with a folder's documents, in the order of files and lines."""
    texts = read_folder(folder)
    if not any(_is_mapping(path) for path in texts):
        return [
            problem_at(
                Place(str(folder)), "there is no mapping in this folder", rule=Rule.NO_MAPPING
            )
        ]
    return list(load(texts, schemas, prefix=f"{folder}/").problems)


def _is_mapping(path: str) -> bool:
    return path.endswith(".yaml") and path != NOTICES and not path.startswith((MESSAGES, FORMS))


def _maps(read: Read[MappingDocument], kinds: Collection[str]) -> bool:
    return read.document is not None and read.document.from_ in kinds


def _compile(
    reads: Mapping[str, Read[MappingDocument]],
    records: Mapping[str, RecordSchema],
    schemas: Mapping[str, ObjectSchema] | None,
    versions: Mapping[str, int],
) -> tuple[dict[str, CompiledMapping], list[Problem]]:
    written = {name: read.document for name, read in reads.items() if read.document is not None}
    compiled: dict[str, CompiledMapping] = {}
    problems: list[Problem] = []
    for name, read in reads.items():
        others = {other: document for other, document in written.items() if other != name}
        org = _object_of(read, schemas, problems)
        version = versions.get(f"{name}.yaml", 0)
        mapping, found = try_compile(read, records, org, version, others, schemas)
        if found and _is_disabled(read):  # what does not run need not fit the org
            mapping, found = try_compile(read, records, None, version, others)
        problems += [*found, *_misnamed(read)]
        if mapping is not None:
            compiled[name] = mapping
    return compiled, problems


def _object_of(
    read: Read[MappingDocument],
    schemas: Mapping[str, ObjectSchema] | None,
    problems: list[Problem],
) -> ObjectSchema | None:
    if schemas is None or read.document is None:
        return None
    org = schemas.get(read.document.to)
    if org is None and not _is_disabled(read):
        message = f"the org has no object {read.document.to!r} that this user may see"
        problems.append(problem_at(read.at("to"), message, rule=Rule.UNKNOWN_OBJECT))
    return org


def _is_disabled(read: Read[MappingDocument]) -> bool:
    return read.document is not None and not read.document.enabled


def _misnamed(read: Read[MappingDocument]) -> list[Problem]:
    """A mapping is found by its file's name, so the name must say what it maps."""
    if read.document is None:
        return []
    wanted = f"{read.document.from_}-{read.document.to.removesuffix('__c').lower()}"
    if read.name == wanted or read.name.startswith(f"{wanted}."):
        return []
    return [
        problem_at(read.at("to"), f"the file must be called {wanted}.yaml", rule=Rule.FILE_NAME)
    ]
