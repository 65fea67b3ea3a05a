"""A field that a live mapping names, before and after the org changed, and what is found about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from connector.mapping.schema import FieldSchema, ObjectSchema
from connector.planning.drift.uses import Live, Use
from connector.store.tables import Drifted

_WIDE = 1000  # so that an edit stays on one line


@dataclass(frozen=True)
class Finding:
    """One change that touches one place of one mapping."""

    kind: Drifted
    subject: str
    line: int
    message: str
    effect: str
    proposal: str
    object: str
    was: FieldSchema | None = None
    record_type: str | None = None  # that was there


@dataclass(frozen=True)
class Change:
    """A field that one place names, before and now, within its object before and now."""

    live: Live
    use: Use
    was: FieldSchema
    before: ObjectSchema
    after: ObjectSchema

    @property
    def name(self) -> str:
        """The field as an admin says it."""
        return f"{self.use.object}.{self.was.name}"

    def finding(
        self, kind: Drifted, message: str, effect: str, proposal: str, value: str = ""
    ) -> Finding:
        """A finding about this field, or about one of its values."""
        own = self.use.object == self.live.mapping.object
        subject = self.was.name if own else self.name
        subject = f"{subject}: {value}" if value else subject
        place, of = self.use.place, self.use.object
        return Finding(kind, subject, place, message, effect, proposal, of, self.was)


def written(key: str, value: Any) -> str:
    """A key with its value, as it stands in a document."""
    told = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=_WIDE
    )
    return f"{key}: {told.removesuffix(chr(10)).removesuffix('...').strip()}"
