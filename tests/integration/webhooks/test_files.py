"""`POST /liff/api/files`, and the forms that name what was uploaded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
import sqlalchemy as sa

from connector.members import expiry
from connector.store.session import Store
from connector.store.tables import File, FileContent, Unit
from tests.integration.webhooks.site import Site
from tests.integration.webhooks.test_liff_api import problem, repair, rows, unit
from tests.pictures import PLACE, heic, jpeg, png

__all__ = ["unit"]
MOST = 10 * 1024 * 1024


def upload(
    site: Site,
    content: bytes = jpeg(),
    name: str = "IMG 1.JPEG",
    *,
    who: str = "token-ann",
    key: str | None = None,
    field: str = "file",
) -> requests.Response:
    headers = {"Authorization": f"Bearer {who}", "Accept-Language": "en"}
    if key:
        headers["Idempotency-Key"] = key
    parts: Any = {"note": (None, "hello"), field: (name, content, "application/octet-stream")}
    url = f"{site.url}/liff/api/files"
    return requests.post(url, files=parts, headers=headers, timeout=20)


def uploaded(site: Site, **more: str) -> str:
    return str(upload(site, **more).json()["file_id"])  # type: ignore[arg-type]


def errors(answer: requests.Response) -> Sequence[tuple[str, str]]:
    return [(each["field"], each["code"]) for each in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (jpeg(), "../照片.PNG", ("照片.jpg", "image/jpeg")),
        (png(), "a.b", ("a.png", "image/png")),
        (heic(), "", ("file.heic", "image/heic")),
    ],
)
def test_a_picture_is_kept_without_what_the_camera_noted(
    site: Site, store: Store, content: bytes, name: str, told: tuple[str, str]
) -> None:
    answer = upload(site, content, name)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert set(body) == {"file_id", "name", "content_type", "size"}
    assert (body["name"], body["content_type"]) == told
    with store.reading() as session:
        kept = session.scalars(sa.select(FileContent.content)).one()
    assert len(kept) == body["size"]
    assert PLACE not in kept


def test_the_same_upload_again_is_one_file(site: Site, store: Store) -> None:
    key = str(uuid4())
    first, again = upload(site, key=key), upload(site, key=key)
    assert first.json() == again.json()
    problem(upload(site, png(), key=key), 422, "idempotency_mismatch")
    assert rows(store, File) == 1


@pytest.mark.parametrize(
    ("content", "field", "code"),
    [
        (b"%PDF-1.7", "file", "file_type"),
        (b"", "file", "required"),
        (jpeg()[:-6], "file", "file_damaged"),
        (jpeg(), "photo", "required"),
    ],
)
def test_what_is_no_whole_picture_is_refused(
    site: Site, store: Store, content: bytes, field: str, code: str
) -> None:
    answer = upload(site, content, field=field)
    problem(answer, 422, "invalid")
    assert errors(answer) == [("file", code)]
    assert rows(store, File) == 0


def test_a_picture_may_have_ten_megabytes_and_no_more(site: Site) -> None:
    room = MOST - len(jpeg())
    assert upload(site, jpeg(behind=bytes(room))).status_code == 201
    problem(upload(site, jpeg(behind=bytes(room + 1))), 413, "too_large")
    problem(upload(site, jpeg(behind=bytes(MOST))), 413, "too_large")


def test_who_is_not_vouched_for_uploads_nothing(site: Site, store: Store) -> None:
    problem(upload(site, who="nonsense"), 401, "token_invalid")
    problem(site.post("/files", {"file": "x"}), 422, "invalid")
    assert rows(store, File) == 0


def test_a_repair_request_has_its_photos_in_order(site: Site, store: Store) -> None:
    site.bind()
    photos = [uploaded(site) for _ in range(5)]
    asked = site.post("/repair-requests", repair(photos=photos)).json()
    with store.reading() as session:
        here = sa.select(File).order_by(File.place)
        found = [(str(file.id), str(file.record_id), file.role) for file in session.scalars(here)]
    assert found == [(each, asked["repair_request_id"], "photos") for each in photos]


@pytest.mark.parametrize(
    ("photos", "code"),
    [
        ("nonsense", "unknown_file"),
        ([str(uuid4())], "unknown_file"),
        ([7], "unknown_file"),
        ([str(uuid4())] * 6, "too_many_files"),
    ],
)
def test_photos_that_are_not_there_are_refused(site: Site, photos: object, code: str) -> None:
    site.bind()
    answer = site.post("/repair-requests", repair(photos=photos))
    problem(answer, 422, "invalid")
    assert errors(answer) == [("photos", code)]


def test_a_file_is_its_uploaders_and_is_used_once(site: Site) -> None:
    site.bind()
    mine, theirs = uploaded(site), uploaded(site, who="token-bob")
    assert errors(site.post("/repair-requests", repair(photos=[theirs]))) == [
        ("photos", "unknown_file")
    ]
    assert errors(site.post("/repair-requests", repair(photos=[mine, mine]))) == [
        ("photos", "file_used")
    ]
    assert site.post("/repair-requests", repair(photos=[mine])).status_code == 201
    assert errors(site.post("/repair-requests", repair(photos=[mine]))) == [("photos", "file_used")]


def test_a_registration_has_one_proof_and_may_be_sent_again(
    site: Site, store: Store, unit: Unit
) -> None:
    proof = uploaded(site)
    form = {"code": unit.code, "purchased_on": "2026-11-01", "proof": proof}
    two = {**form, "proof": [proof, uploaded(site)]}
    assert errors(site.post("/registrations", two)) == [("proof", "too_many_files")]
    first = site.post("/registrations", form)
    again = site.post("/registrations", form)
    assert (first.status_code, again.status_code) == (201, 200)
    with store.reading() as session:
        file = session.get_one(File, proof)
    assert (str(file.record_id), file.role) == (first.json()["registration_id"], "proof")


def test_what_no_form_names_is_gone_after_a_day(site: Site, store: Store) -> None:
    site.bind()
    site.post("/repair-requests", repair(photos=[uploaded(site)]))
    uploaded(site)
    now = datetime.now(UTC)
    for later, left in ((timedelta(hours=23), 2), (timedelta(hours=25), 1)):
        with store.transaction() as session:
            expiry.clear(session, now + later)
        assert (rows(store, File), rows(store, FileContent)) == (left, left)
