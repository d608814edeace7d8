"""The settings file described to editors: a JSON schema, from the same classes that check it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from search.config import SearchConfig

COMMITTED = Path(__file__).parents[2] / "docs" / "competition.schema.json"
"""The copy beside the source, for `#:schema`; not there where only the packages are installed."""


def settings_schema() -> dict[str, Any]:
    """The schema of a settings file: all of `SearchConfig`, keys with underscores or hyphens."""
    schema = SearchConfig.model_json_schema(mode="validation")
    schema["title"] = "competition.toml"
    schema["description"] = "Settings of a search: python -m search.run --config competition.toml"
    properties: dict[str, Any] = schema["properties"]
    for name in [*properties]:
        properties[name] = _for_toml(properties[name])
        if "_" in name:
            properties[name.replace("_", "-")] = {"$ref": f"#/properties/{name}"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """The schema as a file."""
    return json.dumps(settings_schema(), ensure_ascii=False, indent=2) + "\n"


def _for_toml(declared: dict[str, Any]) -> dict[str, Any]:
    """TOML has no null, and no title is better than the name of the key again."""
    plain = {key: value for key, value in declared.items() if key not in {"title", "default", "file_only"}}
    if declared.get("default") not in (None, []):
        plain["default"] = declared["default"]
    options = [one for one in plain.pop("anyOf", []) if one != {"type": "null"}]
    if len(options) == 1:
        return {**options[0], **plain}
    return {"anyOf": options, **plain} if options else plain
