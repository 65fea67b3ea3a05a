"""Claims kept alive while work goes on: before each call, and in long work by a thread of their own.

A worker that dies renews nothing any more, so its claims run out as everywhere.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType

import structlog
from sqlalchemy.exc import SQLAlchemyError

from connector.store.session import Store
from connector.store.tables import Outbox
from connector.sync import outbox

log = structlog.get_logger()

_TIMES_A_LEASE = 3


class KeptClaims:
    """The claims of one piece of work, taken portion by portion; used as a `with` block."""

    def __init__(self, store: Store, lease: timedelta) -> None:
        self._store = store
        self._lease = lease
        self._rest = lease.total_seconds() / _TIMES_A_LEASE
        self._portions: list[Sequence[Outbox]] = []
        self._held_at = time.time()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="claims", daemon=True)

    def __enter__(self) -> KeptClaims:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def keep(self, claimed: Sequence[Outbox], *, watch: bool) -> None:
        """Renew these claims whenever asked to, and where `watch` says so by themselves."""
        with self._lock:
            self._held_at = time.time() if not self._portions else self._held_at
            self._portions.append(claimed)
        if watch and not self._thread.is_alive():
            self._thread.start()

    def renew(self) -> None:
        """Hold all claims for a lease from now, or raise `ClaimsLost` when none is left.

        In the first third of the lease they are held anyhow, and each renewal rewrites every row.
        """
        with self._lock:
            if self._is_fresh():
                return
            self._held_at = time.time()
            self._portions = [portion for portion in self._portions if self._renew(portion)]
            if not self._portions:
                raise outbox.ClaimsLost

    def let_go(self, claimed: Sequence[Outbox]) -> None:
        """Leave these claims alone: they are about to be settled, and none is being renewed now."""
        with self._lock:
            self._portions = [portion for portion in self._portions if portion is not claimed]

    def _is_fresh(self) -> bool:
        """By the clock that goes on while a machine is suspended; one that was set back tells nothing."""
        return 0 <= time.time() - self._held_at < self._rest

    def _watch(self) -> None:
        while not self._over.wait(self._rest):
            try:
                self.renew()
            except outbox.ClaimsLost:
                return
            except SQLAlchemyError as error:
                log.warning("claims not renewed", error=type(error).__name__)

    def _renew(self, claimed: Sequence[Outbox]) -> bool:
        """Whether any of a portion is still ours."""
        try:
            with self._store.transaction() as session:
                outbox.renew(session, claimed, self._lease)
        except outbox.ClaimsLost:
            return False
        return True
