"""Parents first: which intents name which, and how deep each stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.salesforce.plans import Ancestry, ParentCycle, WriteIntent


def ancestry_of(intents: Sequence[WriteIntent]) -> Ancestry:
    """Each intent's parents among these, as far as they are named by key."""
    by_key = {(intent.object, intent.key): intent.ref for intent in intents}
    return {
        intent.ref: tuple(
            ref
            for parent in intent.parents
            if parent.id is None and parent.key is not None
            for ref in (by_key.get((parent.object, parent.key)),)
            if ref is not None and ref != intent.ref
        )
        for intent in intents
    }


def levels_of(
    intents: Sequence[WriteIntent], ancestry: Ancestry, bonds: Mapping[str, str]
) -> dict[str, int]:
    """How many must go before each; rows of one bond stand at one level."""
    whole = {intent.ref: bonds.get(intent.ref, intent.ref) for intent in intents}
    floors: dict[str, int] = {}
    above: dict[str, set[str]] = {}
    for intent in intents:
        one = whole[intent.ref]
        floors[one] = max(floors.get(one, 0), intent.level)
        ups = {whole[up] for up in ancestry[intent.ref]} - {one}
        above.setdefault(one, set()).update(ups)
    levels: dict[str, int] = {}
    while above:
        ready = [one for one, ups in above.items() if all(up in levels for up in ups)]
        if not ready:
            raise ParentCycle(ref for ref, one in whole.items() if one in above)
        for one in ready:
            levels[one] = max([floors[one], *(levels[up] + 1 for up in above.pop(one))])
    return {intent.ref: levels[whole[intent.ref]] for intent in intents}
