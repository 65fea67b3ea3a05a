"""The zip file of a deployment: what it names and what it holds."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
MANIFEST, FIELD = "package.xml", "CustomField"
DESTRUCTIVE = ("destructiveChangesPre.xml", "destructiveChanges.xml", "destructiveChangesPost.xml")
MOST_FILES, MOST_BYTES = 10_000, 39 * 1024 * 1024
# Folder of a package, file suffix, metadata type.
FOLDERS = {
    "objects": (".object", "CustomObject"),
    "permissionsets": (".permissionset", "PermissionSet"),
    "platformEventChannels": (".platformEventChannel", "PlatformEventChannel"),
    "platformEventChannelMembers": (
        ".platformEventChannelMember",
        "PlatformEventChannelMember",
    ),
}
# Elements that a file may repeat, each of which the reader gives as a list.
REPEATED = frozenset(
    {
        *("fields", "fieldPermissions", "objectPermissions", "userPermissions", "value", "types"),
        "enrichedFields",
    }
)


class BadPackage(Exception):
    """A zip file that cannot be deployed at all."""


@dataclass(frozen=True, slots=True)
class Component:
    """One thing to deploy; `removed` says that it is to be deleted."""

    type: str
    name: str
    file: str
    content: Mapping[str, Any] = field(default_factory=dict)
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Package:
    """The components of a zip file; manifest and content may disagree about them."""

    components: tuple[Component, ...]
    # Named by the manifest, but not in the file.
    missing: tuple[Component, ...]
    # In the file, but not named by the manifest: not deployed.
    unnamed: tuple[Component, ...]


def read_package(content: bytes) -> Package:
    """The components of a zip file in the form of the Metadata API."""
    if len(content) > MOST_BYTES:
        raise BadPackage("Maximum size of request reached. Maximum size of request is 39 MB.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            files = _files(opened)
    except (zipfile.BadZipFile, EOFError, NotImplementedError):
        raise BadPackage("The zip file cannot be read.") from None
    if MANIFEST not in files:
        raise BadPackage("No package.xml found")
    held = [each for name, text in files.items() for each in _components(name, text)]
    removed = [
        Component(type_, name, file, removed=True)
        for file in DESTRUCTIVE
        if file in files
        for type_, name in _members(files[file])
    ]
    named = set(_members(files[MANIFEST]))
    known = {(each.type, each.name) for each in held} | {
        ("CustomObject", each.name.partition(".")[0]) for each in held if each.type == FIELD
    }
    missing = [
        Component(type_, name, MANIFEST) for type_, name in sorted(named - known) if name != "*"
    ]
    wanted = [each for each in held if _is_named(each, named)]
    unnamed = [each for each in held if each not in wanted]
    return Package((*wanted, *removed), tuple(missing), tuple(unnamed))


def _is_named(component: Component, named: set[tuple[str, str]]) -> bool:
    owner = ("CustomObject", component.name.partition(".")[0])
    names = {(component.type, component.name), (component.type, "*")}
    return not named.isdisjoint(names | ({owner} if component.type == FIELD else set()))


def _files(opened: zipfile.ZipFile) -> dict[str, bytes]:
    names = [name for name in opened.namelist() if not name.endswith("/")]
    if len(names) > MOST_FILES:
        raise BadPackage("Maximum number of files reached: 10,000")
    # A package may lie in a folder of its own inside the zip file.
    manifest = next((name for name in names if name.split("/")[-1] == MANIFEST), MANIFEST)
    root = manifest.removesuffix(MANIFEST)
    return {name.removeprefix(root): opened.read(name) for name in names if name.startswith(root)}


def _components(name: str, text: bytes) -> Iterator[Component]:
    folder, _, file = name.partition("/")
    if not file:
        return
    suffix, type_ = FOLDERS.get(folder, ("", folder))
    full_name = file.removesuffix(suffix)
    if not suffix:
        yield Component(type_, file.rpartition(".")[0] or file, name)
        return
    content = _read(name, text)
    fields = content.pop("fields", []) if type_ == "CustomObject" else []
    # A file that holds fields alone leaves the object as it is.
    if content or not fields:
        yield Component(type_, full_name, name, content)
    for each in fields:
        yield Component(FIELD, f"{full_name}.{each.get('fullName')}", name, each)


def _members(text: bytes) -> Iterator[tuple[str, str]]:
    for types in _read(MANIFEST, text).get("types", []):
        members = types.get("members", [])
        for name in members if isinstance(members, list) else [members]:
            yield types.get("name", ""), name


def _read(name: str, text: bytes) -> dict[str, Any]:
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise BadPackage(f"{name}: a document type is not allowed")
    try:
        found = _value(ET.fromstring(text))
    except ET.ParseError as problem:
        raise BadPackage(f"Error parsing file {name}: {problem}") from None
    return found if isinstance(found, dict) else {}


def _value(element: ET.Element) -> Any:
    children = list(element)
    if not children:
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in children:
        name, value = child.tag.removeprefix(NAMESPACE), _value(child)
        if name in REPEATED or name in found:
            before = found.get(name, [])
            found[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            found[name] = value
    return found
