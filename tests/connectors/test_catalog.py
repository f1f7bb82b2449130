"""Names in the config and the classes behind them."""

from __future__ import annotations

import importlib.metadata
import sys
from importlib.util import find_spec

import pytest

from connectors import catalog
from connectors.trouble import FixFile
from sync.messages import LANGUAGES, say


def test_every_name_of_ours_has_a_module_and_is_what_it_is_called() -> None:
    for kind, places in catalog.OURS.items():
        for name, place in places.items():
            module, _, attribute = place.partition(":")
            if find_spec(module) is None:
                pytest.fail(f"{kind}: {name} has no module {module}")
            assert catalog._find(kind, name).__name__ == attribute  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [catalog.source, catalog.sheet, catalog.mailer])
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_name_is_told_with_the_names_there_are(kind: object, language: str) -> None:
    assert callable(kind)
    with pytest.raises(FixFile) as trouble:
        kind("zzz")
    said = say(language, trouble.value.code, **trouble.value.facts)
    assert "zzz" in said
    assert str(trouble.value.facts["known"]) in said


@pytest.mark.parametrize(("wrong", "right"), [("prétix", "pretix"), ("Mailchimp", "mailchimp"), ("file", "files")])
def test_the_nearest_name_is_offered(wrong: str, right: str) -> None:
    with pytest.raises(FixFile) as trouble:
        catalog.source(wrong)
    assert trouble.value.facts["near"] == right
    assert right in say("fr", trouble.value.code, **trouble.value.facts)


def test_others_may_add_theirs_but_not_replace_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        importlib.metadata.EntryPoint("boxoffice", "tests.connectors.test_catalog:Stranger", "filrouge.sources"),
        importlib.metadata.EntryPoint("pretix", "tests.connectors.test_catalog:Stranger", "filrouge.sources"),
    ]
    monkeypatch.setattr(catalog, "entry_points", lambda group: points if group == "filrouge.sources" else [])
    assert catalog.source("boxoffice").__name__ == "Stranger"
    assert "boxoffice" in catalog.names("sources")
    assert catalog.names("sheets") == sorted(catalog.OURS["sheets"])
    assert catalog.source("pretix").__name__ == "Pretix"


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    import subprocess

    code = "import sys, connectors.catalog as c; c.names('sources'); print([m for m in sys.modules if m.startswith('connectors.sources.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Stranger:
    """A source of somebody else's."""
