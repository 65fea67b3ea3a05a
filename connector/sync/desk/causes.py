"""The one thing that most keeps a record from being in step, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from connector.domain.faults import BY_ITSELF
from connector.domain.records import Kind
from connector.domain.states import EnvelopeState, MatchState, NoticeState, OutboxState, PairState
from connector.domain.values import Value, moment
from connector.mapping.parts.compiled import CompiledMapping, LineProblem
from connector.store.tables import Conflict, Outbox
from connector.sync.desk import rootcauses
from connector.sync.desk.explain import Holder, PairStory, Story
from connector.sync.veil import Veil

_CONSENT = "consents.service"
_STOPPED = (OutboxState.PARKED, OutboxState.DEAD)
_NOT_DELIVERED = {
    NoticeState.UNREACHABLE: "a message did not reach the person",
    NoticeState.EXPIRED: "a message was not sent in time",
    NoticeState.UNCERTAIN: "it is uncertain whether a message arrived",
}


@dataclass(frozen=True)
class Cause:
    """Why a record is not in step; `rule` is the kind of reason, `field` where it shows."""

    rule: str
    text: str
    next_step: str
    field: str | None = None
    value: Value = None
    mapping: str | None = None


_Look = Callable[[Story, Veil], Iterator[Cause]]


def cause_of(story: Story, veil: Veil) -> Cause | None:
    """The first reason that applies, the gravest first; None where the record is in step."""
    for look in _LOOKS:
        for cause in look(story, veil):
            return replace(cause, text=veil.text(cause.text, story.personal) or "")
    return None


def _open(story: Story) -> Iterator[PairStory]:
    return (each for each in story.pairs if each.pair.state is not PairState.CLOSED)


def _standing(story: Story, state: OutboxState) -> Iterator[PairStory]:
    return (each for each in _open(story) if each.intent and each.intent.state is state)


def _conflict(story: Story, veil: Veil) -> Iterator[Cause]:
    for each in _open(story):
        for conflict in each.conflicts:
            yield _of_line(each, conflict, veil)
        if each.pair.match is MatchState.CONFLICT:
            yield _of_match(story, each, veil)


def _of_line(each: PairStory, conflict: Conflict, veil: Veil) -> Cause:
    """A value that cannot be sent shows what was read or meant, a clash shows ours."""
    meant = conflict.ours if conflict.ours is not None else conflict.theirs
    shown = veil.fields(each.mapping, meant)
    value = _only(shown) if shown is not None else _pending_value(each, conflict.line, veil)
    return Cause(
        rule=conflict.kind,
        text=conflict.reason,
        next_step=conflict.next_step,
        field=conflict.line.removesuffix(":in"),
        value=value,
        mapping=each.pair.mapping,
    )


def _pending_value(each: PairStory, line: str, veil: Veil) -> Value:
    for pending in each.pending:
        if pending.line == line:
            return _only(veil.fields(each.mapping, pending.fields))
    return None


def _of_match(story: Story, each: PairStory, veil: Veil) -> Cause:
    source = each.mapping.match[0].source if each.mapping and each.mapping.match else None
    value = None if source is None else _shown(story, source, veil)
    row = each.intent
    return Cause(
        rule="match",
        text=(row.reason if row else None) or "it is not clear which row belongs to it",
        next_step=_back(row.next_step if row else None, each),
        field=source,
        value=value,
        mapping=each.pair.mapping,
    )


def _shown(story: Story, name: str, veil: Veil) -> Value:
    """A value of the record, as it may be shown."""
    return veil.value(story.record.kind, name, story.seen.get(name), story.schema)


def _parked(story: Story, veil: Veil) -> Iterator[Cause]:
    yield from (_of_intent("parked", each, veil) for each in _standing(story, OutboxState.PARKED))


def _dead(story: Story, veil: Veil) -> Iterator[Cause]:
    yield from (_of_intent("dead", each, veil) for each in _standing(story, OutboxState.DEAD))
    for notice, envelope in story.notices:
        if notice.state is NoticeState.DEAD:
            why = f"the message could not be sent: {envelope.reason or 'no reason is known'}"
            back = f"Then: connector dead redrive envelope:{envelope.id}"
            step = f"{envelope.next_step or 'Mend that.'} {back}"
            yield Cause("notice", why, step, notice.rule, envelope.state.value)


def _of_intent(rule: str, each: PairStory, veil: Veil) -> Cause:
    row = each.intent
    fault = (row.fault if row else None) or {}
    named = fault.get("fields")
    field = str(named[0]) if isinstance(named, list) and named else None
    value = None
    for pending in each.pending:
        if field in pending.fields or (field is None and pending.problem is not None):
            field = field or next(iter(pending.fields))
            shown = veil.fields(each.mapping, pending.fields)
            value = shown.get(field) if isinstance(shown, dict) else None
            break
    return Cause(
        rule=rule,
        text=rootcauses.in_words(each.pair.object, fault)
        or (row.reason if row else None)
        or f"it is {rule}",
        next_step=_back(row.next_step if row else None, each),
        field=field,
        value=value,
        mapping=each.pair.mapping,
    )


def _back(step: str | None, each: PairStory) -> str:
    told = step or "Mend what the reason says, then redrive."
    return f"{told} To bring it back: connector dead redrive pair:{each.pair.id}"


def _held(story: Story, veil: Veil) -> Iterator[Cause]:
    del veil
    for each in _standing(story, OutboxState.HELD):
        row = each.intent
        if row is not None:
            holder = story.holders.get(row.held_for) if row.held_for else None
            yield _of_hold(story, each, row, holder)


def _of_hold(story: Story, each: PairStory, row: Outbox, holder: Holder | None) -> Cause:
    """What it waits for, and why that one is not there; `field` is the one that must name it."""
    own = f"{story.record.kind}:{story.record.id}"
    named = holder.record if holder is not None and holder.record != own else None
    fields = [kin.parent.field for kin in each.parents if kin.record == named]
    text = row.reason or "it waits for another record"
    if named is not None and holder is not None and holder.standing in _STOPPED:
        text += f"; that one is {holder.standing.value}: {holder.reason or 'no reason is known'}"
    see = f" See: connector explain {named}" if named else ""
    return Cause(
        rule="held",
        text=text,
        next_step=f"{row.next_step or 'Nothing to do: it follows by itself.'}{see}",
        field=fields[0] if fields else None,
        value=holder.record if holder is not None else None,
        mapping=each.pair.mapping,
    )


def _waiting(story: Story, veil: Veil) -> Iterator[Cause]:
    del veil
    for each in _standing(story, OutboxState.WAITING):
        row = each.intent
        if row is not None:
            text = row.reason or "the last try failed"
            step, due = row.next_step or BY_ITSELF, moment(row.due)
            yield Cause("waiting", text, step, None, due, each.pair.mapping)


def _paused(story: Story, veil: Veil) -> Iterator[Cause]:
    del veil
    org = story.org
    if org is None or org.paused_until is None or org.paused_until <= story.now:
        return
    for each in _open(story):
        if each.intent is not None:
            text = f"the whole org rests: {org.reason or 'no reason is known'}"
            step = "Mend that; all goes on by itself."
            yield Cause("paused", text, step, None, moment(org.paused_until), each.pair.mapping)


def _under_way(story: Story, veil: Veil) -> Iterator[Cause]:
    del veil
    for each in _open(story):
        if each.intent is not None:
            state = each.intent.state
            text = "it is being written" if state is OutboxState.CLAIMED else "its turn comes soon"
            step = "Nothing to do; if it stays so, see the processes in: connector status"
            yield Cause("queue", text, step, None, state.value, each.pair.mapping)


def _inactive(story: Story, veil: Veil) -> Iterator[Cause]:
    paired = [each.mapping for each in _open(story) if each.mapping is not None]
    for mapping in [*paired, *story.unpaired]:
        if mapping.create == "salesforce" or mapping.when is None:
            continue
        try:
            if not mapping.active(story.seen):
                yield _of_when(story, mapping, veil)
        except LineProblem as problem:
            yield Cause(
                "when", problem.reason, problem.next_step, problem.field, None, mapping.name
            )


def _of_when(story: Story, mapping: CompiledMapping, veil: Veil) -> Cause:
    field = _decisive(story, mapping)
    value = _shown(story, field, veil) if field else None
    if story.record.kind == Kind.FRIEND and field == _CONSENT:
        return Cause(
            "consent",
            "the person has not given consent, so nothing of them goes to Salesforce",
            "They tap the consent button of the greeting, or give it in a form.",
            field,
            value,
            mapping.name,
        )
    text = f"the mapping applies only when {mapping.when.text if mapping.when else ''}"
    step = "Nothing to do if that is meant; else change the mapping's `when` and publish it."
    return Cause("when", text, step, field, value, mapping.name)


def _decisive(story: Story, mapping: CompiledMapping) -> str | None:
    """The yes-or-no value that alone would make the mapping apply, if there is one."""
    names = sorted(mapping.when_inputs)
    for name in names:
        other = {**story.seen, name: not story.seen.get(name)}
        try:
            if isinstance(story.seen.get(name), bool | None) and mapping.active(other):
                return name
        except LineProblem:
            continue
    return names[0] if names else None


def _unsent(story: Story, veil: Veil) -> Iterator[Cause]:
    """A message that is still owed keeps a record from being in step, too."""
    del veil
    for notice, envelope in story.notices:
        if notice.state is NoticeState.OWED and envelope.state is not EnvelopeState.EXPIRED:
            text = f"a message is still to be sent: {envelope.reason or 'its turn comes soon'}"
            step = envelope.next_step or BY_ITSELF
            yield Cause("message", text, step, notice.rule, envelope.state.value)


def _undelivered(story: Story, veil: Veil) -> Iterator[Cause]:
    """The newest message of each rule, where the person did not get it."""
    del veil
    newest = {notice.rule: (notice, envelope) for notice, envelope in story.notices}
    for notice, envelope in newest.values():
        if notice.state in _NOT_DELIVERED:
            text = (
                f"{_NOT_DELIVERED[notice.state]}: {envelope.reason or 'older than its rule allows'}"
            )
            step = envelope.next_step or "Nothing to do: nothing is sent any more."
            yield Cause("message", text, step, notice.rule, notice.state.value)


def _only(fields: Value) -> Value:
    """The one value there is, else all of them by field."""
    if isinstance(fields, dict) and len(fields) == 1:
        return next(iter(fields.values()))
    return fields


_LOOKS: tuple[_Look, ...] = (
    _conflict,
    _parked,
    _dead,
    _held,
    _waiting,
    _paused,
    _under_way,
    _inactive,
    _unsent,
    _undelivered,
)
