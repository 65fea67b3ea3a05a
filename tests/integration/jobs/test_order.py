"""What the workers are handed, and in which order, on a real Redis."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from connector.ground import ports
from connector.ground.redis import Redis
from tests.acceptance.stack import ROOT, plain_environment

# In a process of its own, for the app reads its settings when it is imported.
FLOOD = """
from celery.beat import Scheduler
from jobs.app import app
from jobs.tasks import TASKS
for _ in range(50):
    for task in TASKS.values():
        task.apply_async()
beat = Scheduler(app, lazy=True)
beat.setup_schedule()
beat.apply_async(beat.schedule["sweep"], advance=False)
with app.connection_for_read() as connection:
    channel = connection.default_channel
    print(*(channel.basic_get("urgent").headers["task"] for _ in range(2)))
"""

ASKED = """
from jobs.app import app
from jobs.tasks import on_the_way
from jobs.wake import _publish
def waiting():
    with app.connection_for_read() as connection:
        return connection.default_channel._size("urgent")
for _ in range(20):
    _publish("read")
print(waiting())
on_the_way.end("read")
_publish("read")
_publish("send")
print(waiting())
"""


def test_a_sweep_goes_before_a_flood_of_wakes(tmp_path: Path) -> None:
    assert said(FLOOD, tmp_path) == ["sweep", "read"]


def test_while_a_wake_waits_for_a_worker_no_other_of_its_queue_is_sent(tmp_path: Path) -> None:
    assert said(ASKED, tmp_path) == ["1", "3"]


def said(program: str, home: Path) -> list[str]:
    """What a program prints that has a Redis of its own."""
    with Redis(home, ports.choose()).running() as server:
        settings = {
            "CONNECTOR_REDIS_URL": server.url,
            "CONNECTOR_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
            "CONNECTOR_SECRET_KEY": "0" * 32,
        }
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**plain_environment(), **settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
