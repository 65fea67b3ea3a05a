"""Of the many rows of an object, those that concern us: rows of pairs that differ from the base.

A million rows of no concern pass through here, so they are never made into dicts, nor looked up one
by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connector.domain.states import MatchState, PairState
from connector.domain.values import Fields, Value
from connector.salesforce.planner import KEY_FIELD
from connector.store.session import among
from connector.store.tables import Pair
from connector.sync.catalog import Catalog
from connector.sync.pairs import identity, weighing

Line: TypeAlias = Sequence[Any]  # one row, its values in the order of the page's names

FEW_PAIRS = 200_000  # so many ids are held in memory; beyond that each page asks for its own
_IDS_AT_ONCE = 5000
_PAIRS_AT_ONCE = 1000
_STANDING = (PairState.OPEN, PairState.GONE)

FOREIGN, IN_STEP, STUCK, UNKNOWN_KEY = "foreign", "in_step", "waiting_for_a_person", "unknown_key"


@dataclass(frozen=True)
class Sheet:
    """Rows as they were read; `values` makes a row's values what the API gives for it."""

    names: Sequence[str]
    lines: Sequence[Line]
    values: Callable[[Line], dict[str, Value]]


@dataclass
class Sieve:
    """Sorts the rows of one object; `creates`: rows of nobody become records."""

    catalog: Catalog
    object: str
    creates: bool
    counts: Counter[str] = field(default_factory=Counter)
    _known: set[str] | None = None

    def learn(self, session: Session) -> None:
        """Hold the ids of all pairs, where they are few."""
        here = sa.select(sa.func.count()).select_from(Pair).where(*_standing(self.object))
        if (session.scalar(here) or 0) <= FEW_PAIRS:
            ids = sa.select(Pair.salesforce_id).where(*_standing(self.object))
            self._known = {str(row) for row in session.scalars(ids)}

    def sift(self, session: Session, sheet: Sheet) -> Iterator[dict[str, Value]]:
        """The rows that concern us; the others are counted."""
        at_id = sheet.names.index("Id")
        known = self._known_of(session, at_id, sheet.lines)
        ours = [line for line in sheet.lines if line[at_id] in known]
        yield from self._differing(session, sheet, ours)
        if self.creates:
            strange = [line for line in sheet.lines if line[at_id] not in known]
            yield from map(sheet.values, strange)
            return
        self.counts[FOREIGN] += len(sheet.lines) - len(ours)
        if KEY_FIELD in sheet.names:
            at_key = sheet.names.index(KEY_FIELD)
            keyed = [line for line in sheet.lines if line[at_key] and line[at_id] not in known]
            yield from self._with_our_key(session, sheet, keyed, at_key)

    def _known_of(self, session: Session, at_id: int, lines: Sequence[Line]) -> Collection[str]:
        if self._known is not None:
            return self._known
        ids = [line[at_id] for line in lines]
        found: set[str] = set()
        for at in range(0, len(ids), _IDS_AT_ONCE):
            here = sa.select(Pair.salesforce_id).where(
                among(Pair.salesforce_id, ids[at : at + _IDS_AT_ONCE]),
                *_standing(self.object),
            )
            found.update(str(row) for row in session.scalars(here))
        return found

    def _differing(
        self, session: Session, sheet: Sheet, lines: Sequence[Line]
    ) -> Iterator[dict[str, Value]]:
        for at in range(0, len(lines), _PAIRS_AT_ONCE):
            rows = [sheet.values(line) for line in lines[at : at + _PAIRS_AT_ONCE]]
            pairs = _pairs(session, self.object, [str(row["Id"]) for row in rows])
            for row in rows:
                verdict = self._verdict(pairs.get(str(row["Id"]), ()), row)
                if verdict is None:
                    yield row
                else:
                    self.counts[verdict] += 1

    def _verdict(self, pairs: Collection[sa.Row[Any]], row: Fields) -> str | None:
        """Why the row needs no reading; None where it does."""
        if not pairs:
            return FOREIGN  # let go of since its id was learnt
        if all(pair.match is MatchState.CONFLICT for pair in pairs):
            return STUCK  # until a person decides, nothing of this row reaches LINE
        differs = identity.fate_of(row) is not None or any(
            differs_from_base(self.catalog, pair, row) for pair in pairs
        )
        return None if differs else IN_STEP

    def _with_our_key(
        self, session: Session, sheet: Sheet, lines: Sequence[Line], at_key: int
    ) -> Iterator[dict[str, Value]]:
        """Rows that a lost answer hides from their pairs; a key of nobody is only counted."""
        for at in range(0, len(lines), _PAIRS_AT_ONCE):
            page = lines[at : at + _PAIRS_AT_ONCE]
            here = sa.select(Pair.key).where(
                among(Pair.key, [line[at_key] for line in page]),
                Pair.state.in_(_STANDING),
                Pair.salesforce_id.is_(None),
            )
            keys = set(session.scalars(here))
            mine = [line for line in page if line[at_key] in keys]
            self.counts[UNKNOWN_KEY] += len(page) - len(mine)
            self.counts[FOREIGN] -= len(page)
            yield from map(sheet.values, mine)


def differs_from_base(catalog: Catalog, pair: sa.Row[Any], row: Fields) -> bool:
    """Whether a row says something new to its pair."""
    if pair.state is PairState.GONE:
        return True  # it came back
    mapping = catalog.mappings.get(pair.mapping)
    if mapping is None or not mapping.enabled or pair.match is MatchState.CONFLICT:
        return False
    return not weighing.equals_base(mapping, pair.base, row)


def _pairs(session: Session, name: str, ids: Sequence[str]) -> dict[str, list[sa.Row[Any]]]:
    columns: Sequence[Any] = (Pair.salesforce_id, Pair.mapping, Pair.base, Pair.match, Pair.state)
    here = sa.select(*columns).where(among(Pair.salesforce_id, ids), *_standing(name))
    found: dict[str, list[sa.Row[Any]]] = {}
    for pair in session.execute(here):
        found.setdefault(str(pair.salesforce_id), []).append(pair)
    return found


def _standing(name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Pair.object == name,
        Pair.salesforce_id.is_not(None),
        Pair.state.in_(_STANDING),
        ~Pair.adopted,
    )
