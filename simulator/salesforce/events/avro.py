"""Avro binary, written by functions that are made once for each schema.

Events are written when they are read, tens of thousands in a second; a library that looks at the
schema for every value takes most of that time.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from struct import Struct
from typing import Any

Write = Callable[[Any], bytes]
# The first branch of every union here is null.
NULL = b"\x00"
END_OF_BLOCKS = b"\x00"
DOUBLE = Struct("<d")
GROUP_BITS = 7
GROUP, MORE = (1 << GROUP_BITS) - 1, 1 << GROUP_BITS


def writer_of(schema: Any, named: dict[str, Write] | None = None) -> Write:
    """The function that writes values of a schema; `named` are the records described before."""
    known = {} if named is None else named
    if isinstance(schema, list):
        return _union(schema, known)
    if isinstance(schema, str):
        return PRIMITIVES.get(schema) or known[schema]
    match schema["type"]:
        case "record":
            known[schema["name"]] = write = _record(schema["fields"], known)
            return write
        case "array":
            return _array(writer_of(schema["items"], known))
        case "enum":
            return {symbol: _long(at) for at, symbol in enumerate(schema["symbols"])}.__getitem__
        case other:
            return writer_of(other, known)


def _record(fields: list[Mapping[str, Any]], known: dict[str, Write]) -> Write:
    places = {each["name"]: (at, writer_of(each["type"], known)) for at, each in enumerate(fields)}
    # Most fields of most events are null. A field that must be filled has no blank to stand for it.
    blank: list[Any] = [NULL if isinstance(each["type"], list) else None for each in fields]

    def write(values: Mapping[str, Any]) -> bytes:
        parts = blank.copy()
        for name, value in values.items():
            if value is not None:
                at, write_part = places[name]
                parts[at] = write_part(value)
        return b"".join(parts)

    return write


def _union(branches: list[Any], known: dict[str, Write]) -> Write:
    """Null or one of the others: a text where there is a branch for it, else what comes last."""
    writes = [(_long(at), writer_of(each, known)) for at, each in enumerate(branches) if at]
    last_mark, write_last = writes[-1]
    if len(writes) == 1:
        return lambda value: last_mark + write_last(value)
    text_mark, write_text = writes[branches.index("string") - 1]

    def write(value: Any) -> bytes:
        if isinstance(value, str):
            return text_mark + write_text(value)
        return last_mark + write_last(value)

    return write


def _array(write_item: Write) -> Write:
    def write(items: Any) -> bytes:
        if not items:
            return END_OF_BLOCKS
        return _long(len(items)) + b"".join(map(write_item, items)) + END_OF_BLOCKS

    return write


@lru_cache(maxsize=1 << 14)
def _long(number: int) -> bytes:
    """A whole number: zigzag, seven bits a byte, the lowest first."""
    rest = number << 1 if number >= 0 else (-number << 1) - 1
    written = bytearray()
    while rest > GROUP:
        written.append(rest & GROUP | MORE)
        rest >>= GROUP_BITS
    written.append(rest)
    return bytes(written)


def _text(text: str) -> bytes:
    content = text.encode()
    return _long(len(content)) + content


def _boolean(value: bool) -> bytes:
    return b"\x01" if value else b"\x00"


PRIMITIVES: Mapping[str, Write] = {
    "string": _text,
    "boolean": _boolean,
    "int": _long,
    "long": _long,
    "double": DOUBLE.pack,
}
