"""How this org is set up beyond the start state: switches and rules.

`org.yaml` in the data folder says what holds from the start and after a reset. What control calls
change since is kept beside it, for the next start.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from simulator.salesforce.rulebook import Rulebook
from simulator.salesforce.switches import Switches

FIRST_FILE, KEPT_FILE = "org.yaml", "arrangement.json"


class Arrangement:
    """The switches and rules of an org, kept in its folder."""

    def __init__(self, folder: Path, switches: Switches, rulebook: Rulebook) -> None:
        self._first = folder / FIRST_FILE
        self._kept = folder / KEPT_FILE
        self._switches = switches
        self._rulebook = rulebook

    def load(self) -> None:
        """Take up what was kept, or what the org starts with."""
        if self._kept.exists():
            self._become(orjson.loads(self._kept.read_bytes()))
        else:
            self.restore()

    def restore(self) -> None:
        """Go back to what the org starts with."""
        self._kept.unlink(missing_ok=True)
        text = self._first.read_text(encoding="utf-8") if self._first.exists() else ""
        self._become(yaml.safe_load(text) or {})

    def keep(self) -> None:
        """Write down what holds now."""
        rules = [
            {name: value for name, value in rule.items() if name != "id"}
            for rule in self._rulebook.listed()
        ]
        known = {"switches": self._switches.as_json(), "rules": rules}
        self._kept.write_bytes(orjson.dumps(known, option=orjson.OPT_INDENT_2))

    def _become(self, wanted: Mapping[str, Any]) -> None:
        self._switches.restore(Switches())
        self._switches.change(wanted.get("switches") or {})
        self._rulebook.clear()
        for rule in wanted.get("rules") or []:
            self._rulebook.add(rule)
