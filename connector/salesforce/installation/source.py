"""The table of `content` as Salesforce metadata: a package to deploy, or an SFDX folder.

`python -m connector.salesforce.installation.source FOLDER` writes the folder anew.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from connector.salesforce.capture import CHANNEL, event_of
from connector.salesforce.installation.content import (
    ACCESS,
    API_VERSION,
    CAPTURED,
    CHANNEL_LABEL,
    FIELDS,
    PERMISSION_SET,
    PERMISSION_SET_LABEL,
    PERMISSION_SET_TEXT,
    USER_PERMISSIONS,
    Access,
    CustomField,
    fields_of,
)
from connector.salesforce.plans import KEY_FIELD

_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'
_PROJECT = {
    "packageDirectories": [{"path": "force-app", "default": True}],
    "name": "line-connector",
    "namespace": "",
    "sourceApiVersion": API_VERSION,
}
# The same moment in every file, so that the same content is the same package.
_WHEN = (2026, 1, 1, 0, 0, 0)

Tags = Iterable[tuple[str, str | bool | int]]


def package(objects: Sequence[str], captured: Sequence[str] = ()) -> bytes:
    """The zip file that brings fields and permission set to the objects named.

    The channel comes with it where there are objects for it to carry.
    """
    files = {"package.xml": _manifest(objects, captured)}
    for name in objects:
        files[f"objects/{name}.object"] = _object(name)
    files[f"permissionsets/{PERMISSION_SET}.permissionset"] = permission_set(objects)
    files |= _channel(captured)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in files.items():
            opened.writestr(zipfile.ZipInfo(name, _WHEN), text.encode())
    return made.getvalue()


def source_files() -> Mapping[str, str]:
    """The files of the SFDX folder by their place in it."""
    root = "force-app/main/default"
    files = {"sfdx-project.json": json.dumps(_PROJECT, indent=2) + "\n"}
    for field in FIELDS:
        place = f"{root}/objects/{field.object}/fields/{field.name}.field-meta.xml"
        files[place] = _document("CustomField", _field_lines(field))
    place = f"{root}/permissionsets/{PERMISSION_SET}.permissionset-meta.xml"
    files[place] = permission_set([access.object for access in ACCESS])
    channel = _channel(CAPTURED).items()
    return files | {f"{root}/{place}-meta.xml": text for place, text in channel}


def permission_set(objects: Sequence[str]) -> str:
    """The permission set, cut down to the objects that an org has."""
    granted = [access for access in ACCESS if access.object in objects]
    lines = list(_tags([("description", PERMISSION_SET_TEXT)]))
    for access in sorted(granted, key=lambda each: each.object):
        for tags in _field_rights(access):
            lines += _nested("fieldPermissions", tags)
    lines += _tags([("hasActivationRequired", False), ("label", PERMISSION_SET_LABEL)])
    for access in sorted(granted, key=lambda each: each.object):
        lines += _nested("objectPermissions", _object_rights(access))
    for name in USER_PERMISSIONS:
        lines += _nested("userPermissions", [("enabled", True), ("name", name)])
    return _document("PermissionSet", lines)


def write_source(folder: Path) -> None:
    """Write the SFDX folder; files of ours that are no longer made are removed."""
    files = source_files()
    for known in folder.rglob("*-meta.xml"):
        if known.relative_to(folder).as_posix() not in files:
            known.unlink()
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")


def _manifest(objects: Sequence[str], captured: Sequence[str]) -> str:
    members = {
        "CustomField": sorted(field.full_name for name in objects for field in fields_of(name)),
        "PermissionSet": [PERMISSION_SET],
        "PlatformEventChannel": [CHANNEL] if captured else [],
        "PlatformEventChannelMember": sorted(map(_member_name, captured)),
    }
    lines: list[str] = []
    for type_, names in members.items():
        if names:
            lines += _nested("types", [*(("members", name) for name in names), ("name", type_)])
    return _document("Package", [*lines, *_tags([("version", API_VERSION)])])


def _channel(captured: Sequence[str]) -> Mapping[str, str]:
    """The channel and its objects; our key comes with every event, changed or not."""
    if not captured:
        return {}
    told = _tags([("channelType", "data"), ("label", CHANNEL_LABEL)])
    files = {
        f"platformEventChannels/{CHANNEL}.platformEventChannel": _document(
            "PlatformEventChannel", told
        )
    }
    for name in captured:
        place = f"platformEventChannelMembers/{_member_name(name)}.platformEventChannelMember"
        lines = [
            *_nested("enrichedFields", [("name", KEY_FIELD)]),
            *_tags([("eventChannel", CHANNEL), ("selectedEntity", event_of(name))]),
        ]
        files[place] = _document("PlatformEventChannelMember", lines)
    return files


def _member_name(object_name: str) -> str:
    return f"{CHANNEL.replace('__', '_')}_{event_of(object_name)}"


def _object(name: str) -> str:
    lines: list[str] = []
    for field in fields_of(name):
        lines += ["    <fields>", *(f"    {line}" for line in _field_lines(field)), "    </fields>"]
    return _document("CustomObject", lines)


def _field_lines(field: CustomField) -> list[str]:
    tags: list[tuple[str, str | bool | int]] = [("fullName", field.name)]
    if field.is_key:
        tags.append(("caseSensitive", False))
    if field.type == "Checkbox":
        tags.append(("defaultValue", False))
    tags.append(("description", field.description))
    if field.is_key:
        tags.append(("externalId", True))
    tags.append(("label", field.label))
    if field.type == "Text":
        tags.append(("length", field.length))
    if field.type == "Number":
        tags.append(("precision", field.precision))
    if field.type != "Checkbox":
        tags.append(("required", False))
    if field.type == "Number":
        tags.append(("scale", 0))
    tags.append(("type", field.type))
    if field.is_key:
        tags.append(("unique", True))
    return list(_tags(tags))


def _field_rights(access: Access) -> Iterator[Tags]:
    rights = dict.fromkeys(access.read, False) | dict.fromkeys(access.written, True)
    rights |= {field.name: field.editable for field in fields_of(access.object)}
    for name, editable in sorted(rights.items()):
        yield [("editable", editable), ("field", f"{access.object}.{name}"), ("readable", True)]


def _object_rights(access: Access) -> Tags:
    return [
        ("allowCreate", access.creates),
        ("allowDelete", False),
        ("allowEdit", access.edits),
        ("allowRead", True),
        ("modifyAllRecords", False),
        ("object", access.object),
        ("viewAllRecords", True),
    ]


def _document(root: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines)
    return f'{_HEADER}<{root} xmlns="{_NAMESPACE}">\n{body}\n</{root}>\n'


def _nested(name: str, tags: Tags) -> list[str]:
    return [f"    <{name}>", *(f"    {line}" for line in _tags(tags)), f"    </{name}>"]


def _tags(tags: Tags) -> Iterator[str]:
    for name, value in tags:
        text = str(value).lower() if isinstance(value, bool) else escape(str(value))
        yield f"    <{name}>{text}</{name}>"


if __name__ == "__main__":
    write_source(Path(sys.argv[1]))
