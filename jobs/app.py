"""The Celery app: three lanes, early acknowledgement, and a schedule that asks PostgreSQL what is due.

Messages are wake-ups without payload, so losing one loses nothing and there is nothing to
acknowledge late (decision 2).
"""

from __future__ import annotations

import gc
from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, setup_logging, worker_init, worker_ready
from kombu.exceptions import OperationalError

from connector.ground.readiness import tell_ready
from connector.logs import configure
from connector.settings import load_settings

# Redis hands out 0 first: behind a flood of wakes a sweep would expire, and then nothing ripens
FIRST, IN_TURN = 0, 3
_FRESH_OBJECTS = 100_000  # a batch of a thousand rows makes about as many

settings = load_settings()

app = Celery("connector", broker=settings.redis_url.get_secret_value(), include=["jobs.tasks"])
app.conf.update(
    timezone=settings.time_zone,  # of the schedule's nights
    task_ignore_result=True,
    task_acks_late=False,
    task_default_queue="normal",
    task_default_priority=IN_TURN,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_connection_timeout=2,
    broker_transport_options={
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
    },
    task_routes={
        "read": {"queue": "urgent"},
        "send": {"queue": "urgent"},
        "sweep": {"queue": "urgent"},
        "deliver.urgent": {"queue": "urgent"},
        "deliver.normal": {"queue": "normal"},
        "deliver.bulk": {"queue": "bulk"},
        "prune": {"queue": "bulk"},
        "audit": {"queue": "bulk"},
        "audit.all": {"queue": "bulk"},
        "reconcile": {"queue": "bulk"},
        "look.org": {"queue": "bulk"},
        "look.line": {"queue": "bulk"},
        "rehearse": {"queue": "bulk"},
    },
    beat_schedule={
        "sweep": {
            "task": "sweep",
            "schedule": timedelta(seconds=settings.sweep_seconds),
            "options": {"expires": 10, "priority": FIRST},
        },
        "prune": {
            "task": "prune",
            "schedule": timedelta(minutes=1),
            "options": {"expires": 50},
        },
        "audit": {
            "task": "audit",
            "schedule": timedelta(minutes=1),
            "options": {"expires": 50},
        },
        "audit.all": {
            "task": "audit.all",
            "schedule": crontab(hour="2", minute="40"),
            "options": {"expires": 3600},
        },
        "reconcile": {
            "task": "reconcile",
            "schedule": crontab(hour="3", minute="40"),
            "options": {"expires": 3600},
        },
        "look.org": {
            "task": "look.org",
            "schedule": timedelta(hours=1),
            "options": {"expires": 3000},
        },
        "rehearse": {
            "task": "rehearse",
            "schedule": timedelta(minutes=1),
            "options": {"expires": 50},
        },
        "look.line": {
            "task": "look.line",
            "schedule": timedelta(hours=1),
            "options": {"expires": 3000},
        },
    },
)


@setup_logging.connect
def _log_as_we_do(**_: Any) -> None:
    configure()


@worker_init.connect
def _warm_up(**_: Any) -> None:
    """Load what the first LINE user would otherwise wait for.

    What is loaded stays: were it looked through for garbage with each batch, that took a fifth of the work.
    Of what a batch loads nearly all goes without the collector, so it looks seldom.
    """
    for module in ("linebot.v3.messaging", "simple_salesforce", "jobs.tasks"):
        import_module(module)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_FRESH_OBJECTS)


@beat_init.connect
def _look_once(**_: Any) -> None:
    with suppress(OperationalError):  # Redis is not there yet; the schedule comes round
        app.send_task("look.line", expires=60)


@worker_ready.connect
@beat_init.connect
def _say_so(**_: Any) -> None:
    tell_ready()
