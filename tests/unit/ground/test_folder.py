"""The data folder: made, taken again, or left alone."""

from __future__ import annotations

import json
import socket
import stat
from typing import TYPE_CHECKING

import pytest

from connector.errors import EnvironmentProblem
from connector.ground import folder, ports
from connector.ground.secret import kept_secret

if TYPE_CHECKING:
    from pathlib import Path


def refused(path: Path, *, fresh: bool = False) -> EnvironmentProblem:
    with pytest.raises(EnvironmentProblem) as caught, folder.held(path, fresh=fresh):
        pass
    assert caught.value.exit_code == 2
    return caught.value


def test_an_absent_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with folder.held(tmp_path / "a" / "b", fresh=False) as ours:
        assert stat.S_IMODE(ours.path.stat().st_mode) == 0o700


def test_a_folder_of_ours_is_taken_again(tmp_path: Path) -> None:
    with folder.held(tmp_path / "data", fresh=False) as ours:
        key = ours.secret_key
    with folder.held(tmp_path / "data", fresh=False) as ours:
        assert ours.secret_key == key


@pytest.mark.parametrize("fresh", [False, True])
def test_a_foreign_folder_is_refused_and_untouched(tmp_path: Path, *, fresh: bool) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    assert refused(tmp_path, fresh=fresh).code == "foreign_folder"
    assert [place.name for place in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("marker", ["", "[]", "{}", '{"made_by": "another", "format": 1}', "{"])
def test_a_marker_that_is_not_ours_does_not_make_it_ours(tmp_path: Path, marker: str) -> None:
    (tmp_path / folder.MARKER).write_text(marker)
    assert refused(tmp_path, fresh=True).code == "foreign_folder"


def test_a_newer_folder_is_refused_but_may_begin_anew(tmp_path: Path) -> None:
    newer = {"made_by": folder.MAKER, "format": folder.FORMAT + 1}
    (tmp_path / folder.MARKER).write_text(json.dumps(newer))
    assert refused(tmp_path).code == "newer_folder"
    with folder.held(tmp_path, fresh=True) as ours:
        ours.erase()
    with folder.held(tmp_path, fresh=False):
        pass


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert refused(tmp_path / "data").code == "not_a_folder"


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    problem = refused(tmp_path / "file" / "data")
    assert problem.code == "data_refused"
    assert "cannot be written" in problem.message


def test_one_folder_serves_one_stack(tmp_path: Path) -> None:
    with folder.held(tmp_path / "data", fresh=False):
        assert refused(tmp_path / "data", fresh=True).code == "already_running"


def test_erasing_leaves_an_empty_folder_of_ours(tmp_path: Path) -> None:
    with folder.held(tmp_path / "data", fresh=True) as ours:
        (ours.logs / "web.log").write_text("old")
        (ours.path / "outside").symlink_to(tmp_path)
        ours.erase()
        assert {place.name for place in ours.path.iterdir()} == {folder.MARKER, folder.LOCK}
    assert tmp_path.exists()


def test_a_chosen_port_is_kept_until_it_is_taken(tmp_path: Path) -> None:
    with folder.held(tmp_path / "data", fresh=False) as ours:
        port = ours.port("postgres", range(8400, 8410))
        assert ours.port("postgres", range(8400, 8410)) == port
        with socket.create_server((ports.HOST, port)):
            other = ours.port("postgres", range(8400, 8410))
        assert other != port
        assert ours.port("postgres", range(other, other + 10)) != other


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    secret = kept_secret(tmp_path / "key")
    assert len(secret) >= 40
    assert kept_secret(tmp_path / "key") == secret
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
