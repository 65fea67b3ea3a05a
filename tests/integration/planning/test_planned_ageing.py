"""What drift and rehearsals leave behind goes by its age; what is open stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from connector.store.session import Store
from connector.store.tables import Contrast, Contrasted, Drift, Drifted, Rehearsal
from connector.sync.privacy.retention import Retention

LONG_AGO = datetime.now(UTC) - timedelta(days=800)
TOLD = dict.fromkeys(("mapping", "object", "message", "effect", "proposal"), "")


def test_what_is_over_is_deleted_and_what_is_open_stays(store: Store) -> None:
    with store.transaction() as session:
        for subject, closed in (("over", LONG_AGO), ("open", None)):
            told = {"version": 1, "line": 1, "kind": Drifted.TYPE, "subject": subject, **TOLD}
            session.add(Drift(found_at=LONG_AGO, closed_at=closed, **told))
            rehearsal = Rehearsal(
                texts={},
                author="amy",
                reason=subject,
                begun_at=LONG_AGO,
                until=LONG_AGO,
                ended_at=closed,
                history_place=0,
                attempt_place=0,
            )
            session.add(rehearsal)
            session.flush()
            found = {"kind": Contrast.DIFFERS, "inbound": False, "times": 1, "examples": []}
            place = {"rehearsal_id": rehearsal.id, "mapping": "", "line": ""}
            session.add(Contrasted(last_at=LONG_AGO, **place, **found))
    assert Retention(store).turn() == {"drifts": 1, "rehearsals": 1}
    with store.reading() as session:
        assert session.scalars(sa.select(Drift.subject)).all() == ["open"]
        (left,) = session.scalars(sa.select(Rehearsal))
        assert session.scalars(sa.select(Contrasted.rehearsal_id)).all() == [left.id]
        assert left.reason == "open"
