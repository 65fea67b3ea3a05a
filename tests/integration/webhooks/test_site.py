"""Redirects, health, metrics, and the pages beside the API."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from connector.store.session import Store
from tests.conftest import Woken
from tests.integration.webhooks.site import Site
from webhooks.health import Health
from webhooks.web import Web


def look(site: Site, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{site.url}{path}", headers=headers, allow_redirects=False, timeout=20)


@pytest.mark.parametrize("code", ["7KQ2M9XR4TBD", "7kq2-m9xr-4tbd"])
def test_a_units_address_leads_to_the_page_that_registers_it(site: Site, code: str) -> None:
    answer = look(site, f"/r/{code}")
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://liff.example/200-abc/register/7KQ2M9XR4TBD"


def test_an_address_without_a_code_is_explained(site: Site) -> None:
    answer = look(site, "/r/hello", **{"Accept-Language": "ja"})
    assert answer.status_code == 404
    assert "製品コード" in answer.text


def test_the_process_lives(site: Site) -> None:
    answer = look(site, "/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_without_redis_work_is_accepted_all_the_same(site: Site) -> None:
    answer = look(site, "/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": {"postgres": "ok", "migrations": "ok", "redis": "down"},
    }


def test_without_postgres_nothing_is_accepted(web: Web) -> None:
    away = Store.open("postgresql+psycopg://nobody@127.0.0.1:1/none", Woken())
    checks = Health(Web(**{**vars(web), "store": away})).checks()
    assert (checks["postgres"], checks["migrations"]) == ("down", "down")


def test_an_unmigrated_database_is_not_ready(web: Web, store: Store) -> None:
    with store.engine.begin() as connection:
        was = connection.scalar(
            sa.text("UPDATE alembic_version SET version_num = 'x' RETURNING ''")
        )
    try:
        assert Health(web).checks()["migrations"] == "behind"
    finally:
        from connector.store import migrate

        with store.engine.begin() as connection:
            connection.execute(
                sa.text("UPDATE alembic_version SET version_num = :head"), {"head": migrate.head()}
            )
    assert was == ""


def test_the_stack_has_to_be_up_once(web: Web, tmp_path: Path) -> None:
    stack = tmp_path / "stack.json"
    settings = web.settings.model_copy(update={"stack_file": stack})
    health = Health(Web(**{**vars(web), "settings": settings}))
    assert health.checks()["stack"] == "starting"
    stack.write_text(json.dumps({"state": "starting"}))
    assert health.checks()["stack"] == "starting"
    stack.write_text(json.dumps({"state": "up"}))
    assert "stack" not in health.checks()
    stack.unlink()
    assert "stack" not in health.checks()


def test_metrics_tell_of_requests_events_and_queues(site: Site) -> None:
    site.deliver({"events": [{"type": "follow", "webhookEventId": "01J"}]})
    site.deliver({"events": [{"type": "follow", "webhookEventId": "01J"}]})
    site.get("/me")
    text = look(site, "/metrics").text
    assert 'connector_intake_events_total{outcome="new"} 1.0' in text
    assert 'connector_intake_events_total{outcome="known"} 1.0' in text
    assert 'connector_queue_rows{queue="inbox",state="ready"} 1.0' in text
    assert 'route="/liff/api/me",status="200"' in text


def test_ids_do_not_make_series_of_their_own(site: Site) -> None:
    look(site, "/r/7KQ2M9XR4TBD")
    look(site, "/nowhere/at/all")
    text = look(site, "/metrics").text
    assert "7KQ2M9XR4TBD" not in text
    assert 'route="/r/{code}"' in text
    assert "nowhere" not in text


def test_the_pages_are_served_beside_the_api(site: Site) -> None:
    answer = look(site, "/liff/bind")
    assert answer.status_code == 200
    assert "https://liff.example" in answer.headers["content-security-policy"]


def test_a_port_in_use_is_one_sentence_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        argv = [sys.executable, "-m", "webhooks", "--port", str(port)]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert (
        ended.stderr.strip()
        == f"port {port} is in use by another program; choose another with --port"
    )
