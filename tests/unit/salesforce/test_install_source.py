"""What is installed: one table, and the package and the folder made from it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from connector.salesforce.installation.content import ACCESS, FIELDS
from connector.salesforce.installation.installing import fix_for
from connector.salesforce.installation.source import package, source_files, write_source
from tests.unit.mapping.building import starter

ROOT = Path(__file__).parents[3]
EVERYTHING = [access.object for access in ACCESS]


def test_the_source_folder_is_fresh() -> None:
    folder = ROOT / "salesforce"
    places = [*folder.rglob("*-meta.xml"), folder / "sfdx-project.json"]
    kept = {place.relative_to(folder).as_posix(): place.read_text("utf-8") for place in places}
    remedy = "run: python -m connector.salesforce.installation.source salesforce"
    assert kept == dict(source_files()), remedy


def test_the_starter_mappings_need_nothing_beyond_what_is_granted() -> None:
    granted = {
        (access.object, name) for access in ACCESS for name in (*access.read, *access.written)
    }
    granted |= {(field.object, field.name) for field in FIELDS}
    # A street is granted with its address; nobody may be denied the others.
    granted |= {("WorkOrder", "Street"), ("Account", "Name"), ("Asset", "Name")}
    granted |= {("Case", "CaseNumber"), ("Case", "Status"), ("WorkOrder", "WorkOrderNumber")}
    granted |= {("Contact", "LastName"), ("Contact", "FirstName"), ("Product2", "Name")}
    granted |= {("Lead", "LastName"), ("Lead", "Company")}
    used = {
        (mapping.object, name)
        for mapping in starter().mappings.values()
        if mapping.enabled
        for name in (*mapping.fields, *(parent.field for parent in mapping.parents))
    }
    assert used
    assert used - granted == set()


def test_writing_the_folder_removes_what_is_no_longer_made(tmp_path: Path) -> None:
    old = tmp_path / "force-app" / "Old__c.field-meta.xml"
    old.parent.mkdir()
    old.write_text("<CustomField/>")
    write_source(tmp_path)
    assert not old.exists()
    assert (tmp_path / "sfdx-project.json").exists()


def test_the_package_names_all_that_it_holds() -> None:
    with zipfile.ZipFile(io.BytesIO(package(EVERYTHING))) as opened:
        manifest = opened.read("package.xml").decode()
        names = set(opened.namelist())
        for name in names:
            ET.fromstring(opened.read(name))
    assert all(f"<members>{field.full_name}</members>" in manifest for field in FIELDS)
    assert {f"objects/{name}.object" for name in EVERYTHING} < names


def test_a_package_for_an_org_without_work_orders_does_not_mention_them() -> None:
    with zipfile.ZipFile(io.BytesIO(package(["Lead", "Contact"]))) as opened:
        held = b"".join(opened.read(name) for name in opened.namelist())
    assert b"WorkOrder" not in held
    assert b"Lead.LINE_Key__c" in held


def test_a_package_carries_the_channel_only_where_there_is_something_to_carry() -> None:
    with zipfile.ZipFile(io.BytesIO(package(EVERYTHING, ["Case"]))) as opened:
        held = {name for name in opened.namelist() if "platformEvent" in name}
        manifest = opened.read("package.xml").decode()
    assert held == {
        "platformEventChannels/LINE_Connector__chn.platformEventChannel",
        "platformEventChannelMembers/LINE_Connector_chn_CaseChangeEvent.platformEventChannelMember",
    }
    assert "<members>LINE_Connector_chn_CaseChangeEvent</members>" in manifest
    with zipfile.ZipFile(io.BytesIO(package(EVERYTHING))) as opened:
        assert not [name for name in opened.namelist() if "platformEvent" in name]


def test_the_same_content_is_the_same_package() -> None:
    assert package(EVERYTHING) == package(EVERYTHING)


def test_every_object_gets_a_unique_key() -> None:
    keyed = {field.object for field in FIELDS if field.is_key}
    assert keyed == set(EVERYTHING)


@pytest.mark.parametrize(
    ("problem", "word"),
    [
        ("insufficient access rights on object id", "Modify Metadata"),
        ("Cannot change the type of this field while it is in use", "Object Manager"),
        ("You cannot deploy to a required field: Lead.X__c", "Required"),
        ("no CustomObject named WorkOrder found", "licences"),
        ("something quite new", "Deployment Status"),
    ],
)
def test_every_problem_has_a_way_to_mend_it(problem: str, word: str) -> None:
    assert word in fix_for(problem)
