"""What a source wrote about a person, made comparable; what is shown stays as written unless it was all capitals.

Nothing is guessed: a value that can't be understood is shown as it is and compared with nothing. Every function gives
the same result when it is given its own result.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from connectors.records import Person

SIMPLE_EMAIL = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
PARTICLES = frozenset(
    ["de", "du", "des", "le", "la", "les", "of", "von", "van", "der", "den", "di", "da", "dos", "del"]
)
ELIDED = re.compile(r"\b[dl]['’]")
TITLES = frozenset(
    [
        "m",
        "mr",
        "mme",
        "mlle",
        "mrs",
        "ms",
        "miss",
        "dr",
        "docteur",
        "pr",
        "prof",
        "me",
        "monsieur",
        "madame",
        "mademoiselle",
    ]
)
LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
WORD = re.compile(r"\w+")
POSTCODE_CA = re.compile(r"[ABCEGHJ-NPRSTVXY]\d[A-Z]\d[A-Z]\d")
LANGUAGES = {
    **dict.fromkeys(("fr", "fre", "fra", "francais", "french"), "fr"),
    **dict.fromkeys(("en", "eng", "anglais", "english"), "en"),
    **dict.fromkeys(("es", "spa", "espagnol", "spanish", "espanol"), "es"),
    **dict.fromkeys(("de", "ger", "deu", "allemand", "german", "deutsch"), "de"),
    **dict.fromkeys(("it", "ita", "italien", "italian", "italiano"), "it"),
}
COUNTRIES = {
    **dict.fromkeys(("fr", "fra", "france"), "FR"),
    **dict.fromkeys(("ca", "can", "canada"), "CA"),
    **dict.fromkeys(("be", "bel", "belgique", "belgium"), "BE"),
    **dict.fromkeys(("ch", "che", "suisse", "switzerland"), "CH"),
    **dict.fromkeys(("lu", "lux", "luxembourg"), "LU"),
    **dict.fromkeys(("us", "usa", "etats unis", "united states", "united states of america"), "US"),
    **dict.fromkeys(("gb", "gbr", "uk", "royaume uni", "united kingdom"), "GB"),
    **dict.fromkeys(("de", "deu", "allemagne", "germany"), "DE"),
    **dict.fromkeys(("es", "esp", "espagne", "spain"), "ES"),
    **dict.fromkeys(("it", "ita", "italie", "italy"), "IT"),
}


class Clean(NamedTuple):
    """A Person record, normalised. `*_key` are for comparing only; None compares with nothing. `phone` is E.164 where
    it could be understood. `known`: there is an e-mail, a phone number or a name, so this is somebody.
    """

    known: bool
    customer: str | None
    email_key: str | None
    name_key: str | None
    phone_key: str | None
    place_key: str | None
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    language: str | None
    postcode: str | None
    city: str | None
    region: str | None
    country: str | None
    birthday: str | None
    organisation: str | None


def clean(one: Person, country: str) -> Clean:
    """Normalise one Person record. `country` (FR) is whose phone numbers and postal codes are meant by default."""
    written, key = email(one.email)
    first, last = names(one.first_name, one.last_name, one.name)
    home = country_code(one.country)
    number = phone(one.phone, home or country)
    post = postcode(one.postcode, home or country)
    name = name_key(first, last)
    whole = " ".join(word for word in name.split(" ") if len(word) > 1) if name and is_whole(name) else None
    return Clean(
        known=bool(written or number or name),
        customer=tidy(one.customer),
        email_key=key,
        name_key=name,
        phone_key=f"{number} {whole}" if number and number.startswith("+") and whole else None,
        place_key=f"{post} {whole}" if post and whole else None,
        email=written,
        phone=number,
        first_name=first,
        last_name=last,
        language=language(one.language),
        postcode=post,
        city=capitals(tidy(one.city)),
        region=tidy(one.region),
        country=home or tidy(one.country),
        birthday=None if one.birthday is None else one.birthday.isoformat(),
        organisation=tidy(one.organisation),
    )


def tidy(text: str | None) -> str | None:
    """Without control characters and doubled or outer spaces, in Unicode's composed form (NFC); None when empty."""
    if text is None:
        return None
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).encode("utf-8", "ignore").decode("utf-8")
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(c) in ("Cc", "Zs", "Zl", "Zp") else c for c in text)
    return " ".join(text.split()) or None


def fold(text: str) -> str:
    """Without accents and letter case."""
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(LETTERS))
        text = "".join(c for c in text if not unicodedata.combining(c)).casefold()
    return text


def email(text: str | None) -> tuple[str | None, str | None]:
    """An address as written, and its key (None where it is none): letter case never matters, dots and tags do."""
    written = tidy(text)
    if written is None:
        return None, None
    bare = re.sub(r"^mailto:", "", written, flags=re.IGNORECASE).strip(" <>.,;:\"'") or None
    if bare is None:
        return None, None
    low = bare.casefold()
    if SIMPLE_EMAIL.fullmatch(low) and len(low.partition("@")[0]) <= 64 and len(low) < 254:
        return bare, low
    key = _validated(bare)
    return (bare, key) if key else (written, None)


@lru_cache(20_000)
def _validated(address: str) -> str | None:
    try:
        found = validate_email(address, check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError:
        return None
    return unicodedata.normalize("NFC", found.normalized.casefold())


@lru_cache(100_000)
def phone(text: str | None, country: str) -> str | None:
    """`+33612345678` where the number is one that exists in its plan; otherwise as written."""
    written = tidy(text)
    if written is None:
        return None
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        return written
    if number.extension or not phonenumbers.is_valid_number(number):
        return written
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def names(first: str | None, last: str | None, whole: str | None) -> tuple[str | None, str | None]:
    """First and last name as shown. A whole name is split: `DUPONT Jean`, `Dupont, Jean` and `Jean Dupont` agree."""
    first, last = tidy(first), tidy(last)
    if first is None and last is None and (whole := tidy(whole)) is not None:
        first, last = _split(whole)
    return capitals(first), capitals(last)


def _split(whole: str) -> tuple[str | None, str | None]:
    if whole.count(",") == 1:
        last, first = whole.split(",")
        return tidy(first), tidy(last)
    words = whole.split(" ")
    while len(words) > 1 and fold(words[0]).strip(".") in TITLES:
        del words[0]
    if len(words) == 1:
        return None, words[0]
    shouted = [word.isupper() and len(word.strip(".")) > 1 for word in words]
    if shouted[0] and not shouted[-1]:
        at = shouted.index(False)
        return " ".join(words[at:]), " ".join(words[:at])
    return words[0], " ".join(words[1:])


@lru_cache(100_000)
def capitals(text: str | None) -> str | None:
    """`JEAN-PIERRE` and `jean-pierre` become `Jean-Pierre`; anything else is how its owner writes it."""
    if text is None or not (text.isupper() or text.islower()) or len(text) < 2:
        return text
    return WORD.sub(_capital, text.lower())


def _capital(match: re.Match[str]) -> str:
    word, after = match[0], match.string[match.end() : match.end() + 1]
    elided = word in ("d", "l") and after in ("'", "’") and after
    inside = match.start() > 0 and word in PARTICLES
    return word if elided or inside else word[0].upper() + word[1:]


@lru_cache(100_000)
def name_key(first: str | None, last: str | None) -> str | None:
    """The words of a name without accents, case, order, titles and particles. One letter stands for a name."""
    words = [word for part in (first, last) if part for word in WORD.findall(ELIDED.sub("", fold(part)))]
    words = [word for word in words if word not in TITLES] or words
    kept = [word for word in words if word not in PARTICLES]
    return " ".join(sorted(kept if len(kept) > 1 else words)) or None


def is_whole(key: str) -> bool:
    """A first and a last name, at least, and more than an initial of two of them."""
    return sum(len(word) > 1 for word in key.split(" ")) > 1


def postcode(text: str | None, country: str) -> str | None:
    """`1000` is `01000` in France, where there is nothing else it could be; `h2x1y4` is `H2X 1Y4` in Canada."""
    written = tidy(text)
    if written is None:
        return None
    bare = re.sub(r"[\s.-]", "", written).upper()
    if POSTCODE_CA.fullmatch(bare):
        return f"{bare[:3]} {bare[3:]}"
    if country == "FR" and re.fullmatch(r"(?:F-?)?\d{5}", bare):
        return bare[-5:]
    if country == "FR" and re.fullmatch(r"[1-9]\d{3}", bare):
        return f"0{bare}"
    return written


def language(text: str | None) -> str | None:
    """`fr` from `fr-CA`, `French`, `Français`; None where it is not one we can tell."""
    written = tidy(text)
    if written is None:
        return None
    folded = fold(written)
    if folded in LANGUAGES:
        return LANGUAGES[folded]
    code = re.match(r"([a-z]{2})(?:[-_]|$)", folded)
    return code[1] if code else None


def country_code(text: str | None) -> str | None:
    """`FR` from `France`, `fra`; None where it is not one we can tell."""
    written = tidy(text)
    if written is None:
        return None
    folded = " ".join(WORD.findall(fold(written)))
    if folded in COUNTRIES:
        return COUNTRIES[folded]
    return written.upper() if len(written) == 2 and written.isascii() and written.isalpha() else None
