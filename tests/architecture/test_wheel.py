"""What is shipped."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.project import ROOMS, ROOT, files

BUILD = "import sys, hatchling.build as b; print(b.build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel of this checkout, built without a network."""
    home = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-c", BUILD, str(home)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = home.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if not name.endswith("/")}


def test_the_wheel_holds_exactly_our_rooms(contents: set[str]) -> None:
    tops = {name.split("/")[0] for name in contents}
    info = {top for top in tops if top.endswith(".dist-info")}
    assert tops - info == set(ROOMS)
    assert len(info) == 1


def test_the_wheel_holds_every_file_of_the_rooms_and_no_other(contents: set[str]) -> None:
    shipped = {name for name in contents if ".dist-info/" not in name}
    kept = {place.as_posix() for place in files() if place.parts[0] in ROOMS}
    assert shipped == kept


def test_every_folder_of_code_is_a_package() -> None:
    code = {place.parent for place in files() if place.suffix == ".py" and place.parts[0] in ROOMS}
    bare = [str(folder) for folder in sorted(code) if not (ROOT / folder / "__init__.py").exists()]
    assert bare == []


def test_the_command_is_declared() -> None:
    assert (Path(sys.executable).with_name("connector")).exists()
