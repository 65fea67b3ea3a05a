"""Multipart bodies, taken apart."""

from collections.abc import Iterator
from dataclasses import dataclass

from simulator.salesforce.errors import Refusal

FORM_DATA = "multipart/form-data"
CRLF = b"\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body."""

    name: str
    content: bytes


def parts_of(body: bytes, content_type: str) -> Iterator[Part]:
    """The parts of a body, as its content type delimits them."""
    kind, _, parameters = content_type.partition(";")
    boundary = _parameter(parameters, "boundary")
    if kind.strip().lower() != FORM_DATA or not boundary:
        message = f"Content type '{kind}' is not supported; use {FORM_DATA}"
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", message, status=415)
    for chunk in body.split(b"--" + boundary.encode())[1:-1]:
        head, _, content = chunk.removeprefix(CRLF).partition(CRLF + CRLF)
        yield Part(_part_name(head), content.removesuffix(CRLF))


def _part_name(head: bytes) -> str:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            return _parameter(value, "name")
    return ""


def _parameter(text: str, name: str) -> str:
    for each in text.split(";"):
        key, _, value = each.strip().partition("=")
        if key.lower() == name:
            return value.strip('"')
    return ""
