"""A word of a rule that no cell of the team's column says: nobody would be kept out by it, and nobody would know."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from tests.thread.small import RULES, TODAY, Small, line
from tests.thread.test_comes_and_goes import bare


@pytest.fixture
def phare(tmp_path: Path) -> Small:
    small = Small(tmp_path / "phare")
    small.export((line(1, "Luc Roy", "Ubu", "23/03/2024"), line(2, "Ana Roy", "Ubu", "23/03/2024")))
    assert small.run().code == 0
    book = openpyxl.load_workbook(small.folder / "Contacts.xlsx")
    column = book["Contacts"].max_column + 1
    for row, cell in enumerate(("Ne pas relancer", "stop", "rappeler"), 1):
        book["Contacts"].cell(row, column).value = cell
    book.save(small.folder / "Contacts.xlsx")
    rule = RULES.replace("segment: Habitués", "visites: au moins 1")
    small.write(
        "rules/public.yaml", rule.replace("    alors:", "    sauf: {tableau: {Ne pas relancer: x}}\n    alors:")
    )
    return small


def told(phare: Small) -> list[tuple[str, int]]:
    return [(one["found"], one["line"]) for one in phare.filrouge("check", "--json").facts["advice"]]


def test_check_and_preview_tell_what_the_column_says(phare: Small) -> None:
    shown = bare(phare.filrouge("preview", "perdus-de-vue", today=TODAY).said)
    assert "0 · sauf Ne pas relancer : oui (n'écarte personne de cette règle)" in shown
    assert "`oui` ne se trouve chez personne. Il y a : rappeler, stop." in shown
    assert phare.run().code == 7  # the first mails wait
    assert ("oui", 10) in told(phare)
    assert (
        "`oui` ne se trouve chez personne pour l'instant. Il y a `rappeler` et `stop`." in phare.filrouge("check").said
    )
    phare.change("rules/public.yaml", "relancer: x", "relancer: [stop, rappeler]")
    assert [found for found, line in told(phare) if line == 10] == []


def test_preview_counts_each_line_of_a_group_below_it(phare: Small) -> None:
    phare.change("rules/public.yaml", "visites: au moins 1", "au moins un de: [visites: au moins 2, prénom: Ana]")
    page = phare.folder / "page.html"
    phare.filrouge("preview", "perdus-de-vue", "--page", str(page), today=TODAY)
    shown = bare(phare.filrouge("preview", "perdus-de-vue", today=TODAY).said)
    group = (
        "  1 · au moins un de :\n      0 · visites : au moins 2 (en tout, depuis toujours)\n      1 · prénom : Ana\n"
    )
    assert group in shown
    assert '<li style="margin-left: 1.6rem">1 · prénom : Ana</li>' in bare(page.read_text("utf-8"))
