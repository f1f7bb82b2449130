"""`config.yaml` as a JSON Schema for editors: its blocks and settings as pydantic knows them.

Only names are held against it, not values: any of them may be `${NAME}`, and an empty one counts as left out.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from connectors import catalog
from rules.fields import COLUMNS
from rules.schema import DRAFT, Schema
from rules.words import vocabulary
from sync.config import BESIDE, MailBlock, Outline, SheetBlock

KEPT = ("description", "properties", "additionalProperties", "required", "items", "$ref", "default")
GROUPS: dict[str, Any] = {"sources": catalog.source, "sheets": catalog.sheet, "mailers": catalog.mailer}


def config_schema(language: str) -> Schema:
    """The schema of the config; fields of columns are offered as the rules of `language` call them."""
    kinds = {group: {name: find(name).Settings for name in catalog.names(group)} for group, find in GROUPS.items()}
    models = [Outline, SheetBlock, MailBlock, *(model for found in kinds.values() for model in found.values())]
    known, told = models_json_schema([(model, "validation") for model in models], ref_template="#/definitions/{model}")
    names = {model: known[model, "validation"]["$ref"].rsplit("/", 1)[-1] for model in models}
    definitions = {name: _names_only(found) for name, found in told["$defs"].items()}
    sheet = definitions.pop(names[SheetBlock])["properties"]
    columns = [*vocabulary(language).all("fields"), *vocabulary(language).all("sheet_fields"), *COLUMNS]
    sheet["columns"] |= {"additionalProperties": {"examples": columns}}
    sheet |= {name: sheet[name] | {"default": ""} for name in BESIDE}
    mail = definitions.pop(names[MailBlock])["properties"]
    outline = definitions.pop(names[Outline])
    shared = {"sheets": sheet, "mailers": mail}
    blocks = {
        group: _by_type({kind: definitions.pop(names[model]) for kind, model in found.items()}, shared.get(group, {}))
        for group, found in kinds.items()
    }
    outline["properties"] |= {
        "sources": {"additionalProperties": blocks["sources"]},
        "sheet": blocks["sheets"],
        "mail": blocks["mailers"],
    }
    return {"$schema": DRAFT, **outline, "definitions": definitions}


def _by_type(kinds: dict[str, Schema], more: Schema) -> Schema:
    """A block whose `type` decides what else may stand in it, beside what all kinds have (`more`)."""
    return {
        "properties": {"type": {"enum": list(kinds)}},
        "required": ["type"],
        "allOf": [
            {
                "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
                "then": {**found, "properties": {"type": {}, **found.get("properties", {}), **more}},
            }
            for kind, found in kinds.items()
        ],
    }


def _names_only(found: Any) -> Any:
    """Without types and patterns; the values of a choice are offered."""
    if isinstance(found, list):
        return [_names_only(one) for one in found]
    if not isinstance(found, dict):
        return found
    kept = {key: found[key] for key in KEPT if found.get(key) is not None and found[key] != [] and found[key] != {}}
    if "properties" in kept:
        kept["properties"] = {name: _names_only(one) for name, one in kept["properties"].items()}
    for key in ("additionalProperties", "items"):
        if key in kept:
            kept[key] = _names_only(kept[key])
    blocks = [one for one in found.get("anyOf", ()) if "$ref" in one or "properties" in one]
    if len(blocks) == 1:
        kept |= _names_only(blocks[0])
    return kept | ({"examples": found["enum"]} if "enum" in found else {})
