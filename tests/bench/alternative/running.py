"""The alternative as a process of its own, beside the platforms of a stack."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests

from tests.acceptance.stack import ROOT, plain_environment
from tests.acceptance.waiting import until
from tests.doors import free_port


@contextmanager
def by_hand(org_url: str, line_url: str, threads: int) -> Iterator[str]:
    """Where it answers, for the length of a block."""
    port = free_port()
    words = ["--port", str(port), "--threads", str(threads), "--org", org_url, "--line", line_url]
    command = [sys.executable, "-m", "tests.bench.alternative.app", *words]
    with served(command, port, plain_environment()) as url:
        yield url


@contextmanager
def served(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[str]:
    """A web process that lives as long as the block."""
    process = subprocess.Popen(command, cwd=ROOT, env=dict(environment))
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or _lives(url), f"{url} answers", 30)
        assert process.poll() is None, f"{command} ended with {process.returncode}"
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _lives(url: str) -> bool:
    try:
        return requests.get(f"{url}/livez", timeout=2).ok
    except requests.RequestException:
        return False
