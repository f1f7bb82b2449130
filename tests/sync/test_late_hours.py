"""`au plus tard: 12 heures` on a step told in days: quiet where a run comes in that time, told where none may."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.thread.small import Small
from tests.thread.test_comes_and_goes import bare

RULES = """\
parcours:
  - nom: Rappel
    autour: chaque billet
    étapes:
      - à: 1 jour avant
        tâche: Appeler {{ prénom }}
        au plus tard: 12 heures
      - à: 3 heures avant
        tâche: Attendre {{ prénom }}
        au plus tard: 2 heures
      - à: 3 jours après
        tâche: Écrire à {{ prénom }}
        au plus tard: 36 heures
"""
SCHEDULE = "schedule: every day at 06:00\n"


@pytest.fixture(scope="module")
def phare(tmp_path_factory: pytest.TempPathFactory) -> Small:
    small = Small(tmp_path_factory.mktemp("late") / "phare")
    small.write("rules/public.yaml", RULES)
    return small


def told(small: Small, schedule: str, language: str = "fr") -> list[tuple[int, str]]:
    config = (small.folder / "config.yaml").read_text("utf-8")
    small.change("config.yaml", SCHEDULE, schedule)
    found = small.filrouge("--language", language, "check", "--json").facts["advice"]
    small.write("config.yaml", config)
    return [(one["line"], bare(one["message"])) for one in found if Path(one["file"]).name == "public.yaml"]


@pytest.mark.parametrize("quiet", [SCHEDULE, "schedule: every 2 hours\n", "schedule: every day at 12:00\n"])
def test_nothing_is_said_where_a_run_comes_in_time(phare: Small, quiet: str) -> None:
    assert told(phare, quiet) == []


@pytest.mark.parametrize("schedule", ["every day at 18:00", "every monday at 06:00"])
def test_hours_that_no_run_falls_in_are_told_with_what_to_write(phare: Small, schedule: str) -> None:
    ((line, message),) = told(phare, f"schedule: {schedule}\n")
    assert (line, message) == (
        7,
        (
            "`au plus tard: 12 heures` se compte depuis minuit, le jour de l'étape : jusqu'à 12:00 ce jour-là. Vos passages"
            f" (`schedule: {schedule}`) ne tombent pas tous dans ce délai, et l'étape est alors laissée de côté. Pour la"
            " permettre jusqu'à la fin de ce jour : `au plus tard: le jour même`."
        ),
    )


def test_without_a_schedule_the_hours_are_told_too(phare: Small) -> None:
    ((_, message),) = told(phare, "", "en")
    assert message == (
        "`au plus tard: 12 heures` counts from midnight of the step's day: until 12:00 of that day. A run that you start"
        " later leaves the step out. To let it go until that day ends: `au plus tard: le jour même`."
    )


def test_preview_says_the_same_day_as_it_is_typed(phare: Small) -> None:
    steps = "[{à: 1 jour après, courriel: on-se-revoit, au plus tard: le jour même}]"
    phare.write("rules/public.yaml", f"parcours:\n  - {{nom: Merci, autour: chaque billet, étapes: {steps}}}\n")
    assert "on-se-revoit le jour même. Sans lui" in bare(phare.filrouge("preview", "Merci", today="2026-03-14").said)
    said = phare.filrouge("--language", "en", "preview", "Merci", today="2026-03-14").said
    assert "on-se-revoit the same day. Without it" in said
