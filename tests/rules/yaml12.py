"""YAML as editors read it: version 1.2's core schema, where `yes` is a word and `2024-01-31` is text."""

from __future__ import annotations

import re
from typing import Any

import yaml

PLAIN = {
    "bool": (r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    "int": (r"^[-+]?[0-9]+$", "-+0123456789"),
    "float": (r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    "null": (r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
}


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012  PyYAML's own name for them


for _tag, (_pattern, _first) in PLAIN.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(str(node.value)))


def load(text: str) -> Any:
    """The file's values. A tab at the end of a line is right in YAML 1.2, and PyYAML refuses it."""
    return _named(yaml.load(re.sub(r"\t+$", "", text, flags=re.MULTILINE), Loader=_Loader))


def _named(found: Any) -> Any:
    """Keys are text to an editor, whatever they look like."""
    if isinstance(found, dict):
        return {str(key): _named(value) for key, value in found.items()}
    return [_named(one) for one in found] if isinstance(found, list) else found
