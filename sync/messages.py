"""Every sentence a person reads, in their language.

Sentences live in `sync/words/{en,fr}/*.yaml`, one file a subject, as `code: sentence`. A sentence may hold `{facts}`;
one that depends on a number is a block with `one:` and `other:` (and `n` among its facts). A test sees to it that both
languages hold the same codes and the same facts, and that every code the program raises is there.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from rules import ouryaml

LANGUAGES = ("en", "fr")


@cache
def sentences(language: str) -> dict[str, str | dict[str, str]]:
    """All sentences of a language by their code."""
    found: dict[str, str | dict[str, str]] = {}
    for file in sorted(files("sync").joinpath("words", language).iterdir(), key=lambda item: item.name):
        if file.name.endswith(".yaml"):
            for code, sentence in (ouryaml.read(file.read_text("utf-8")) or {}).items():
                if code in found:
                    raise ValueError(f"{file.name}: {code} stands twice")
                found[code] = sentence
    return found


def say(language: str, code: str, /, **facts: object) -> str:
    """The sentence for `code`, with its facts filled in. `n` chooses between singular and plural as the language does."""
    sentence = sentences(language)[code]
    if isinstance(sentence, dict):
        sentence = sentence["one" if _is_one(language, facts.get("n", 0)) else "other"]
    return sentence.format_map(facts)


def why_not(language: str, reason: str, other: str = "") -> str:
    """Why an e-mail did not go, from the word that the outbox keeps for it. `other`: the rule that has a part in it."""
    code = f"why-{reason}" if other else f"reason-{reason}"
    return say(language, code, rule=other) if code in sentences(language) else reason


def _is_one(language: str, n: object) -> bool:
    # French says "0 personne", "1 personne", "1,5 personne"; English only "1 person" (CLDR plural rules).
    return isinstance(n, int | float) and (abs(n) < 2 if language == "fr" else n == 1)
