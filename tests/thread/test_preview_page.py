"""`preview --page`, and what `check` says of templates when people are known."""

from __future__ import annotations

import re
import stat
from html import unescape

import pytest

from tests.sync.followup.test_compose import Tags
from tests.thread.small import LINES, TODAY, Small, line

TEMPLATE = """\
---
objet: "Cela fait longtemps, {{ prénom or 'vous' }}"
finalité: service
---
Bonjour {{ prénom or "à vous" }},

À {{ ville }} aussi, on vous attend.

![](https://phare.example.org/salle.jpg)
"""


HOSTILE = tuple(
    line(number, "<script>alert(1)</script> O'Neil", show, day).replace("<script>alert(1)</script>.o'neil@", "oneil@")
    for number, show, day in ((6, "Cyrano", "10/03/2024"), (7, "Antigone", "12/05/2024"))
)


@pytest.fixture
def phare(small: Small) -> Small:
    small.export((*LINES, *HOSTILE))
    small.run()
    return small


def frames(page: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'<iframe sandbox="" [^>]*srcdoc="([^"]*)"', page)]


def test_the_page_shows_each_email_as_it_would_be_seen_and_runs_nothing(phare: Small) -> None:
    done = phare.filrouge("preview", "perdus-de-vue", "--page", "apercu.html", today=TODAY)
    assert (done.code, "apercu.html" in done.said) == (0, True)
    file = phare.folder / "apercu.html"
    page, mails = file.read_text("utf-8"), frames(file.read_text("utf-8"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert '<html lang="fr">' in page
    assert len(mails) == 2
    assert any("Bonjour Jeanne," in mail and "prefers-color-scheme: dark" in mail for mail in mails)
    assert "Bonjour Jeanne," in re.sub(r"<iframe.*?</iframe>", "", page, flags=re.DOTALL)  # as plain text, too
    assert "jeanne.exemple@example.org" in page
    assert "default-src 'none'" in page
    assert [tag for tag, _ in Tags(page).tags].count("script") == 1  # ours
    assert all("script" not in [tag for tag, _ in Tags(mail).tags] for mail in mails)

    before = (phare.folder / "Contacts.xlsx").read_bytes()
    refused = phare.filrouge("preview", "--page", "Contacts.xlsx", today=TODAY)
    assert (refused.code, ".html" in refused.erred) == (2, True)
    assert (phare.folder / "Contacts.xlsx").read_bytes() == before


def test_who_would_find_a_hole_is_told_by_check_preview_and_page_and_gets_no_email(phare: Small) -> None:
    phare.write("rules/templates/on-se-revoit.md", TEMPLATE)
    phare.write("rules/templates/autre.md", "---\nobjet: x\nfinalité: promotion\n---\nBonjour.\n")
    advice = phare.filrouge("check", "--json").facts["advice"]
    assert [(one["file"], one["line"]) for one in advice] == [("rules/templates/on-se-revoit.md", n) for n in (7, 9)]
    assert "Jeanne Exemple" in advice[0]["message"]

    ahead = phare.filrouge("preview", "--json", "--page", "apercu.html", today=TODAY).facts
    (hole,) = ahead["empty_fields"]
    assert (hole["file"], hole["line"], hole["field"]) == ("rules/templates/on-se-revoit.md", 7, "ville")
    assert "Jeanne Exemple" in hole["people"]
    assert {mail["reason"] for mail in ahead["mails"]} == {"empty-field"}
    page = (phare.folder / "apercu.html").read_text("utf-8")
    assert "rules/templates/on-se-revoit.md:7" in page
    assert any("on vous attend" in mail for mail in frames(page))

    phare.filrouge("approve", "perdus-de-vue")
    assert phare.run().facts["mail"]["held"] == {"empty-field": 2}
    phare.change("rules/templates/on-se-revoit.md", "{{ ville }}", "{{ ville or 'Brest' }}")
    assert phare.run().facts["mail"]["waiting"] == 2  # another text
    phare.filrouge("approve", "perdus-de-vue")
    assert phare.run().facts["mail"]["sent"] == 2


@pytest.mark.parametrize(
    ("sends", "told"),
    [
        ("règles:\n  - nom: K\n    quand: {dernier don: il y a plus de 3 ans}\n    alors: {courriel: k}\n", 0),
        ("règles:\n  - nom: K\n    quand: {ville: Lyon}\n    alors: {courriel: k}\n", 0),
        ("règles:\n  - nom: K\n    quand: {ville: vide}\n    alors: {courriel: k}\n", 1),
        ("parcours:\n  - nom: K\n    autour: chaque don\n    étapes:\n      - {à: 1 jour après, courriel: k}\n", 0),
        ("règles: []\n", 1),
    ],
)
def test_a_hole_counts_only_whom_the_email_may_go_to(phare: Small, sends: str, told: int) -> None:
    """Nobody here has given, or has a town."""
    phare.write("rules/k.yaml", sends)
    phare.write("rules/templates/k.md", "---\nobjet: x\nfinalité: promotion\n---\nVotre don du {{ dernier_don }}.\n")
    advice = [
        one["message"] for one in phare.filrouge("check", "--json").facts["advice"] if one["file"].endswith("/k.md")
    ]
    assert [("dernier_don" in message) for message in advice] == [True] * told


def test_colours_and_logo_are_read_or_told(small: Small) -> None:
    small.change(
        "config.yaml",
        "country: CA,",
        "country: CA, logo: www.phare.example/logo, colours: {accent: rouge, background: },",
    )
    told = small.filrouge("check", "--json").facts["mistakes"]
    assert [one["path"] for one in told] == [
        "organisation.logo", "organisation.colours.accent", "organisation.colours.background",
    ]  # fmt: skip
