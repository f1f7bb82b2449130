"""Reading a folder of rules: ids, languages, what stays when something breaks, and that nothing ever raises."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rules.canonical import condition_json, to_json
from rules.conditions import (
    AllOf,
    AnyOf,
    Check,
    Condition,
    Email,
    Flag,
    InSegment,
    NoneOf,
    Period,
    SetCell,
    Task,
)
from rules.fields import FIELDS, SINCE
from rules.never_true import AHEAD, BACK, PAST
from rules.phrases import Phrase, typed
from rules.reader import Reading, read
from rules.words import vocabulary
from tests.rules.reference import CHECKS, conditions

EN = """
segments:
  - name: Regulars
    when: {visits: at least 3}
rules:
  - name: Not seen
    id: lost
    was: Old name
    when:
      segment: regulars
      last_visit: more than 18 months ago
      any of:
        - city: [Lyon, Nantes]
        - genres: contain any of [dance, circus]
          spent: between 50 and 200.5
    unless:
      sheet: {do not contact: yes, Seats: at least 2, Seen: more than 6 months ago, Hall: H1, Code: 01000, Grade: A}
      newsletter: [unsubscribed, bounced]
    then:
      - flag: To follow up
      - set: {Status: Lost}
      - email: we-miss-you
        wait: 2 days
        again: after 6 months
        purpose: service
        no later than: 10 days
      - task: Call {{ first_name }}
        for: Marie
        due: in 5 days
    active: no
    examples:
      - person: {visits: 5, last_visit: 2 years ago, sheet: {Seats: 3}}
        expect: no match
"""
FR = """
segments:
  - nom: Regulars
    quand: {Visite: au moins 3}
Règles:
  - NOM: Not seen
    id: lost
    ancien_nom: Old name
    sauf:
      infolettre: [désinscrits, en erreur]
      tableau: {Do not contact: oui, seats: au moins 2, Seen: il y a plus de 6 mois, Hall: H1, Code: 01000, Grade: A}
    quand:
      au moins un de:
        - ville: [Lyon, Nantes]
        - genres: contient au moins un de [dance, circus]
          dépensé: entre 50 et 200,5
      Derniere Visite: il y a plus de 18 mois
      segment: Regulars
    alors:
      - signaler: To follow up
      - ecrire: {status: Lost}
      - courriel: we-miss-you
        attendre: 2 jours
        encore: après 6 mois
        finalité: service
        au plus tard: 10 jours
      - tâche: Call {{ first_name }}
        pour: Marie
        échéance: dans 5 jours
    actif: non
    exemples:
      - personne: {visites: 5, dernière_visite: il y a 2 ans, tableau: {Seats: 3}}
        attendu: pas concerné
"""
COLUMNS = ["Do not contact", "Seats", "Seen", "Hall", "Code", "Grade", "Status"]


def one(text: str, **more: Any) -> Reading:
    return read({"r.yaml": text.encode()}, **more)


def _sorted(found: list[Any]) -> list[str]:
    return sorted(json.dumps(item, sort_keys=True) for item in found)


def test_french_and_english_are_the_same_rule() -> None:
    english, french = (one(text, columns=COLUMNS, templates=["we-miss-you"]) for text in (EN, FR))
    assert english.mistakes == french.mistakes == []
    ours, theirs = to_json(english.book), to_json(french.book)
    assert english.book.rules[0].digest == french.book.rules[0].digest
    for key in ("when", "unless"):
        (a,), (b,) = ours["rules"][0].pop(key).values(), theirs["rules"][0].pop(key).values()
        assert _sorted(a) == _sorted(b)
    assert ours == theirs


def test_what_a_rule_holds() -> None:
    rule = one(EN, columns=COLUMNS).book.rules[0]
    assert (rule.id, rule.was, rule.active, rule.name) == ("lost", ("old-name",), False, "Not seen")
    assert rule.actions == (
        Flag("To follow up"),
        SetCell("Status", "Lost"),
        Email("we-miss-you", Period(2, "day"), Period(6, "month"), "service", Period(10, "day")),
        Task("Call {{ first_name }}", "Marie", Period(5, "day")),
    )
    assert rule.needs >= {"visits", "last_visit", "city", "genres", "spent", "newsletter", "sheet:Do not contact"}
    assert rule.kinds == {"visit", "order", "subscription", "person"}
    assert rule.unless is not None
    cells = [item for item in rule.unless.items if isinstance(item, Check) and item.field.startswith("sheet:")]
    assert [(cell.type, cell.op) for cell in cells] == [
        ("yesno", "is"), ("number", "at_least"), ("date", "more_ago"), ("text", "is"), ("text", "is"), ("text", "is"),
    ]  # fmt: skip
    assert (rule.place.file, rule.place.line) == ("r.yaml", 6)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("name: Not seen\n", "name: Another name\n"), True),
        (("      segment: regulars\n      last_visit: more than 18 months ago\n", "      last_visit: more than 18 months ago\n      segment: Regulars\n"), True),
        (("18 months", "17 months"), False),
        (("visits: at least 3", "visits: at least 4"), False),
        (("flag: To follow up", "flag: Call"), False),
        (("wait: 2 days", "wait: 3 days"), False),
    ],
)  # fmt: skip
def test_the_digest_follows_the_meaning(change: tuple[str, str], *, same: bool) -> None:
    before, after = one(EN).book.rules[0].digest, one(EN.replace(*change)).book.rules[0].digest
    assert EN.replace(*change) != EN
    assert (before == after) is same


def test_ids_are_slugs_of_names() -> None:
    text = "règles:\n  - nom: L'Œuvre d'été (été 2026) !\n    quand: {visites: 1}\n    alors: [{signaler: x}]\n"
    assert [rule.id for rule in one(text).book.rules] == ["l-oeuvre-d-ete-ete-2026"]


RIGHT = "rules:\n  - name: A\n    when: {visits: 1}\n    then: [{flag: a}]\n  - name: B\n    when: {visits: 2}\n    then: [{flag: b}]\n"


def test_a_broken_rule_keeps_its_earlier_self_and_stops_no_other() -> None:
    before = one(RIGHT).book
    after = one(RIGHT.replace("visits: 2", "visits: lots").replace("flag: a", "flag: aa"), previous=before)
    assert [m.code for m in after.mistakes] == ["phrase"]
    assert [(rule.id, rule.actions) for rule in after.book.rules] == [("a", (Flag("aa"),)), ("b", (Flag("b"),))]
    assert after.kept == {"b"}
    assert [rule.id for rule in one(RIGHT.replace("visits: 2", "visits: lots")).book.rules] == ["a"]


def test_a_broken_file_keeps_its_earlier_rules_and_stops_no_other() -> None:
    other = b"rules:\n  - name: C\n    when: {segment: S}\n    then: [{flag: c}]\nsegments:\n  - name: S\n    when: {visits: 3}\n"
    before = read({"a.yaml": RIGHT.encode(), "b.yaml": other}).book
    broken = RIGHT.replace("visits: 1}", "visits: 1").encode()
    after = read({"a.yaml": broken, "b.yaml": other}, previous=before)
    assert after.mistakes
    assert after.kept == {"a", "b"}
    assert [rule.id for rule in after.book.rules] == ["a", "b", "c"]
    lost_segment = read(
        {"a.yaml": RIGHT.encode(), "b.yaml": other.replace(b"visits: 3", b"visits:3: 3")}, previous=before
    )
    assert [rule.id for rule in lost_segment.book.rules] == ["a", "b", "c"]


def test_a_rule_taken_out_is_gone() -> None:
    before = one(RIGHT).book
    after = one(RIGHT.split("  - name: B", maxsplit=1)[0], previous=before)
    assert [rule.id for rule in after.book.rules] == ["a"]


def test_segments_may_stand_in_any_file_and__sorted() -> None:
    using = b"rules:\n  - name: R\n    when: {segment: [S, T]}\n    then: [{flag: r}]\n"
    made = b"segments:\n  - nom: T\n    quand: {segment: S}\n  - nom: S\n    quand: {visites: 3}\n"
    reading = read({"a.yaml": using, "b.yaml": made})
    assert reading.mistakes == []
    assert [[s.id for s in layer] for layer in reading.book.layers] == [["s"], ["t"]]
    assert reading.book.rules[0].needs == {"visits"}


def test_a_segment_that_is_wrong_takes_its_rules_along() -> None:
    text = "segments:\n  - name: S\n    when: {visits: lots}\nrules:\n  - name: R\n    when: {segment: S}\n    then: [{flag: r}]\n"
    reading = one(text)
    assert [m.code for m in reading.mistakes] == ["phrase"]
    assert reading.book.rules == ()


def test_a_folder_without_rules_is_right() -> None:
    assert one("").mistakes == one("# nothing yet\n").mistakes == one("rules:\n").mistakes == []


def test_paths_are_in_the_words_of_the_file() -> None:
    text = "règles:\n  - nom: A\n    quand: {visites: beaucoup}\n    alors: [{signaler: a}]\n"
    mistake = one(text).mistakes[0]
    assert mistake.to_json("fr")["path"] == "règles[1].quand.visites"
    assert str(mistake.place) == "r.yaml:3:22"


def test_three_hundred_segments_in_a_chain() -> None:
    links = "".join(f"  - name: S{n}\n    when: {{segment: S{n + 1}}}\n" for n in range(300))
    text = f"segments:\n{links}  - name: S300\n    when: {{visits: 1}}\n"
    begun = time.process_time()
    assert one(text).mistakes == []
    ring = text.replace("{visits: 1}", "{segment: S0}")
    assert [m.code for m in one(ring).mistakes] == ["circle"]
    assert time.process_time() - begun < 60


# --- the same rule, written in both languages by the machine


def _yaml(language: str, condition: Condition) -> Any:
    words = vocabulary(language)
    match condition:
        case InSegment(segment=name):
            return {words.key("logic", "segment"): name}
        case Check(field=name, type=kind, op=op, values=values):
            phrase = _phrase(language, kind, op, values)
            if name.startswith("sheet:"):
                return {words.key("logic", "sheet"): {name.removeprefix("sheet:"): phrase}}
            return {words.key("fields", name): phrase}
        case AllOf() | AnyOf() | NoneOf():
            key = {AllOf: "all_of", AnyOf: "any_of", NoneOf: "none_of"}[type(condition)]
            return {words.key("logic", key): [_yaml(language, item) for item in condition.items]}


def _phrase(language: str, kind: str, op: str, values: Any) -> Any:
    if kind == "yesno":
        return vocabulary(language).shown("yesno", values[0])
    if kind == "text" and op == "is":
        return [*values]
    if kind == "tags" and op == "contain_any":
        return [*values]
    return typed(language, "number" if kind == "money" else kind, Phrase(op, values))


def _writable(check: Check) -> bool:
    texts = [value for value in check.values if isinstance(value, str)]
    return (
        check.field not in SINCE
        and all(value == value.strip() and value for value in texts)
        and not (check.field.startswith("sheet:") and check.op in {"never", "known"} and check.type != "text")
    )


def _of_somebody(check: Check) -> bool:
    """Not what is told because it would be true of nobody, or of everybody."""
    turned = (check.field in PAST and check.op in AHEAD) or (check.field == "next_visit" and check.op in BACK)
    numbers = [value for value in check.values if isinstance(value, Decimal)]
    counted = check.type in {"number", "money"} and numbers and check.field in FIELDS and check.window is None
    whole = check.type == "money" or all(value == value.to_integral_value() for value in numbers)
    strange = not whole or min(numbers, default=Decimal(1)) < (1 if check.op in {"at_least", "less"} else 0)
    return not turned and not (counted and strange)


def _bare_code(check: Check) -> bool:
    return check.field.startswith("sheet:") and check.type == "text" and check.op != "is"


@given(conditions(CHECKS.filter(_writable).filter(_of_somebody).filter(lambda check: not _bare_code(check))))
@settings(max_examples=120, deadline=None)
def test_the_same_condition_in_both_languages(condition: Condition) -> None:
    found = []
    for language, (rules, name, when, then, flag) in {
        "en": ("rules", "name", "when", "then", "flag"),
        "fr": ("règles", "nom", "quand", "alors", "signaler"),
    }.items():
        text = json.dumps(
            {rules: [{name: "R", when: _yaml(language, condition), then: [{flag: "f"}]}]}, ensure_ascii=False
        )
        # JSON quotes every text; a person does not, and quoting makes a sheet's phrase plain text
        bare = "\n".join(_unquoted(json.loads(text)))
        reading = one(bare)
        assume(not any(mistake.code in {"never-both", "never-and-some"} for mistake in reading.mistakes))
        assert [mistake.show(language, bare) for mistake in reading.mistakes] == []
        found.append(reading.book.rules[0])
    english, french = found
    assert condition_json(english.when) == condition_json(french.when)
    assert condition_json(english.when.items[0]) == condition_json(condition)
    assert english.digest == french.digest


def _unquoted(value: Any, indent: str = "") -> list[str]:
    """Block YAML as people write it, with quotes only inside lists."""
    lines: list[str] = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines += [f"{indent}{key}:", *_unquoted(item, indent + "  ")]
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            lines.append(f"{indent}{key}:")
            for below in item:
                first, *rest = _unquoted(below, indent + "    ")
                lines += [f"{indent}  - {first.strip()}", *rest]
        else:
            lines.append(f"{indent}{key}: {json.dumps(item, ensure_ascii=False) if isinstance(item, list) else item}")
    return lines


# --- nothing ever raises


@given(st.lists(st.tuples(st.integers(0, len(EN)), st.integers(0, 12), st.text(max_size=4)), max_size=6), st.booleans())
@settings(max_examples=100, deadline=60_000)
def test_no_mutation_ever_raises(edits: list[tuple[int, int, str]], french: bool) -> None:  # noqa: FBT001
    text = FR if french else EN
    for at, cut, put in edits:
        text = text[:at] + put + text[at + cut :]
    for mistake in read({"r.yaml": text.encode("utf-8", "surrogatepass")}, columns=COLUMNS, templates=["x"]).mistakes:
        assert mistake.show("fr", "")
        assert mistake.to_json("en")["message"]


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=60_000)
def test_no_bytes_ever_raise(data: bytes) -> None:
    read({"r.yaml": data})


LINES = [line for line in (EN + FR).splitlines() if line.strip()]


@given(st.lists(st.tuples(st.sampled_from(LINES), st.integers(-4, 4)), max_size=15))
@settings(max_examples=80, deadline=60_000)
def test_no_shuffle_of_lines_ever_raises(picked: list[tuple[str, int]]) -> None:
    lines = [" " * max(0, len(line) - len(line.lstrip()) + by) + line.strip() for line, by in picked]
    for mistake in one("\n".join(lines)).mistakes:
        assert mistake.message("en")
        assert mistake.message("fr")


def test_headers_differ_only_in_how_they_are_typed() -> None:
    english, typed_otherwise = one(EN, columns=COLUMNS).book, one(EN).book
    assert english.rules[0].digest == typed_otherwise.rules[0].digest
    assert typed_otherwise.columns_gone(COLUMNS) == ()
    assert typed_otherwise.columns_gone(COLUMNS[1:]) == ("do not contact",)


def test_a_column_that_a_rule_writes_in_may_be_new() -> None:
    text = RIGHT.replace("{flag: a}", "{set: {New column: x, STATUS: y}}").replace(
        "visits: 2", "sheet: {new column: x}"
    )
    reading = one(text, columns=COLUMNS)
    assert reading.mistakes == []
    assert reading.book.rules[0].actions == (SetCell("New column", "x"), SetCell("Status", "y"))
    assert reading.book.columns == {"New column"}


@pytest.mark.parametrize("nothing", ["\ufeff", "\u200b", '"\u00ad"'])
def test_a_value_of_signs_that_nobody_sees_is_told(nothing: str) -> None:
    text = f"règles:\n  - nom: A\n    quand: {nothing}\n    alors:\n      - signaler: X\n"
    assert read({"a.yaml": text.encode()}).mistakes
