"""The Pub/Sub stubs: fresh, the same in both rooms, and in the protocol's own names and numbers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from connector.salesforce.eventbus import pubsub_api_pb2

ROOT = Path(__file__).parents[2]
ROOMS = [ROOT / room / "salesforce" / "eventbus" for room in ("connector", "simulator")]
OFFICIAL = ROOT.parent / "shared/contracts/salesforce/pubsub/pubsub_api.proto"
BLOCK = re.compile(r"^\s*(message|enum) (\w+) \{(.*?)^\s*\}", re.MULTILINE | re.DOTALL)
MEMBER = re.compile(r"^\s*(?:(repeated )?([\w.]+) )?(\w+) = (\d+);", re.MULTILINE)
CALL = re.compile(r"rpc (\w+) ?\((stream )?(\w+)\) returns \((stream )?(\w+)\)")


def test_both_rooms_hold_the_same_protocol() -> None:
    ours, theirs = ((room / "pubsub_api.proto").read_text("utf-8") for room in ROOMS)
    assert ours == theirs


@pytest.mark.parametrize("room", ROOMS, ids=["connector", "simulator"])
def test_the_stubs_are_fresh(room: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{room}", f"--python_out={tmp_path}"]
    source = str(room / "pubsub_api.proto")
    subprocess.run([*command, f"--pyi_out={tmp_path}", source], check=True)
    for made in tmp_path.iterdir():
        assert (room / made.name).read_bytes() == made.read_bytes(), "run `make stubs`"


def parts(text: str) -> dict[str, set[tuple[str, ...]]]:
    plain = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
    found = {name: set(MEMBER.findall(body)) for _, name, body in BLOCK.findall(plain)}
    return {**found, "calls": set(CALL.findall(plain))}


@pytest.mark.skipif(not OFFICIAL.is_file(), reason="the protocol file is not beside the checkout")
def test_names_and_numbers_are_those_of_the_protocol() -> None:
    ours = parts((ROOMS[0] / "pubsub_api.proto").read_text("utf-8"))
    assert ours == parts(OFFICIAL.read_text("utf-8"))
    assert len(ours["calls"]) == len(pubsub_api_pb2.DESCRIPTOR.services_by_name["PubSub"].methods)
