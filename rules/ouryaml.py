"""YAML that comes with the program: its words and sentences, which every command begins by reading.

libyaml reads them ten times as quick; where PyYAML was built without it, PyYAML does. What a team writes is read by
`yamltext`, which tells the place of each mistake.
"""

from __future__ import annotations

from typing import Any

import yaml


def read(text: str) -> Any:
    """Text, numbers, truth values, lists and mappings."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  both are safe


def read_words(text: str) -> Any:
    """The same, in which everything is text: `oui`, `12`."""
    return yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506  they build strings only
