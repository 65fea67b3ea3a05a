"""The JSON schemas of mappings and forms, for completion and checking in editors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from connector.domain.records import SCHEMAS
from connector.mapping.documents.document import MappingDocument
from connector.mapping.documents.formchecks import NAME
from connector.mapping.documents.formdocument import FormDocument
from connector.mapping.transforms import transform_names


def mapping_schema() -> str:
    """The text of `mappings/schema.json`."""
    schema = MappingDocument.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Mapping of a LINE record to a Salesforce object"
    # A form's kind is called like its file, which no schema can know.
    schema["properties"]["from"]["anyOf"] = [
        {"enum": sorted(SCHEMAS)},
        {"pattern": f"^{NAME.pattern}$"},
    ]
    _name_transforms(schema["$defs"]["FieldLine"]["properties"]["transform"])
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def form_schema() -> str:
    """The text of `mappings/forms.schema.json`."""
    schema = FormDocument.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Form that LINE users fill in"
    schema["$defs"]["FieldSpec"]["properties"]["name"]["pattern"] = f"^{NAME.pattern}$"
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _name_transforms(transform: dict[str, object]) -> None:
    """A transform is one of the names that are registered, or such a name with its argument."""
    name = {"enum": list(transform_names())}
    call = {"maxProperties": 1, "minProperties": 1, "propertyNames": name, "type": "object"}
    one = {"anyOf": [name, call]}
    transform["anyOf"] = [name, call, {"items": one, "type": "array"}]


def main(folder: str = "mappings") -> None:
    """Write the schemas into a folder."""
    (Path(folder) / "schema.json").write_text(mapping_schema(), encoding="utf-8")
    (Path(folder) / "forms.schema.json").write_text(form_schema(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
