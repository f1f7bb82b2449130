"""What `check` and `preview` know of templates beyond their text: whom a field would leave a hole for, which e-mails
have no occasion to tell of, how heavy a page is, and which links answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from connectors.links import unreachable
from rules.compiler import answers
from rules.conditions import AllOf, Book, Check, Condition, Email, Rule, leaves
from rules.fields import FIELDS
from rules.journeys import Journey
from rules.mistakes import Mistake, Place, fold
from sync.desk import Desk
from sync.followup import proof
from sync.followup.anchors import Anchors
from sync.followup.compose import weigh
from sync.followup.fill import bare_fields, field_of
from sync.followup.occasions import GIFTS, KINDS, used
from sync.followup.templatefiles import TemplateMistake, place_in
from sync.followup.templates import Gap, Template
from sync.rows import called, everybody, house_of

if TYPE_CHECKING:
    from sync.work import Work

NAMED = 3
A_YEAR = timedelta(days=365)
COUNTED = {"number", "money", "tags"}
OURS = {"flags", "last_emailed", "may_write_until", "verified"}
"""Fields that what we do changes."""


def advise(desk: Desk) -> list[Mistake]:
    """What might be better in the templates' texts, and e-mails that are too heavy."""
    templates, house = desk.templates[0], house_of(desk)
    sizes = {one.file: weigh(one, house) for one in _whole(desk)}
    heavy = [
        TemplateMistake(Place(file, 1, 1), "template-large", facts={"size": round(size / 1024)})
        for file, size in sizes.items()
        if size > proof.CLIPPED
    ]
    ours = desk.config.language
    foreign = [
        TemplateMistake(Place(one.file, 1, 1), "template-foreign", found=one.name, facts={"language": ours})
        for one in templates.foreign(ours)
    ]
    return sorted([*templates.advice, *heavy, *foreign], key=lambda mistake: mistake.place)


def made_service(desk: Desk, book: Book) -> list[Mistake]:
    """Where a rule sends as practical information what its template calls news: it then goes without anybody's consent."""
    kind = desk.templates[0].kind
    found = {
        (rule.place, action.template)
        for rule in book.acting
        for action in rule.actions
        if isinstance(action, Email) and action.purpose == "service" and kind(action.template)[0] == "marketing"
    }
    return [TemplateMistake(place, "email-made-service", found=template) for place, template in sorted(found)]


def misplaced(desk: Desk, book: Book) -> list[Mistake]:
    """Fields that tell of an occasion, in the e-mails of rules and journeys that have no such occasion."""
    found: dict[tuple[str, Place], Mistake] = {}
    for one in book.acting:
        kind = one.around.kind if isinstance(one, Journey) else None
        emails = [action.template for action in one.actions if isinstance(action, Email)]
        variants = [each for name in emails for each in desk.templates[0].variants(name, desk.config.language)]
        for piece in (piece for template in variants for piece in template.pieces):
            for name in used(piece.text):
                allowed = KINDS[field_of(name) or ""]
                if kind not in allowed:
                    line = place_in(piece.text, name, Place(piece.file, piece.line, 1)).line
                    place = _place(desk, Gap(name, piece.file, line))
                    code = "template-occasion-gift" if allowed == GIFTS else "template-occasion"
                    mistake = TemplateMistake(place, code, found=name, facts={"rule": one.name})
                    found.setdefault((name, place), mistake)
    return list(found.values())


def going_wrong(work: Work) -> list[str]:
    """Mistakes that stop no run, in words: what their lines ask is left out. `goes_on` says which."""
    gone = work.knowledge.columns_gone if work.knowledge else ()
    said = [f"{one.place}  {one.message(work.desk.language)}" for one in misplaced(work.desk, work.book)]
    return [*said, *(work.desk.say("run-column-gone", header=header) for header in gone)]


def goes_on(mistake: Mistake) -> bool:
    """Whether runs go on in spite of this mistake, which only the sheet or the rules together show."""
    return mistake.code.startswith("unknown-column") or mistake.code in {"template-occasion", "template-occasion-gift"}


def holes(desk: Desk, book: Book) -> list[Mistake]:
    """Fields without a fallback of which nothing is known for somebody whom the e-mail may go to; before the first run there is nobody to look at.

    Raises `Trouble` for a store that can't be read.
    """
    return list(_holes(desk, book)) if desk.has_store else []


def links(desk: Desk) -> dict[str, str] | None:
    """How the links in the templates answer, as an account in `check --online`; None if there are none."""
    places: dict[str, str] = {}
    for template in _whole(desk):
        for piece in template.pieces:
            for link in proof.links(piece.text):
                places.setdefault(link.address, f"{piece.file}:{piece.line + link.line - 1}")
    if (logo := desk.config.organisation.logo) and desk.logo is None:
        places.setdefault(logo, "config.yaml")
    dead = unreachable(places)
    said = [desk.say("check-link-dead", place=places[address], link=address, answer=dead[address]) for address in dead]
    message = "\n  ".join(said) or desk.say("check-links-ok", n=len(places))
    return {"state": "failed" if dead else "ok", "message": message} if places else None


def _whole(desk: Desk) -> list[Template]:
    templates = desk.templates[0]
    return [templates.with_blocks(template, desk.config.language) for template in templates]


def _holes(desk: Desk, book: Book) -> Iterator[Mistake]:
    people = everybody(desk)
    found: dict[Gap, tuple[str, set[int]]] = {}
    for template in _whole(desk):
        for bare in bare_fields(template.whole):
            gap, field = template.gap(bare), field_of(bare.name)
            if field is None or field not in people.columns:
                continue
            without = people.filter(pl.col(field).is_null() & pl.col("email").is_not_null())
            ids = set() if without.is_empty() else _meant(desk, book, template, field, without)
            found.setdefault(gap, (bare.name, set()))[1].update(ids)  # a block stands in every e-mail
    for gap, (name, ids) in found.items():
        if ids:
            told = people.filter(pl.col("person_id").is_in(list(ids))).head(NAMED)
            names = ", ".join(filter(None, (called(row) for row in told.iter_rows(named=True))))
            more = {"n": len(ids), "names": names + ("…" if len(ids) > NAMED else "")}
            yield TemplateMistake(_place(desk, gap), "template-no-fallback", found=name, facts=more)


def _meant(desk: Desk, book: Book, template: Template, field: str, without: pl.DataFrame) -> set[int]:
    """Whom of those without this field the e-mail may go to some day, by their ids: all but those whom the rules that send
    it leave out, however much time goes by. Of an e-mail that no rule sends, everybody.
    """
    sent = list(_asked(book, template.name))
    found: set[int] = set() if sent else set(without["person_id"])
    for one, asked in sent:
        dates, counts = ({name for name, known in FIELDS.items() if known.type in of} for of in ({"date"}, COUNTED))
        unknown = dates | OURS | (set() if isinstance(one, Rule) else counts)  # what a journey is around counts itself
        held, may = AllOf(asked), without
        asked_of = {leaf.field for leaf in leaves(held) if isinstance(leaf, Check)} & (dates - OURS)
        for name in (
            {field} if isinstance(one, Journey) else asked_of | {field}
        ):  # a day that is not known comes no nearer
            verdicts = answers(book, {"may": held}, may, desk.clock.today(), unknown - {name})["may"]
            may = may.filter(pl.col(name).is_not_null() | verdicts.fill_null(value=True))
        found |= set(may["person_id"]) & _near(desk, one, without)
    return found


def _asked(book: Book, template: str) -> Iterator[tuple[Rule | Journey, tuple[Condition, ...]]]:
    """The rules and journeys that send a template, each with what must hold for it to go."""
    for one in book.acting:
        sending = one.steps if isinstance(one, Journey) else [None]
        for step in sending:
            emails = one.actions if step is None else [step.action]
            if any(isinstance(each, Email) and fold(each.template) == fold(template) for each in emails):
                own = (step.when, step.unless) if step else ()
                yield one, tuple(asked for asked in (one.when, one.unless, *own) if asked)


def _near(desk: Desk, one: Rule | Journey, people: pl.DataFrame) -> set[int]:
    """Who has what a journey is around, in the year before today or the year after."""
    if isinstance(one, Rule):
        return set(people["person_id"])
    today = desk.clock.today()
    with desk.store.look() as connection:
        anchors = Anchors(connection, desk.store.org, people, desk.config.zone, today)
        return set(anchors.near(one.around, [(today - A_YEAR, today + A_YEAR)])["person_id"])


def _place(desk: Desk, gap: Gap) -> Place:
    """Where the field itself stands, from the line on where its text begins: a head may be folded over several."""
    below = "\n".join(desk.lines().get(gap.file, [])[gap.line - 1 :])
    return place_in(below, gap.field, Place(gap.file, gap.line, 1))
