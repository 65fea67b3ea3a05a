"""The one file of a `multipart/form-data` body (RFC 7578); whatever else is in it is passed over."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from urllib.parse import unquote

_BLANK_LINE = b"\r\n\r\n"
_LONGEST_HEAD = 8 * 1024


class NotMultipart(Exception):
    """The body is not what its content type says."""


@dataclass(frozen=True)
class Part:
    """What was sent under a name; `filename` is as the sender calls it."""

    filename: str | None
    content: bytes


def part_of(body: bytes, content_type: str, name: str) -> Part | None:
    """The first part of that name, None where there is none; raises `NotMultipart`."""
    head = _header("content-type", content_type)
    boundary = head.get_boundary()
    if head.get_content_type() != "multipart/form-data" or not boundary:
        raise NotMultipart
    mark = b"--" + boundary.encode("utf-8", "replace")
    if not body.startswith(mark):
        raise NotMultipart
    at = len(mark)
    while body[at : at + 2] != b"--":  # which closes the last part
        end_of_head = body.find(_BLANK_LINE, at, at + _LONGEST_HEAD)
        end = body.find(b"\r\n" + mark, max(at, end_of_head))
        if end_of_head < 0 or end < 0:
            raise NotMultipart
        told = _disposition(body[at:end_of_head])
        if told.get_param("name", header="content-disposition") == name:
            filename = told.get_filename()
            begin = min(end_of_head + len(_BLANK_LINE), end)
            return Part(unquote(filename) if filename else None, body[begin:end])
        at = end + 2 + len(mark)
    return None


def _disposition(head: bytes) -> Message:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            return _header("content-disposition", value.strip())
    return Message()


def _header(name: str, value: str) -> Message:
    made = Message()
    made[name] = value.replace("\r", " ").replace("\n", " ")
    return made
