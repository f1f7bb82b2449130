"""The words of `words.yaml`, folded so that accents, letter case and punctuation make no difference."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

_FILE = files("connectors.files").joinpath("words.yaml")
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # libyaml, where PyYAML was built with it
_APART = re.compile(r"[^0-9a-z✓✔]+")


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """`Référence commande ` and `REFERENCE_COMMANDE` are both `reference commande`."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text[:200]) if not unicodedata.combining(c))
    return _APART.sub(" ", plain.casefold().replace("œ", "oe")).strip()


@cache
def _words() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.load(_FILE.read_text("utf-8"), Loader=_LOADER)  # noqa: S506  every word stays text: `yes`, `no`, `1`
    return loaded


@cache
def headers() -> dict[str, tuple[str, int]]:
    """Folded header -> its field and its place in the field's list (the lower, the more exact)."""
    found: dict[str, tuple[str, int]] = {}
    for field, forms in _words()["headers"].items():
        for place, form in enumerate(forms):
            found.setdefault(fold(form), (field, place))
    return found


@cache
def fields() -> frozenset[str]:
    """Every field a column may be mapped to."""
    return frozenset(_words()["headers"])


@cache
def forms(section: str) -> dict[str, str]:
    """Folded word -> the choice it stands for, in `status`, `list_status` or `months`."""
    return {fold(str(form)): str(choice) for choice, forms in _words()[section].items() for form in forms}


@cache
def choices(section: str) -> frozenset[str]:
    """The folded words of a plain list: `says_yes`, `says_no`, `totals`, `french`, `english`."""
    return frozenset(fold(str(form)) for form in _words()[section])
