"""The hostile data set: what people, services and time zones really come up with.

Each thing has a name, so that a failing test says which one it was.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

NAMES: dict[str, str] = {
    "plain": "Tremblay",
    "accents": "Éloïse Œuvrard-Nguyễn",
    "decomposed": "E\u0301loi\u0308se",
    "apostrophes": "N'Diaye d’Ormesson",
    "emoji": "Zoé 🎭👩‍👩‍👧🏽",
    "right to left": "مريم \u202eeirraM\u202c שרה",
    "zero width": "Ma\u200brie\ufeff",
    "no-break": "Le\u00a0Goff\u202fYann",
    "turkish": "İstanbul ığdır ẞß ﬁ",
    "formula": '=IMPORTXML("https://evil.example.org/"; "//a")',
    "hyperlink": '=HYPERLINK("https://evil.example.org","click")',
    "dde": "=cmd|' /C calc'!A0",
    "plus": "+33639980000",
    "minus": "-1+1",
    "at": "@SUM(1+1)",
    "tab and formula": "\t=1+1",
    "template": "{{ config }} {% raw %} ${HOME} %s {0}",
    "html": "<script>alert('x')</script><b>&amp;</b>",
    "sql": "Robert'); DROP TABLE person;--",
    "newlines": "Jean\r\nBcc: all@example.org\n\nPaul",
    "nul": "Jean\x00Paul",
    "controls": "A\x01\x1b[31mB\x7f",
    "spaces": "  \u3000Anne   Marie  ",
    "number": "007",
    "date": "2024-01-31",
    "words of others": "NULL",
    "yes": "NO",
    "long": "é" * 50_000,
    "astral": "𝒁𝒐é 𠜎",
}
EMAILS: dict[str, str] = {
    "small": "marie.tremblay@example.org",
    "capitals": "Marie.TREMBLAY@Example.ORG",
    "plus": "marie+theatre@example.org",
    "quoted": '"marie tremblay"@example.org',
    "international": "élodie@exemple.example",
    "punycode": "elodie@xn--exmple-cva.example",
    "spaces": "  marie@example.org ",
    "two at once": "marie@example.org, paul@example.org",
    "none": "pas d'adresse",
    "header": "marie@example.org\nBcc: all@example.org",
}
AMOUNTS: dict[str, Decimal] = {
    "nothing": Decimal("0.00"),
    "cents": Decimal("0.01"),
    "negative": Decimal("-12.50"),
    "large": Decimal("9999999.99"),
    "three places": Decimal("1.005"),
    "not a float": Decimal("0.30"),
}
_PARIS = ZoneInfo("Europe/Paris")
TIMES: dict[str, datetime] = {
    "first 02:30 of the night the clocks go back": datetime(2026, 10, 25, 2, 30, tzinfo=_PARIS),
    "second 02:30 of that night": datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=_PARIS),
    "the hour that does not exist": datetime(2026, 3, 29, 2, 30, tzinfo=_PARIS),
    "leap day": datetime(2028, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
    "new year in Auckland": datetime(2027, 1, 1, 0, 5, tzinfo=ZoneInfo("Pacific/Auckland")),
    "before 1970": datetime(1969, 7, 20, 20, 17, tzinfo=UTC),
    "far": datetime(2199, 12, 31, tzinfo=UTC),
}
