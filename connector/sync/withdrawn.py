"""Every kind of record there can be, those of forms that are not live any more among them."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from connector.domain.records import RecordSchema
from connector.mapping.documents.forms import FORMS, kinds, read_forms
from connector.store.tables import Published


def known_kinds(session: Session) -> Mapping[str, RecordSchema]:
    """The kinds by name; a form's as it was when it was last among the documents."""
    newest = (
        sa.select(Published.path, Published.text)
        .where(Published.path.startswith(FORMS), Published.text != "")
        .ext(distinct_on(Published.path))
        .order_by(Published.path, Published.id.desc())
    )
    forms, _, _ = read_forms({row.path: row.text for row in session.execute(newest)})
    return kinds(forms)
