"""The stack file: found by other commands while its stack runs, and only then."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from connector.errors import EnvironmentProblem
from connector.ground import child
from connector.ground.stack import Stack, StackPart, load_stack, read_stack, stack_file, write_stack

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    (tmp_path / "run").mkdir()
    return Stack(
        state="up",
        pid=os.getpid(),
        birth=child.birth(os.getpid()) or "",
        data=str(tmp_path),
        connector_url="http://127.0.0.1:8400",
        line_simulator_url=None,
        salesforce_simulator_url=None,
        line_credentials_url=None,
        salesforce_credentials_url=None,
        database_url="postgresql+psycopg://connector:secret@127.0.0.1:1/connector",
        redis_url="redis://:secret@127.0.0.1:2/0",
        environment={"CONNECTOR_SECRET_KEY": "secret"},
        parts=(StackPart("web", "running", 1, "2", 0, None, "web.log", 15),),
    )


def test_what_was_written_is_read(stack: Stack, tmp_path: Path) -> None:
    write_stack(stack, stack_file(tmp_path))
    assert read_stack(tmp_path) == stack


@pytest.mark.parametrize("change", [{"birth": "0"}, {"state": "stopped"}])
def test_a_stack_that_does_not_run_is_not_found(
    stack: Stack, tmp_path: Path, change: dict[str, str]
) -> None:
    write_stack(replace(stack, **change), stack_file(tmp_path))  # type: ignore[arg-type]
    with pytest.raises(EnvironmentProblem, match="no connector runs on"):
        read_stack(tmp_path)


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"parts": []}', '{"parts": [{"a": 1}]}'])
def test_a_file_that_says_nothing_is_no_stack(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "stack.json").write_text(text)
    assert load_stack(tmp_path / "stack.json") is None


def test_an_ended_stack_keeps_no_secret(stack: Stack) -> None:
    assert "secret" not in repr(stack.ended()).lower()
