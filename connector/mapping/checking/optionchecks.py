"""Whether `values` name just what a form offers: an option of no form, or one that nothing stands for."""

from __future__ import annotations

from connector.domain.lines import Direction
from connector.mapping.documents.document import ValuePair
from connector.mapping.documents.places import Path
from connector.mapping.documents.reading import did_you_mean
from connector.mapping.parts.scene import Scene
from connector.mapping.rules import Rule


def check(scene: Scene) -> None:
    """Note every value that a form never gives, and every one that would hold a record up."""
    for at, spec in enumerate(scene.document.fields):
        if (
            spec.line is not None
            and spec.values
            and spec.direction is not Direction.FROM_SALESFORCE
        ):
            path: Path = ("fields", at, "values")
            _compare(scene, path, spec.line, spec.values, covered=spec.otherwise is not None)
    owner = scene.document.owner
    queue = owner.queue if owner is not None else None
    if queue is not None and queue.line is not None and queue.values:
        covered = queue.otherwise is not None
        _compare(scene, ("owner", "queue", "values"), queue.line, queue.values, covered=covered)


def _compare(
    scene: Scene, path: Path, line: str, pairs: tuple[ValuePair, ...], *, covered: bool
) -> None:
    options = scene.schema.options.get(line)
    if options is None:
        return
    named = {str(pair.line) for pair in pairs}
    for value in sorted(named - set(options)):
        scene.problem(
            (*path, value),
            f"{line} is never {value!r}",
            did_you_mean(value, options),
            rule=Rule.OPTIONS,
        )
    left = [option for option in options if option not in named]
    if left and not covered:
        message = f"nothing stands for these options of {line}: {', '.join(left)}"
        scene.problem(path, message, "name them, or give it an otherwise", rule=Rule.OPTIONS)
