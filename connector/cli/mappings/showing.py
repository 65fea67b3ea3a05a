"""A preview as JSON, and as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.cli import output
from connector.cli.kin import named
from connector.cli.output import BAD, DIM, GOOD, heading, paint, short
from connector.domain.lines import Direction, Write
from connector.planning.previewing import RowSource
from connector.sync.veil import personal_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connector.domain.values import Value
    from connector.mapping.parts.compiled import CompiledMapping, Line, LineProblem
    from connector.mapping.parts.tracing import Homeward, Outward, Step, Trace
    from connector.planning.previewing import Preview
    from connector.sync.veil import Veil

_FILTER = {True: "yes", False: "no, so nothing is written", None: "cannot be worked out"}
_ARROW = {
    Direction.TO_SALESFORCE: "->",
    Direction.FROM_SALESFORCE: "<-",
    Direction.BOTH: "<->",
}
_WRITE = {
    Write.CREATE: "only with a new row",
    Write.BLANK: "only while the field is blank",
}
_ROW = {
    RowSource.SALESFORCE: "as Salesforce holds it now",
    RowSource.BASE: "as both sides last agreed",
    RowSource.SAMPLE: "from the sample",
    RowSource.SENT: "as it would be sent",
}
_WIDE = 72


def as_told(found: Preview, veil: Veil) -> dict[str, Any]:
    """Everything there is to show, personal values masked."""
    mapping, held = found.mapping, found.filter
    return {
        "mapping": mapping.name,
        "version": mapping.version,
        "object": mapping.object,
        "record": found.record,
        "salesforce_id": found.salesforce_id,
        "row_from": found.row_from,
        "unread": found.unread,
        "when": None if held is None else {"text": held.text, "holds": held.holds},
        "parents": [named(kin) for kin in found.parents],
        "lines": [_Told(mapping, each, veil).line() for each in found.traces],
    }


class _Told:
    """One line as JSON; what is personal in it is masked wherever it turns up."""

    def __init__(self, mapping: CompiledMapping, trace: Trace, veil: Veil) -> None:
        self._trace = trace
        self._hides = not veil.reveal and _is_personal(mapping, trace.line)
        self._veil = veil

    def line(self) -> dict[str, Any]:
        """The whole line."""
        line, out, home = self._trace.line, self._trace.outward, self._trace.homeward
        return {
            "id": line.id,
            "source": line.source or ("expression" if line.is_expression else "constant"),
            "expression": None if line.expression is None else line.expression.text.strip(),
            "fields": list(line.fields),
            "direction": line.direction,
            "write": line.write if line.outbound else None,
            "lookup": None if line.lookup is None else f"{line.lookup.object}.{line.lookup.by}",
            "differs": self._trace.differs,
            "to_salesforce": None if out is None else self._outward(out),
            "from_salesforce": None if home is None else self._homeward(home),
        }

    def _outward(self, out: Outward) -> dict[str, Any]:
        fields = out.fields
        return {
            "value": self._shown(out.source),
            "steps": self._steps(out.steps),
            "fields": None if fields is None else self._fields(fields),
            "problem": self._problem(out.problem),
            "refused": out.refused,
        }

    def _homeward(self, home: Homeward) -> dict[str, Any]:
        return {
            "fields": self._fields(home.fields),
            "steps": self._steps(home.steps),
            "value": self._shown(home.value),
            "problem": self._problem(home.problem),
            "assumed": home.assumed,
        }

    def _fields(self, fields: Any) -> dict[str, Value]:
        return {name: self._shown(value) for name, value in fields.items()}

    def _steps(self, steps: Sequence[Step]) -> list[dict[str, Any]]:
        return [{"name": step.name, "value": self._shown(step.value)} for step in steps]

    def _problem(self, problem: LineProblem | None) -> dict[str, Any] | None:
        if problem is None:
            return None
        hidden = list(_leaves(problem.value)) if self._hides else []
        return {
            "field": problem.field,
            "reason": self._veil.text(problem.reason, hidden),
            "fix": problem.next_step,
        }

    def _shown(self, value: Value) -> Value:
        return self._veil.body(value) if self._hides else value


def _is_personal(mapping: CompiledMapping, line: Line) -> bool:
    return not personal_fields(mapping).isdisjoint(line.fields)


def _leaves(value: Value) -> Iterator[Value]:
    """The texts in a value: a failed expression names all that it saw."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def lines(told: dict[str, Any]) -> Iterator[str]:
    """The preview for people: a heading, then one small table for each line."""
    version = f"version {told['version']}" if told["version"] else "not published"
    row = f"{told['object']} {told['salesforce_id'] or '(no row yet)'}"
    yield f"{heading(told['mapping'])}  {version}  {told['record'] or 'the sample'} -> {row}"
    if told["unread"]:
        yield f"the row could not be read: {told['unread']}"
    if told["when"]:
        yield f"written: {_FILTER[told['when']['holds']]}  ({told['when']['text'].strip()})"
    if told["parents"]:
        yield f"\n{heading('parents')}"
        yield output.table([_kin(parent) for parent in told["parents"]])
    for line in told["lines"]:
        yield from _line(line, _ROW[told["row_from"]])
    yield f"\n{_verdict(told['lines'])}"


def _kin(parent: dict[str, Any]) -> list[object]:
    missing = "left blank" if parent["optional"] else "waits for it"
    where = parent["record"] or f"the record has no {parent['via']}"
    return [parent["field"], parent["salesforce_id"] or paint(missing, DIM), where]


def _verdict(shown: Sequence[dict[str, Any]]) -> str:
    ways = [line[way] for line in shown for way in ("to_salesforce", "from_salesforce")]
    stopped = sum(1 for way in ways if way is not None and way["problem"])
    if stopped:
        return paint(f"{stopped} of {len(shown)} lines cannot carry their value", BAD)
    return paint(f"all {len(shown)} lines can carry their values", GOOD)


def _line(line: dict[str, Any], row: str) -> Iterator[str]:
    names = f"{line['source']} {_ARROW[line['direction']]} {', '.join(line['fields'])}"
    marks = "; ".join(_marks(line))
    yield f"\n{heading(names)}  {paint(marks, DIM)}" if marks else f"\n{heading(names)}"
    out, home = line["to_salesforce"], line["from_salesforce"]
    if out is None and home is None:
        yield "  there is no row to read yet"
        return
    yield output.table([*_out(line, out), *_home(line, home, row)])
    if out is not None:
        yield from _refusal(out, "Salesforce would refuse it" if out["refused"] else "not sent")
    if home is not None:
        yield from _refusal(home, "not taken")


def _marks(line: dict[str, Any]) -> Iterator[str]:
    if line["write"] in _WRITE:
        yield _WRITE[line["write"]]
    if line["expression"]:
        yield line["expression"]
    if line["lookup"]:
        yield f"the Id of the row whose {line['lookup']} this is"
    if line["differs"]:
        yield "the two sides differ"


def _out(line: dict[str, Any], way: dict[str, Any] | None) -> Iterator[list[object]]:
    if way is None:
        return
    yield ["record", line["source"], _cell(way["value"]), ""]
    yield from _steps(way)
    for name, value in (way["fields"] or {}).items():
        yield ["Salesforce", name, _cell(value), ""]


def _home(line: dict[str, Any], way: dict[str, Any] | None, row: str) -> Iterator[list[object]]:
    if way is None:
        return
    where = f"({_ROW[RowSource.SENT] if way['assumed'] else row})"
    for at, (name, value) in enumerate(way["fields"].items()):
        yield ["Salesforce", name, _cell(value), "" if at else paint(where, DIM)]
    yield from _steps(way)
    if not way["problem"]:
        yield ["record", line["source"], _cell(way["value"]), ""]


def _steps(way: dict[str, Any]) -> Iterator[list[object]]:
    for step in way["steps"]:
        yield ["", step["name"], _cell(step["value"]), ""]


def _cell(value: Value) -> str:
    return paint("blank", DIM) if value in (None, "", []) else short(value, _WIDE)


def _refusal(way: dict[str, Any], what: str) -> Iterator[str]:
    problem = way["problem"]
    if problem:
        yield f"  {paint(what, BAD)}: {problem['field']}: {problem['reason']}"
        yield f"  what to do: {problem['fix']}"
