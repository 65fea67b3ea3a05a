"""The table of a run: faults and how long each took to get over, what was sent, the verdict."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.chaos.diary import Diary
from tests.chaos.faults import Strike
from tests.chaos.findings import Findings

SHOWN = 12


@dataclass
class Report:
    """What a run came to."""

    seconds: float
    strikes: Sequence[Strike]
    diary: Diary
    findings: Findings
    ledger: Mapping[str, Any] = field(default_factory=dict)
    told: tuple[int, int] = (0, 0)  # edits with a message of their own, of those that promise one

    @property
    def hits(self) -> tuple[int, int]:
        """Kills while something was claimed, of all kills."""
        kills = [strike for strike in self.strikes if strike.claimed is not None]
        return sum(1 for strike in kills if strike.claimed), len(kills)

    def by_kind(self) -> dict[str, list[Strike]]:
        """The strikes of each kind."""
        found: defaultdict[str, list[Strike]] = defaultdict(list)
        for strike in self.strikes:
            found[strike.kind].append(strike)
        return dict(sorted(found.items()))

    def text(self) -> str:
        """All of it, for people."""
        return "\n".join([*self._faults(), "", *self._sent(), "", *self._verdict()])

    def _faults(self) -> list[str]:
        head = ("fault", "times", "while claimed", "left claims", "recovery p50", "max")
        lines = ["{:26}{:>7}{:>15}{:>13}{:>14}{:>9}".format(*head)]
        for kind, strikes in self.by_kind().items():
            kills = [strike for strike in strikes if strike.claimed is not None]
            hits = f"{sum(1 for each in kills if each.claimed)} of {len(kills)}" if kills else "-"
            left = str(sum(each.orphaned or 0 for each in kills)) if "worker" in kind else "-"
            taken = [each.recovered for each in strikes if each.recovered is not None]
            p50 = f"{statistics.median(taken):.1f} s" if taken else "-"
            longest = f"{max(taken):.1f} s" if taken else "-"
            lines.append(f"{kind:26}{len(strikes):>7}{hits:>15}{left:>13}{p50:>14}{longest:>9}")
        hits, kills = self.hits
        share = f"{100 * hits / kills:.0f} %" if kills else "no kill"
        unmet = [strike.kind for strike in self.strikes if not strike.met]
        told = f"; not noticed by any call: {', '.join(unmet)}" if unmet else ""
        return [*lines, f"kills while something was claimed: {hits} of {kills} ({share}){told}"]

    def _sent(self) -> list[str]:
        sent = self.diary.sent
        kinds = ", ".join(f"{number} {kind}" for kind, number in sent.most_common())
        edits: defaultdict[str, int] = defaultdict(int)
        for edit in self.diary.edits:
            edits[f"{edit.object}.{edit.field}"] += 1
        made = ", ".join(f"{number} {name}" for name, number in sorted(edits.items()))
        own, promised = self.told
        return [
            f"{sent.total()} events and forms of {len(self.diary.people)} people, {self.seconds:.0f} s",
            f"    {kinds}",
            f"{len(self.diary.edits)} Salesforce edits",
            f"    {made}",
            f"{self.diary.redelivered} redeliveries, {self.diary.repeated} forms sent again",
            f"{own} of {promised} edits had a message of their own, the others a later one",
        ]

    def _verdict(self) -> list[str]:
        looked = ", ".join(f"{count} {what}" for what, count in self.findings.looked_at.items())
        classes = {name: number for name, number in self.ledger.items() if name != "by_hour"}
        lines = [f"looked at: {looked}", f"ledger: {classes}"]
        for kind, wrong in self.findings.wrong.items():
            lines.append(f"{len(wrong):>5} {kind}")
            lines += [f"        {what}" for what in wrong[:SHOWN]]
        return [*lines, "clean" if self.findings.clean else "NOT CLEAN"]

    def facts(self) -> dict[str, Any]:
        """All of it, for programs."""
        hits, kills = self.hits
        return {
            "seconds": round(self.seconds, 1),
            "faults": [asdict(strike) for strike in self.strikes],
            "kills": kills,
            "kills_while_claimed": hits,
            "sent": dict(self.diary.sent),
            "edits": len(self.diary.edits),
            "redelivered": self.diary.redelivered,
            "forms_sent_again": self.diary.repeated,
            "edits_told": {"own_message": self.told[0], "promised": self.told[1]},
            "looked_at": self.findings.looked_at,
            "wrong": {kind.value: wrong for kind, wrong in self.findings.wrong.items()},
            "ledger": {name: found for name, found in self.ledger.items() if name != "by_hour"},
            "clean": self.findings.clean,
        }
