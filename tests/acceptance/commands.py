"""The command line, as another program uses it."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector.bootstrap import load_settings
from connector.cli.deployment import Deployment
from connector.cli.status import look
from connector.ground.stack import read_stack
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

    def glance(self) -> dict[str, Any]:
        """What `connector status` says, for those who ask again and again: no program is started."""
        stack = read_stack(self.data)
        with pytest.MonkeyPatch.context() as environment:
            for name in {*os.environ, *stack.environment}:
                if name.startswith("CONNECTOR_"):
                    environment.delenv(name, raising=False)
            for name, value in stack.environment.items():
                environment.setenv(name, value)
            settings = load_settings()
        with closing(Deployment(settings, stack)) as here:
            found: dict[str, Any] = json.loads(json.dumps(look(here), default=str))
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
