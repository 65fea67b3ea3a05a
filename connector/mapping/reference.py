"""The reference part of `mappings/README.md`: keys, transforms, functions and rules as the code knows them.

Each stands between `<!-- generated: name -->` and `<!-- end -->`; the rest of the file is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connector.mapping.documents.document import MappingDocument
from connector.mapping.documents.formdocument import FormDocument
from connector.mapping.expressions.cel import function_texts
from connector.mapping.messaging.notices import NoticeSpec
from connector.mapping.rules import Rule
from connector.mapping.transforms import transform, transform_texts

_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_WRITTEN = re.compile(r"`([^`]+)`")


def readme(text: str) -> str:
    """The same text with every generated part as the code is now."""
    parts = _parts()
    return _BLOCK.sub(lambda hit: f"{hit[1]}\n{parts[hit['name']]}\n\n{hit[3]}", text)


def _parts() -> Mapping[str, str]:
    return {
        "keys of a mapping": _keys(MappingDocument),
        "keys inside": _nested(MappingDocument),
        "keys of a form": f"{_keys(FormDocument)}\n\n{_nested(FormDocument)}",
        "keys of a notice": _keys(NoticeSpec),
        "transforms": _table(("name", "does", "way back"), _transforms()),
        "functions": _table(("function", "example", "gives"), _functions()),
        "rules": _table(("rule", "says"), ((f"`{rule}`", rule.sentence) for rule in Rule)),
    }


def _keys(model: type[BaseModel]) -> str:
    return _table(("key", "means", "default"), _rows(model))


def _nested(model: type[BaseModel]) -> str:
    """One table for each block inside, under the keys that lead to it."""
    tables = []
    for path, inner in _inner(model, ()):
        name = " → ".join(f"`{step}`" for step in path)
        says = " ".join((inner.__doc__ or "").split())
        tables.append(f"**{name}**: {says}\n\n{_keys(inner)}")
    return "\n\n".join(tables)


def _inner(
    model: type[BaseModel], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    for name, info in model.model_fields.items():
        for inner in _models(info.annotation):
            if all(each.description for each in inner.model_fields.values()):
                here = (*path, info.alias or name)
                yield here, inner
                yield from _inner(inner, here)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _rows(model: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    for name, info in model.model_fields.items():
        yield f"`{info.alias or name}`", _meaning(info), _default(info)


def _meaning(info: FieldInfo) -> str:
    """What the key's docstring says, and what may be chosen where it does not name that."""
    said = " ".join((info.description or "").split())
    choices = [f"`{choice}`" for choice in _choices(info.annotation)]
    if all(choice in said for choice in choices):
        return said
    return f"{said} One of {', '.join(choices)}."


def _choices(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(choice.value) for choice in annotation]
    return [choice for argument in get_args(annotation) for choice in _choices(argument)]


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "needed"
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is None or (isinstance(value, Collection) and not value):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    listed = value if isinstance(value, tuple) else (value,)
    return ", ".join(f"`{each}`" for each in listed)


def _transforms() -> Iterator[tuple[str, str, str]]:
    for written, does in transform_texts():
        example = yaml.safe_load(_WRITTEN.findall(written)[-1])
        name, argument = (
            (example, None) if isinstance(example, str) else next(iter(example.items()))
        )
        yield written, does, "no" if transform(name, argument).inverse is None else "yes"


def _functions() -> Iterator[tuple[str, str, str]]:
    for called, example, gives in function_texts():
        yield f"`{called}`", f"`{example}`", gives


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in lines
    )


def main(folder: str = "mappings") -> None:
    """Write the generated parts of the README in a folder."""
    file = Path(folder) / "README.md"
    file.write_text(readme(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
