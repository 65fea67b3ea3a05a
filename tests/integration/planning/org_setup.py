"""What an admin of the org does in Setup, over its own APIs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.world import API, World


@dataclass(frozen=True)
class OrgSetup:
    """The Setup of a world's org."""

    world: World

    def changes(self, name: str, **metadata: Any) -> None:
        """A custom field gets other properties."""
        path = self._path(name)
        shown = self._ask("GET", path).json()["Metadata"]
        self._ask("PATCH", path, json={"Metadata": {**shown, **metadata}})

    def removes(self, name: str) -> None:
        """A custom field is deleted."""
        self._ask("DELETE", self._path(name))

    def renames(self, name: str, new: str) -> None:
        """A custom field is deleted, and made anew under another name with the same label."""
        shown = self._ask("GET", self._path(name)).json()["Metadata"]
        self.removes(name)
        full = f"{name.partition('.')[0]}.{new}"
        self._ask(
            "POST", "tooling/sobjects/CustomField", json={"FullName": full, "Metadata": shown}
        )
        self._grants(full)

    def lets_only_read(self, field: str) -> None:
        """The integration user may not edit a field any more."""
        for row in self.world.rows(f"SELECT Id FROM FieldPermissions WHERE Field = '{field}'"):
            self.world.agent_edits("FieldPermissions", row["Id"], PermissionsEdit=False)

    def _grants(self, field: str) -> None:
        (ours,) = self.world.rows("SELECT Id FROM PermissionSet WHERE Name = 'LINE_Connector'")
        self.world.agent_makes(
            "FieldPermissions",
            ParentId=ours["Id"],
            SobjectType=field.partition(".")[0],
            Field=field,
            PermissionsRead=True,
            PermissionsEdit=True,
        )

    def _path(self, name: str) -> str:
        object_name, _, field = name.partition(".")
        soql = (
            f"SELECT Id FROM CustomField WHERE TableEnumOrId = '{object_name}' "
            f"AND DeveloperName = '{field.removesuffix('__c')}'"
        )
        (row,) = self._ask("GET", "tooling/query", params={"q": soql}).json()["records"]
        return f"tooling/sobjects/CustomField/{row['Id']}"

    def _ask(self, method: str, path: str, **rest: Any) -> Any:
        return self.world._agent(method, f"{API}/{path}", **rest)
