"""The command line, as another program uses it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.stack import CONNECTOR, ROOT, plain_environment


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it said on stdout."""
        try:
            return json.loads(self.out)
        except ValueError:
            raise AssertionError(
                f"not JSON (exit {self.code}): {self.out!r} {self.err!r}"
            ) from None


@dataclass(frozen=True)
class Cli:
    """`connector … --data`, from the checkout."""

    data: Path

    def run(self, *words: str, as_json: bool = True, data: bool = True) -> Said:
        """Run one command to its end."""
        argv = [str(CONNECTOR), *words]
        argv += ["--json"] if as_json else []
        argv += ["--data", str(self.data)] if data else []
        done = subprocess.run(
            argv,
            cwd=ROOT,
            env=plain_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def ask(self, *words: str) -> Any:
        """The JSON answer of a command that must succeed."""
        said = self.run(*words)
        assert said.code == 0, f"connector {' '.join(words)}: {said}"
        return said.json

    def status(self) -> dict[str, Any]:
        """`connector status`."""
        found: dict[str, Any] = self.ask("status")
        return found

    def codes(self, product: str, count: int = 1) -> list[dict[str, Any]]:
        """New codes for a product."""
        made = self.ask("codes", "create", "--product", product, "--count", str(count))
        codes: list[dict[str, Any]] = made["codes"]
        return codes

    def explain(self, what: str) -> dict[str, Any]:
        """The story of a record; one with a finding ends with 1, and is a story all the same."""
        said = self.run("explain", what)
        assert said.code in {0, 1}, said
        story: dict[str, Any] = said.json
        return story
