"""`filrouge init --sheet …` on a sheet with years in it, of each kind: understood, left alone, and matched at the first run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import openpyxl
import pytest

from connectors.sheets.airtables import line
from sync.config import Config
from sync.configfile import read_config
from tests.fakes.airtable import BASE, TOKEN, FakeAirtable
from tests.fakes.google import EMAIL, SPREADSHEET, FakeGoogle
from tests.sync.sheet.google_team import GoogleTeam
from tests.thread.small import HEAD, Done, Small

HEADERS = ["NOM", "Prénom", "Adresse mail", "Tél.", "C.P.", "Ville", "Visites", "Remarques"]
ROWS: list[list[Any]] = [
    ["EXEMPLE", "Jeanne", "Jeanne.Exemple@example.org", None, "G1R 1A1", "Québec", 12, "aime la danse"],
    ["Diallo", "Awa", None, "418 555-0142", None, "Québec", None, "Marie la connaît"],
    ["Roy", "Luc", None, None, "H2X 1Y4", "Montréal", 3, None],
    ["Tremblay", "Zoé", "zoe.tremblay@example.org", None, None, "Québec", None, "bénévole depuis 2009"],
]
MAPPING = {
    "NOM": "last_name",
    "Prénom": "first_name",
    "Adresse mail": "email",
    "Tél.": "phone",
    "C.P.": "postcode",
    "Ville": "city",
    "Dernière visite": "last_visit",
    "Signaux": "flags",
}
EXPORT = [
    f"{HEAD};Téléphone payeur;Code postal payeur;Ville payeur",
    "1;01/02/2024 10:00;Validé;Exemple;Jeanne;jeanne.exemple@example.org;Cyrano;10/03/2024 20:00;11;Plein tarif;18,00;;;",
    "2;01/02/2024 10:00;Validé;Diallo;Awa;awa@example.org;Cyrano;10/03/2024 20:00;21;Plein tarif;18,00;418-555-0142;;",
    "3;01/02/2024 10:00;Validé;Roy;Luc;luc@example.org;Cyrano;10/03/2024 20:00;31;Plein tarif;18,00;;h2x1y4;Montréal",
    "4;01/02/2024 10:00;Validé;Tremblay;Zoé;zoe@elsewhere.example.org;Cyrano;10/03/2024 20:00;41;Plein tarif;18,00;;;Québec",
]


class Sheet(Protocol):
    """A kind of sheet: how `init` is told of it, and what a person sees in it."""

    def told(self) -> list[str]: ...

    def fill(self, tab: str, headers: list[str], rows: list[list[Any]]) -> None: ...

    def rows(self, tab: str) -> list[dict[str, Any]]: ...

    def writes(self) -> int: ...


class Excel:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "Public.xlsx"
        self.before = b""

    def told(self) -> list[str]:
        return ["Public.xlsx"]

    def fill(self, tab: str, headers: list[str], rows: list[list[Any]]) -> None:
        book = openpyxl.load_workbook(self.file) if self.file.exists() else openpyxl.Workbook()
        sheet = book.create_sheet(tab)
        if "Sheet" in book.sheetnames:
            del book["Sheet"]
        for row in [headers, *rows]:
            sheet.append(row)
        book.save(self.file)
        self.before = self.file.read_bytes()

    def rows(self, tab: str) -> list[dict[str, Any]]:
        header, *rows = openpyxl.load_workbook(self.file)[tab].iter_rows(values_only=True)
        return [{str(name): cell for name, cell in zip(header, row, strict=True) if cell is not None} for row in rows]

    def writes(self) -> int:
        return int(self.file.read_bytes() != self.before)


class Google:
    def __init__(self, folder: Path, fake: FakeGoogle) -> None:
        self.fake, self.team = fake, GoogleTeam(fake, folder)
        key = folder / "phare-key.json"
        key.write_text(json.dumps(fake.account))
        key.chmod(0o600)

    def told(self) -> list[str]:
        return [
            f"https://docs.google.com/spreadsheets/u/1/d/{SPREADSHEET}/edit?usp=sharing",
            "--endpoint",
            self.fake.url,
        ]

    def fill(self, tab: str, headers: list[str], rows: list[list[Any]]) -> None:
        self.team.start(tab, headers)
        for row in rows:
            cells = dict(zip(headers, row, strict=True))
            self.team.type_row(tab, {header: cell for header, cell in cells.items() if cell is not None})
        self.fake.requests.clear()

    def rows(self, tab: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.team.shown(tab)]

    def writes(self) -> int:
        return sum(request.method != "GET" and request.path != "/token" for request in self.fake.requests)


class Airtable:
    def __init__(self, fake: FakeAirtable) -> None:
        self.fake = fake

    def told(self) -> list[str]:
        return [f"https://airtable.com/{BASE}/", "--endpoint", self.fake.url]

    def fill(self, tab: str, headers: list[str], rows: list[list[Any]]) -> None:
        kinds = {"Adresse mail": "email", "Tél.": "phoneNumber", "Visites": "number", "Jauge": "number"}
        cells = [dict(zip(headers, row, strict=True)) for row in rows]
        self.fake.table(
            tab,
            {header: kinds.get(header, "singleLineText") for header in headers},
            [{header: cell for header, cell in row.items() if cell is not None} for row in cells],
        )

    def rows(self, tab: str) -> list[dict[str, Any]]:
        return self.fake.rows(tab)

    def writes(self) -> int:
        return sum(request.method != "GET" for request in self.fake.requests)


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    with FakeGoogle() as fake:
        yield fake


@pytest.fixture
def airtable(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAirtable]:
    monkeypatch.setattr(line, "SPACING", 0.0)
    monkeypatch.delenv("AIRTABLE_TOKEN", raising=False)
    with FakeAirtable() as fake:
        yield fake


@pytest.fixture
def phare(small: Small) -> Small:
    """Before there is any config: export files, and whatever the sheet is."""
    for name in ("config.yaml", "rules/public.yaml"):
        (small.folder / name).unlink()
    small.write("exports/billets.csv", "\n".join(EXPORT) + "\n")
    return small


@pytest.fixture(params=["excel", "google", "airtable"])
def sheet(request: pytest.FixtureRequest, phare: Small) -> Sheet:
    if request.param == "excel":
        return Excel(phare.folder)
    if request.param == "google":
        return Google(phare.folder, request.getfixturevalue("google"))
    phare.write(".env", f"AIRTABLE_TOKEN={TOKEN}\n")
    return Airtable(request.getfixturevalue("airtable"))


def init(phare: Small, *arguments: str, **environment: str) -> Done:
    where = ["--country", "CA", "--source", "files", "--yes"]
    return phare.filrouge("--language", "fr", "init", ".", "--sheet", *arguments, *where, **environment)


def config(phare: Small) -> Config:
    reading = read_config(phare.folder / "config.yaml", {})
    assert [mistake.message("fr") for mistake in reading.mistakes] == []
    assert reading.config is not None
    return reading.config


def plain(said: str) -> str:
    return said.replace("\u00a0", " ").replace("\u202f", " ")


def test_it_is_understood_shown_and_left_alone(sheet: Sheet, phare: Small) -> None:
    sheet.fill("2019", ["Spectacle", "Jauge"], [["Cyrano", 120]])
    sheet.fill("Contacts", HEADERS, ROWS)
    before = sheet.rows("Contacts")
    done = init(phare, *sheet.told())
    assert done.code == 0, done.erred
    assert config(phare).columns == MAPPING
    said = plain(done.said)
    assert "L'onglet « Contacts » a 4 lignes" in said
    shown = {header: next(row for row in said.splitlines() if row.startswith(f"  {header} ")) for header in HEADERS}
    assert "→ courriel" in shown["Adresse mail"]
    assert "Jeanne.Exemple@example.org · zoe.tremblay@example.org" in shown["Adresse mail"]
    assert "à vous seuls, jamais écrite" in shown["Remarques"]
    assert "remplie à la main ; ressemble à visites" in shown["Visites"]
    assert sheet.writes() == 0
    assert sheet.rows("Contacts") == before


def test_at_the_first_run_its_rows_are_matched_to_people(sheet: Sheet, phare: Small) -> None:
    sheet.fill("Contacts", HEADERS, ROWS)
    init(phare, *sheet.told())
    assert phare.filrouge("check").code == 0
    done = phare.run()
    assert done.code in (0, 7), done.erred + done.said
    rows = {row["Prénom"]: row for row in sheet.rows("Contacts") if row.get("Remarques") or row["Prénom"] == "Luc"}
    assert [rows[name].get("Adresse mail") for name in ("Jeanne", "Awa", "Luc")] == [
        "Jeanne.Exemple@example.org",  # as they wrote it
        "awa@example.org",  # known by her phone number
        "luc@example.org",  # known by his name and postcode
    ]
    assert all("Dernière visite" in rows[name] for name in ("Jeanne", "Awa", "Luc"))
    assert (rows["Jeanne"]["NOM"], rows["Jeanne"]["Visites"], rows["Luc"]["Visites"]) == ("EXEMPLE", 12, 3)
    assert rows["Zoé"]["Remarques"] == "bénévole depuis 2009"
    assert [row["Prénom"] for row in sheet.rows("Contacts")].count("Zoé") == 2
    written = sheet.rows("Contacts")
    assert phare.run().facts["cells"] == {"written": 0, "rows_added": 0, "edits_kept": 0, "conflicts": 0}
    assert sheet.rows("Contacts") == written


def test_whom_only_a_name_connects_is_listed_until_they_are_one(sheet: Sheet, phare: Small) -> None:
    sheet.fill("Contacts", HEADERS, [*ROWS, ["Nguyen", "Kim", None, None, None, "Gatineau", None, "homonyme"]])
    other = (
        "5;01/02/2024 10:00;Validé;Nguyen;Kim;kim@example.org;Cyrano;10/03/2024 20:00;51;Plein tarif;18,00;;;Sherbrooke"
    )
    phare.write("exports/billets.csv", "\n".join([*EXPORT, other]) + "\n")
    init(phare, *sheet.told())
    assert (
        "1 ligne du tableau nomme peut-être quelqu'un de déjà connu" in phare.filrouge("run", today="2026-03-14").said
    )
    page = (phare.folder / "report.html").read_text("utf-8")
    one, why, another = page.index("zoe.tremblay@"), page.index("Même nom et même ville"), page.index("zoe@elsewhere")
    assert max(one, another) < why < max(one, another) + 200
    assert "kim@example.org" not in page[page.index("Peut-être la même personne") : why]
    assert "peut-être" not in phare.filrouge("run", today="2026-03-15").said
    assert "Peut-être la même personne" in (phare.folder / "report.html").read_text("utf-8")
    told = "\n".join([*EXPORT, other]).replace("zoe@elsewhere.example.org", "zoe.tremblay@example.org")
    phare.write("exports/billets.csv", told + "\n")
    assert phare.run(today="2026-03-16").facts["people"]["merged"] == 1
    assert "Peut-être la même personne" not in (phare.folder / "report.html").read_text("utf-8")


# --- what stands in the way ------------------------------------------------------------------------------------------


def refused(phare: Small, *arguments: str, **environment: str) -> Done:
    """Nothing was written, and the command may be run again."""
    done = init(phare, *arguments, **environment)
    assert not (phare.folder / "config.yaml").exists()
    assert "relancez la même commande" in done.said or done.code == 2
    return done


@pytest.fixture
def tableur(phare: Small, google: FakeGoogle) -> Google:
    sheet = Google(phare.folder, google)
    sheet.fill("Contacts", HEADERS, ROWS)
    return sheet


def test_a_spreadsheet_that_is_not_shared_names_the_address_to_share_it_with(phare: Small, tableur: Google) -> None:
    tableur.fake.role = "none"
    done = refused(phare, *tableur.told())
    assert (done.code, EMAIL in done.erred) == (1, True)
    tableur.fake.role = "reader"
    done = init(phare, *tableur.told())
    assert (done.code, EMAIL in done.said) == (0, True)


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ((f"https://docs.google.com/spreadsheets/d/{'x' * 44}/edit",), 2, EMAIL),
        ((f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit#gid=78",), 2, "Feuille 1 · Contacts"),
        ((SPREADSHEET, "--tab", "Contact"), 2, "Vouliez-vous dire « Contacts »"),
        ((f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit?gid=0#gid=0",), 0, ""),
        ((SPREADSHEET, "--tab", "Feuille 1"), 0, ""),
        ((SPREADSHEET, "--credentials", "cle.json"), 2, "cle.json"),
        (("https://docs.google.com/spreadsheets/d/e/2PACX-1vabcdefghijklmnop/pubhtml",), 2, "page publiée"),
        (("https://docs.google.com/forms/d/e/1FAIpQLSabcdefghijklmnop/viewform",), 2, "formulaire"),
        (("https://phare.sharepoint.example.org/contacts.aspx",), 2, "SharePoint"),
    ],
)
def test_what_google_can_not_open_is_a_sentence(
    phare: Small, tableur: Google, given: tuple[str, ...], code: int, words: str
) -> None:
    done = init(phare, *given, "--endpoint", tableur.fake.url)
    assert done.code == code, done.erred
    if code:
        assert words in plain(done.erred)
        assert not (phare.folder / "config.yaml").exists()
    else:
        assert not config(phare).tab.columns  # an empty tab: the usual columns are made in it


def test_a_google_account_that_is_not_ready_is_a_sentence(phare: Small, tableur: Google) -> None:
    tableur.fake.enabled = False
    assert "API Google Sheets" in refused(phare, *tableur.told()).erred
    tableur.fake.enabled, tableur.fake.office = True, True
    assert "fichier Excel" in refused(phare, *tableur.told()).erred
    (phare.folder / "phare-key.json").unlink()
    done = refused(phare, *tableur.told())
    assert "compte de service" in done.erred
    assert "google-key.json" in done.erred


def test_the_tab_in_the_address_is_the_one_that_is_meant(phare: Small, tableur: Google) -> None:
    tableur.fill("Anciens", ["Nom", "Prénom"], [["Exemple", "Ancien"]])
    tableur.fake.document.tab("Anciens").id = 77
    address, *rest = tableur.told()
    assert init(phare, f"{address}#gid=77", *rest).code == 0
    assert config(phare).tab.tab == "Anciens"


@pytest.fixture
def base(phare: Small, airtable: FakeAirtable) -> Airtable:
    sheet = Airtable(airtable)
    sheet.fill("Anciens", ["Nom", "Prénom"], [["Exemple", "Ancien"]])
    sheet.fill("Le public", HEADERS, ROWS)
    return sheet


def test_the_token_is_asked_of_the_environment_or_of_env(phare: Small, base: Airtable) -> None:
    done = refused(phare, *base.told())
    assert ("airtable.com/create/tokens" in done.erred, "AIRTABLE_TOKEN=" in done.erred) == (True, True)
    assert "pat" in refused(phare, *base.told(), AIRTABLE_TOKEN="key1234567").erred
    wrong = refused(phare, *base.told(), AIRTABLE_TOKEN=TOKEN.replace("0", "1"))
    assert (wrong.code, ".env" in wrong.erred, TOKEN[:12] in wrong.erred) == (1, True, False)
    assert init(phare, *base.told(), AIRTABLE_TOKEN=TOKEN).code == 0
    assert TOKEN not in (phare.folder / "config.yaml").read_text("utf-8")
    assert TOKEN not in (phare.folder / ".env").read_text("utf-8")


def test_a_table_is_known_by_its_id_so_that_it_may_be_renamed(phare: Small, base: Airtable) -> None:
    assert init(phare, *base.told(), AIRTABLE_TOKEN=TOKEN).code == 0
    assert config_text(phare).count(f"tab: {base.fake.grid('Le public').id}   # Le public") == 1
    (phare.folder / "config.yaml").unlink()
    old = base.fake.grid("Anciens").id
    assert (
        init(phare, f"https://airtable.com/{BASE}/{old}/viwFakeFakeFake01", *base.told()[1:], AIRTABLE_TOKEN=TOKEN).code
        == 0
    )
    assert f"tab: {old}" in config_text(phare)


def config_text(phare: Small) -> str:
    return (phare.folder / "config.yaml").read_text("utf-8")


def test_what_airtable_does_not_let_in_is_a_sentence(phare: Small, base: Airtable) -> None:
    def said(*given: str) -> str:
        return refused(phare, *given, "--endpoint", base.fake.url, AIRTABLE_TOKEN=TOKEN).erred

    assert "appOtherOtherOth1" in said("https://airtable.com/appOtherOtherOth1/tblFakeFakeFake01")
    assert "Anciens · Le public" in said(f"https://airtable.com/{BASE}/tblGoneGoneGone01")
    assert "base" in said("https://airtable.com/shrAbCdEfGhIjKlMn")
    base.fake.scopes.remove("schema.bases:read")
    assert "schema.bases:read" in said(f"https://airtable.com/{BASE}")
