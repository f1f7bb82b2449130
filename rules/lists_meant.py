"""Several texts where one stands, as people write them: `contains École or Collège`, `any of [Lyon, Nantes]`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rules.conditions import SHEET
from rules.context import Context
from rules.denied import tell_denied
from rules.mistakes import Place
from rules.names_meant import may_be_name, without_signs
from rules.phrases import OF_SEVERAL, Phrase, read_phrase, split_list, typed
from rules.words import Vocabulary
from rules.yamltext import Text

ANY = {"contains": "contains_any", "starts": "starts_any", "contain": "contain_any"}
"""What asks for one text, and for one of several."""
BETWEEN = re.compile(r"\s*[,;|]\s*|\s+(?:ou(?: bien)?|or|soit)(?:\s+|$)", re.IGNORECASE)
BOTH = re.compile(r"\s*[,;|]\s*|\s+(?:and|et)\s+", re.IGNORECASE)
EACH = re.compile(
    r"(?:(?:any|one|either|some) of|either|soit|(?:au moins |l')?une? (?:de|des|parmi)|(?:any|one|some|un)(?= *\[))(?: +| *(?=\[))(.+)",
    re.IGNORECASE,
)
ALL = re.compile(r"(all of|each of|both|all|tous les|tous|toutes|à la fois) +(.+)", re.IGNORECASE)
BRACKETED = re.compile(r"\[(.*)\]", re.DOTALL)


def tell_several(context: Context, field: str, shown: str, kind: str, node: Text, path: str) -> bool:
    """Tell `contains A or B` and `starts with A, B`, which would be looked for as one text, `contains all of [A, B]`, and
    `contains none of [A, B]`, which tags alone take; whether it is one of these.
    """
    words, found = context.words, node.value.strip()
    phrase = read_phrase(words.language, kind, found)
    none = read_phrase(words.language, "tags", found) if kind == "text" else None
    if none and none.op == "contain_none":
        line = f"{shown}: {typed(words.language, kind, Phrase('contains_any', none.values))}"
        above = path.rsplit(".", 2 if field.startswith(SHEET) else 1)[0]
        line = f"{words.key('logic', 'sheet')}: {{{line}}}" if field.startswith(SHEET) else line
        tell_denied(context, node.place, above, found, line)
        return True
    if phrase is None or phrase.op not in {*ANY, *OF_SEVERAL}:
        return False
    if phrase.op in ANY and (every := ALL.fullmatch(_text(phrase, found))):
        names = _names(words, kind, phrase.op, every[2], BOTH)
        if len(names) > 1 or " " in every[1]:
            line = typed(words.language, kind, Phrase(phrase.op, tuple(names[:1])))
            tell_lines(context, "tags-all", shown, found, line, node.place, path)
            return True
    return _tell_more(context, field, shown, kind, node, phrase, path)


def _tell_more(context: Context, field: str, shown: str, kind: str, node: Text, phrase: Phrase, path: str) -> bool:
    """Tell texts with a comma or an `or` between them, with the brackets they go in."""
    words, found = context.words, node.value.strip()
    text = _text(phrase, found)
    begun = EACH.fullmatch(text)
    together = field in {"postcode", "phone"}  # no number begins with two of them
    if not together and (cut := text.rstrip(",; ")) != text and not _parts(text):
        right = typed(words.language, kind, Phrase(phrase.op, (cut,)))
        context.tell(node.place, "phrase-near", path, found, field=shown, suggestion=right)
        return True
    between = BOTH if together and not _parts(text) else BETWEEN
    names = _names(words, kind, phrase.op, begun[1] if begun else text, between)
    if phrase.op in OF_SEVERAL:  # `contain any of dance or circus`
        each = [
            [str(value)] if f'"{value}"' in found else _parts(str(value)) or [str(value)] for value in phrase.values
        ]
        names = [name for several in each for name in several]
    if not names or (len(names) == len(phrase.values) and not begun):
        return False
    right = typed(words.language, kind, Phrase(ANY.get(phrase.op, phrase.op), tuple(names)))
    more: dict[str, object] = {}
    if (
        not begun
        and phrase.op in ANY
        and field not in {"postcode", "phone"}
        and text.strip("'\"") == text
        and '"' not in text
    ):
        more = {"one_text": typed(words.language, kind, Phrase(phrase.op, (f'"{text}"',)))}
    context.tell(node.place, "texts-in-brackets", path, found, field=shown, suggestion=right, **more)
    return True


def several_texts(words: Vocabulary, kind: str, text: str) -> str | None:
    """`contains A, B` as it should be typed; None where it is no such phrase."""
    kind = kind if kind == "tags" else "text"
    phrase = read_phrase(words.language, kind, text)
    if phrase is None or phrase.op not in ANY:
        return None
    names = _names(words, kind, phrase.op, str(phrase.values[0]))
    return typed(words.language, kind, Phrase(ANY[phrase.op], tuple(names)))


def tell_names(context: Context, field: str, shown: str, kind: str, node: Text, path: str) -> bool:
    """Tell `Lyon, Nantes` and `any of [Lyon, Nantes]` where one name stands; whether it is such a list. In the team's own
    columns, and in the name of an organisation, a comma may stand.
    """
    text = node.value.strip()
    begun = EACH.fullmatch(text)
    bracketed = BRACKETED.fullmatch(begun[1]) if begun else None
    if not bracketed and (field.startswith(SHEET) or field == "organisation"):
        return False
    names = split_list(bracketed[1]) if bracketed else _parts(begun[1] if begun else text)
    if not names:
        return False
    if not tell_phrases(context, field, shown, kind, names, node.place, path):
        more = {"quotable": True} if not bracketed and may_be_name(context.words, field, text) else {}
        context.tell(node.place, "one-name", path, text, suggestion=f"[{', '.join(names)}]", **more)
    return True


def tell_phrases(
    context: Context, field: str, shown: str, kind: str, names: Sequence[str], place: Place, path: str
) -> bool:
    """Tell `[starts with 29, starts with 56]` and `29*, 56*`: each of them would be looked for as it stands. Whether there is
    a phrase among these names.
    """
    words, found = context.words, ", ".join(names)
    read = [_phrase(words, field, kind, name) for name in names]
    told = [phrase for phrase in read if phrase is not None]
    if not told:
        return False
    ops = {phrase.op for phrase in told}
    if len(told) == len(read) and len(ops) == 1 and ops <= ANY.keys():
        every = Phrase(ANY[ops.pop()], tuple(phrase.values[0] for phrase in told))
        right = typed(words.language, kind, every)
        context.tell(place, "list-of-one-phrase", path, found, field=shown, suggestion=right)
    else:
        tell_lines(context, "list-of-phrases", shown, found, typed(words.language, kind, told[0]), place, path)
    return True


def tell_lines(context: Context, code: str, shown: str, found: str, line: str, place: Place, path: str) -> None:
    """Tell that each needs a line of its own, which begins like `line`."""
    logic = {name: context.words.key("logic", name) for name in ("any_of", "all_of")}
    context.tell(place, code, path, found, line=f"- {shown}: {line}", **logic)


def _text(phrase: Phrase, found: str) -> str:
    """The one text of a phrase; empty where it stands in quotes, and is meant as it stands."""
    text = str(phrase.values[0]).strip() if phrase.op in ANY else ""
    return text if found.endswith(text) else ""


def _parts(text: str) -> list[str]:
    """`École or Collège` and `École, Collège` as their texts; none where there is but one."""
    parts = [part.strip() for part in BETWEEN.split(text) if part.strip()]
    return parts if len(parts) > 1 else []


def _names(words: Vocabulary, kind: str, op: str, text: str, between: re.Pattern[str] = BETWEEN) -> list[str]:
    """The texts of a list, in brackets or not, without the phrase that each may repeat."""
    bracketed = BRACKETED.fullmatch(text.strip())
    listed = split_list(bracketed[1] if bracketed else text)
    names = [name.strip(" \"'[]") for part in listed for name in between.split(part)]
    read = [read_phrase(words.language, kind, name) for name in names]
    again = [str(one.values[0]) if one and one.op == op else name for one, name in zip(read, names, strict=True)]
    return [name for name in again if name]


def _phrase(words: Vocabulary, field: str, kind: str, name: str) -> Phrase | None:
    """`75*` or `starts with 75` as a phrase. In the team's own columns `75*` may stand."""
    phrase = read_phrase(words.language, kind, name)
    if phrase is None and not field.startswith(SHEET) and (cut := without_signs(words, kind, name)):
        phrase = read_phrase(words.language, kind, cut)
    return phrase if phrase and phrase.op not in {"never", "known"} else None
