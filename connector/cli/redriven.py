"""Bringing back at the command line: with progress, one first where that is asked for, and what came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from connector.cli import output
from connector.cli.progress import progress
from connector.sync.desk import canary, redriving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.store.session import Store
    from connector.sync.desk.canary import Sight
    from connector.sync.desk.stuck import Handle


@dataclass
class Redriven:
    """What was brought back, what was left, and how the canaries ended."""

    brought: int = 0
    left: int = 0
    canaries: list[tuple[Handle, Sight]] = field(default_factory=list)

    def all_of(self, store: Store, handles: Sequence[Handle], author: str) -> None:
        """Bring these back."""
        with progress(len(handles), "brought back") as shown:
            self.brought += redriving.redrive_these(store, handles, author, shown.show)

    def one_of_each_first(
        self, store: Store, groups: Sequence[Sequence[Handle]], author: str, timeout: float
    ) -> None:
        """Of each group one, and its others once that is through; all stay where no worker is."""
        left = list(groups)
        while left:
            first, rest = canary.choose(left.pop(0))
            sight = _release(store, first, author, timeout)
            self.canaries.append((first, sight))
            self.brought += 1
            if sight.ending is canary.Ending.THROUGH:
                self.all_of(store, rest, author)
                continue
            self.left += len(rest)
            if sight.untaken:
                self.left += sum(map(len, left))
                return

    def put(self, *, as_json: bool) -> int:
        """Tell it; the exit code is 1 where a canary did not get through."""
        held_back = [
            (handle, sight)
            for handle, sight in self.canaries
            if sight.ending is not canary.Ending.THROUGH
        ]
        if as_json:
            seen = [{"id": f"{h[0]}:{h[1]}", **asdict(sight)} for h, sight in self.canaries]
            output.put_json({"redriven": self.brought, "left": self.left, "canaries": seen})
            return 1 if held_back else 0
        for (what, wanted), sight in held_back:
            again = sight.ending is canary.Ending.STOPPED
            ended = "stands still again" if again else "is not through yet"
            said = output.paint(f"the canary {what}:{wanted} {ended}", output.BAD)
            output.put(f"{said}: {sight.reason or sight.state}")
            output.put(f"  what to do: {sight.next_step or 'See the reason.'}")
        left = f", {self.left} left as they are" if held_back else ""
        output.put(f"{self.brought} brought back{left}")
        return 1 if held_back else 0


def _release(store: Store, first: Handle, author: str, timeout: float) -> Sight:
    """Watch the canary; what it is at is told whenever that changes."""
    told: list[str] = []

    def tell(sight: Sight) -> None:
        said = f"{sight.state}: {sight.reason}" if sight.reason else sight.state
        if said not in told[-1:]:
            told.append(said)
            output.say(f"canary {first[0]}:{first[1]}  {said}")

    return canary.release(store, first, author, canary.Patience(seconds=timeout), tell)
