"""`yesterday`, `two days ago`, `tomorrow`, `tonight` in texts that may be read on another day: an e-mail that waits for a yes, a step that is
made up days later, a line that stays in a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rules.conditions import Action, Book, Email, Notify, Period, Rule, Task, texts_of
from rules.journeys import DAYS_ONLY, EXACT, VISITS, Journey, Step, due, latest, length
from rules.marks import CODE
from rules.mistakes import Mistake, Place
from rules.phrases import unit_word
from rules.step_times import THE_SAME_DAY, late_said
from rules.words import vocabulary
from sync.desk import Desk
from sync.followup.templatefiles import TemplateMistake

WORDS = {
    "en": {
        "before": r"yesterday|last night|(?:one|two|three|four|five|\d) (?:day|evening)s? ago",
        "after": r"tomorrow",
        "same": r"tonight|this evening",
        "today": r"today",
    },
    "fr": {
        "before": r"(?:avant-)?hier|il y a (?:un|deux|trois|quatre|cinq|\d) (?:jour|soir)s?",
        "after": r"(?:après-)?demain",
        "same": r"ce soir(?!-là)",
        "today": r"aujourd['’]hui",
    },
}
"""By language and by when it is: words that are wrong on any other day. `today` is said of our times too, so it counts only
in a step on the day of a show.
"""
SHOW = {
    "en": r"(?:show|performance|concert|play|visit|event)",
    "fr": r"(?:spectacle|représentation|concert|pièce|visite|événement|soirée|séance|sortie)",
}
SPECIAL = {
    "en": re.compile(rf"(?:{SHOW['en']} of )?\0(?:['’]s {SHOW['en']})?"),
    "fr": re.compile(rf"(?:{SHOW['fr']} (?:d['’]|de ))?\0(?: soir| matin)?"),
}
"""What of the word and its neighbours names one day, whatever stands around it."""
GENERAL = {
    "en": re.compile(r"\b(?:of|even|still) \0|\0['’]s\b|\0,? (?:and|as|or) (?:of )?(?:today|tomorrow)\b"),
    "fr": re.compile(
        r"\bd['’]\0|\b(?:de|encore) \0|\0 encore\b|\0,? (?:comme|et|ou) (?:d['’])?(?:aujourd|(?:à |de )?demain)"
    ),
}
"""And where it is meant of no day: `the artists of tomorrow`, `aujourd'hui encore`."""
ASIDE = re.compile(rf"{CODE.pattern}|«[^»]*»|“[^”]*”|https?://\S+", re.DOTALL)
"""Not our own words: merge fields, titles, addresses."""
ZONE = ZoneInfo("UTC")
EVENING = datetime(2026, 6, 15, 20, tzinfo=ZONE)
A_DAY = timedelta(days=1)
FIELDS_BY_TIME = {"before": "last_visit", "after": "next_visit"}


def day_words(desk: Desk, book: Book) -> list[Mistake]:
    """Each such word at its place, as advice, with the field that says the day instead."""
    found = [
        mistake
        for one in book.acting
        for step, action in _acts(one)
        for mistake in (
            _in_email(desk, one, step, action) if isinstance(action, Email) else _in_text(desk, one, step, action)
        )
    ]
    return list({mistake.place: mistake for mistake in reversed(found)}.values())


def _acts(one: Rule | Journey) -> list[tuple[Step | None, Action]]:
    return [(None, action) for action in one.actions] if isinstance(one, Rule) else [(s, s.action) for s in one.steps]


def _in_email(desk: Desk, one: Rule | Journey, step: Step | None, email: Email) -> Iterator[Mistake]:
    if not _may_be_late(one, step, email.no_later_than):
        return
    for template in desk.templates[0].variants(email.template, desk.config.language):
        for piece in template.pieces:
            for language, time, word, line in _found(piece.text, _on_the_day(one, step)):
                place = _at(desk, Place(piece.file, piece.line + line, 1), word)
                yield _advice(desk, "day-word" if step else "day-word-rule", one, place, (language, time, word), step)


def _in_text(desk: Desk, one: Rule | Journey, step: Step | None, action: Action) -> Iterator[Mistake]:
    """In a line for the team, which stays in its list, or in an e-mail to it."""
    if isinstance(action, Notify) and step and not _may_be_late(one, step, step.no_later_than):
        return
    begins = step.place if step else one.place
    for text in texts_of(action) if isinstance(action, Task | Notify) else ():
        below = enumerate(desk.lines().get(begins.file, [])[begins.line - 1 :], begins.line)
        line = next((n for n, written in below if text in written), begins.line)
        for language, time, word, _ in _found(text, on_the_day=False):
            place = _at(desk, Place(begins.file, line, begins.column), word)
            code = "day-word-task" if isinstance(action, Task) else "day-word-notify"
            yield _advice(desk, code, one, place, (language, time, word), step)


def _may_be_late(one: Rule | Journey, step: Step | None, last: Period) -> bool:
    """Whether it may be read on another day than the one it is meant for."""
    if step is None or isinstance(one, Rule):
        return last.unit not in EXACT or length(last) >= A_DAY
    moment: datetime | date = EVENING.date() if one.around.kind in DAYS_ONLY else EVENING
    return latest(step, moment, ZONE).date() > due(step.at, moment, ZONE).date()


def _on_the_day(one: Rule | Journey, step: Step | None) -> bool:
    return isinstance(one, Journey) and one.around.kind in VISITS and step is not None and not step.at.period.count


def _found(text: str, on_the_day: bool) -> Iterator[tuple[str, str, str, int]]:  # noqa: FBT001  one question, asked once
    """Language, time, word, and how many lines below the first."""
    shown = ASIDE.sub(lambda aside: re.sub(r"[^\n]", " ", aside[0]), text)
    for language, words in WORDS.items():
        for time, pattern in words.items():
            if time == "today" and not on_the_day:
                continue
            for word in re.finditer(rf"(?<![\w-])(?:{pattern})(?!\w)", shown, re.IGNORECASE):
                around = f"{shown[: word.start()][-20:]}\0{shown[word.end() :][:20]}".lower()
                special = SPECIAL[language].search(around)
                if (special and special[0] != "\0") or not GENERAL[language].search(around):
                    yield language, time, word[0], shown[: word.start()].count("\n")


def _at(desk: Desk, begins: Place, word: str) -> Place:
    """Where the word stands in the line as it is written."""
    lines = desk.lines().get(begins.file, [])
    line = lines[begins.line - 1] if begins.line <= len(lines) else ""
    return Place(begins.file, begins.line, line.index(word) + 1 if word in line else begins.column)


def _advice(
    desk: Desk, code: str, one: Rule | Journey, place: Place, told: tuple[str, str, str], late: Step | None
) -> Mistake:
    """`late`: the step, which says until when it may be done."""
    language, time, word = told
    field = _field(one, time, language, of_occasion=code == "day-word")
    facts: dict[str, str] = {"rule": one.name, "field": field}
    if late is not None:
        words, spoken = vocabulary(desk.language_at(one.place)), desk.language
        facts["line"] = f"{words.key('step', 'no_later_than')}: {late_said(words.language, THE_SAME_DAY)}"
        facts["email"] = words.key("action", "email")
        facts["late"] = f"{late.no_later_than.count} {unit_word(spoken, late.no_later_than)}"
    return TemplateMistake(place, f"{code}-field" if field else code, found=word, facts=facts)


def _field(one: Rule | Journey, time: str, language: str, *, of_occasion: bool) -> str:
    """The merge field that says the day; "" where there is none."""
    if isinstance(one, Journey) and of_occasion and one.around.kind in VISITS:
        return {"en": "show_date", "fr": "date_du_spectacle"}[language]
    if isinstance(one, Journey) and of_occasion and one.around.kind == "donation":
        return {"en": "donation_date", "fr": "date_du_don"}[language]
    if isinstance(one, Journey) and one.around.kind not in VISITS and one.around.kind != "flag":
        return ""
    name = FIELDS_BY_TIME.get(time)
    return re.sub(r"[ ’'-]", "_", vocabulary(language).key("fields", name)) if name else ""
