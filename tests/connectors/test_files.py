"""The `files` source over real folders: what is read, when it is read again, what is set aside."""

from __future__ import annotations

import csv
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from connectors.files.reading import Unfit
from connectors.files.rule import Rule, Settings
from connectors.files.understanding import Home, understand
from connectors.records import (
    Consent,
    Donation,
    Event,
    Membership,
    Money,
    Order,
    Person,
    Product,
    Record,
    Subscription,
    Visit,
)
from connectors.source import Setting, Source
from connectors.sources.files import Files
from connectors.trouble import FixFile
from sync.messages import LANGUAGES, say, sentences
from tests.contracts import Ledger, SourceContract, whole

BOX_OFFICE = (
    "Numero billet;Reservation;Date reservation;Heure reservation;Cle spectacle;Spectacle;Cle representation;"
    "Representation;Date representation;Heure representation;Date fin representation;Heure fin representation;Prix;"
    "Type de produit;Filiere de vente;Nom;Prenom;Email;Adresse;Code postal;Pays;Age;Sexe"
)
HELLOASSO = (
    "Référence commande;Date de la commande;Statut de la commande;Nom participant;Prénom participant;Nom payeur;"
    "Prénom payeur;Email payeur;Raison sociale;Moyen de paiement;Billet;Numéro de billet;Tarif;Montant tarif;"
    "Code Promo;Montant code promo;J'accepte de recevoir l'infolettre"
)
MAILCHIMP = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,"
    "GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)


def ticket(number: int, order: int, name: str = "EXEMPLE", email: str = "jeanne@example.org", price: str = "27") -> str:
    return (
        f"{number};{order};04/06/25 00:00;16:26:04;476;LE ROI LÉAR;3191;LE ROI LÉAR;30/10/25;20:00:00;30/10/25;22:00:00;"
        f"{price};Abonnement;GUICHET;{name};Jeanne;{email};7 rue des Essais;01000;France;57;F"
    )


def write(folder: Path, name: str, *lines: str, encoding: str = "utf-8", age: float = 100) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes("".join(line + "\r\n" for line in lines).encode(encoding))
    then = time.time() - age
    os.utime(file, (then, then))
    return file


def workbook(rows: Sequence[Sequence[Any]], top: int = 0) -> bytes:
    whole_file = BytesIO()
    book = xlsxwriter.Workbook(
        whole_file, {"in_memory": True, "remove_timezone": True, "default_date_format": "dd/mm/yyyy hh:mm"}
    )
    sheet = book.add_worksheet("Export")
    for place, row in enumerate(rows):
        sheet.write_row(top + place, 0, row)
    book.close()
    return whole_file.getvalue()


def source(folder: Path, *rules: dict[str, Any]) -> Files:
    settings = Settings.model_validate({"folder": "exports", "files": rules})
    return Files(settings, Setting(name="exports", folder=folder, now=lambda: datetime.now(UTC)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "exports").mkdir()
    return tmp_path / "exports"


def records(ours: Files, ledger: Ledger | None = None) -> list[Record]:
    ledger = ledger or whole(ours)
    return [record for found in ledger.records(ours).values() for record in found]


def of(kind: type[Any], found: list[Record]) -> list[Any]:
    return [record for record in found if type(record) is kind]


class TestFilesContract(SourceContract):
    @contextmanager
    def world(self, folder: Path) -> Iterator[Path]:
        exports = folder / "exports"
        people = [f"p{n}@example.org;Personne{n};Essai" for n in range(40)]
        write(exports, "contacts.csv", "Courriel;Nom;Prénom", *people)
        write(exports, "billets.csv", BOX_OFFICE, *(ticket(n, 900 + n // 2) for n in range(1200)), encoding="cp1252")
        write(exports, "inscrits.csv", "Email;Nom;Prénom", "a@example.org;A;B", "b@example.org;C;D")
        yield exports

    def source(self, world: Any, setting: Setting) -> Source:
        return Files(Settings(folder="exports"), setting)

    def touch(self, world: Path) -> None:
        write(world, "contacts.csv", "Courriel;Nom;Prénom", "p1@example.org;Autre;Essai", age=10)

    def name_somebody(self, world: Path, name: str) -> None:
        text = StringIO(newline="")
        csv.writer(text, delimiter=";").writerows([["Courriel", "Nom", "Prénom"], ["nouveau@example.org", name, "X"]])
        (world / "nouveaux.csv").write_bytes(text.getvalue().encode("utf-8"))


class TestBoxOffice:
    def test_tickets_of_one_booking_are_one_order(self, folder: Path) -> None:
        write(
            folder,
            "ventes.csv",
            BOX_OFFICE,
            ticket(1, 9),
            ticket(2, 10),
            ticket(3, 9, price="13,50"),
            encoding="cp1252",
        )
        found = records(source(folder.parent))
        orders = {order.id.split("#")[1]: order for order in of(Order, found)}
        assert orders["9"].paid == Money(Decimal("40.50"), "EUR")
        assert orders["9"].tickets == 2
        assert orders["9"].at == datetime(2025, 6, 4, 14, 26, 4, tzinfo=UTC)
        assert [event.name for event in of(Event, found)] == ["LE ROI LÉAR"]
        visits = of(Visit, found)
        assert len(visits) == 3
        assert {visit.starts for visit in visits} == {
            datetime(2025, 10, 30, 19, 0, tzinfo=UTC)
        }  # after the clocks changed
        assert {product.name for product in of(Product, found)} == {"Abonnement"}

    def test_an_address_with_a_space_is_no_address_but_the_person_stays(self, folder: Path) -> None:
        write(folder, "ventes.csv", BOX_OFFICE, ticket(1, 9), ticket(2, 10, email="jean ne@example.org", name="AUTRE"))
        ledger = whole(ours := source(folder.parent))
        assert [broken.line for broken in ledger.broken.values()] == ["ventes.csv:3"]
        assert next(iter(ledger.broken.values())).code == "files-not-an-email"
        assert ("AUTRE", None) in {(person.last_name, person.email) for person in of(Person, records(ours, ledger))}

    def test_a_bad_line_costs_only_itself_and_says_where_it_is(self, folder: Path) -> None:
        lines = [ticket(1, 9), ticket(2, 9).replace("30/10/25", "32/10/25"), "", ticket(3, 9, price="gratis")]
        lines += [ticket(4, 11, name="", email="").replace("Jeanne", ""), ticket(5, 12) + ";x;y"]
        write(folder, "ventes.csv", BOX_OFFICE, *lines)
        ledger = whole(ours := source(folder.parent))
        assert {(broken.line, broken.code) for broken in ledger.broken.values()} == {
            ("ventes.csv:3", "files-bad-date"),
            ("ventes.csv:5", "files-bad-amount"),
            ("ventes.csv:6", "files-no-person"),
            ("ventes.csv:7", "files-too-many-cells"),
        }
        assert [order.tickets for order in of(Order, records(ours, ledger))] == [1]
        for broken in ledger.broken.values():
            for language in LANGUAGES:
                assert say(language, broken.code, **broken.facts)

    def test_a_title_in_figures_is_a_title_and_its_genre_can_be_told(self, folder: Path) -> None:
        write(folder, "ventes.csv", BOX_OFFICE, ticket(1, 9).replace("LE ROI LÉAR", "887"))
        found = records(source(folder.parent, {"genres": {"887": "théâtre"}}))
        assert [(event.name, event.genre) for event in of(Event, found)] == [("887", "théâtre")]
        assert of(Visit, found)[0].genre == "théâtre"


class TestHelloAsso:
    def line(self, status: str = "Validé", amount: str = "18,00", part: str = "EXEMPLE;Awa") -> str:
        return f"17;14/03/2026 14:25;{status};{part};EXEMPLE;Awa;awa@example.org;;Carte;…;{status};Plein;{amount};;;Oui"

    def test_a_cancelled_line_is_not_paid_and_no_visit(self, folder: Path) -> None:
        write(folder, "festival.csv", HELLOASSO, self.line(), self.line("Remboursé"), encoding="utf-8-sig")
        found = records(source(folder.parent, {"event": "Week-end", "event_date": "2026-03-29 02:30"}))
        (order,) = of(Order, found)
        assert (order.status, order.paid, order.tickets) == ("paid", Money(Decimal("18.00"), "EUR"), 1)
        assert {visit.status for visit in of(Visit, found)} == {"booked", "cancelled"}
        assert {visit.starts for visit in of(Visit, found)} == {
            datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
        }  # skipped hour
        assert [consent.granted for consent in of(Consent, found)] == [True, True]
        assert "J'accepte" in of(Consent, found)[0].proof

    def test_an_unknown_status_waits_until_the_config_tells_it(self, folder: Path) -> None:
        write(folder, "festival.csv", HELLOASSO, self.line("Mis de côté"), encoding="utf-8-sig")
        assert {broken.code for broken in whole(source(folder.parent)).broken.values()} == {"files-unknown-status"}
        found = records(source(folder.parent, {"statuses": {"mis de cote": "pending"}}))
        assert [order.status for order in of(Order, found)] == ["pending"]

    def test_a_participant_with_an_address_of_their_own_holds_their_ticket(self, folder: Path) -> None:
        own = self.line(part="AUTRE;Noé").replace(";Oui", ";Oui;noe@example.org")
        same = self.line().replace("Validé;Plein", "B2;Plein").replace(";Oui", ";Oui;AWA@example.org")
        write(folder, "festival.csv", HELLOASSO + ";Adresse Mail de Contact", own, same)
        found = records(source(folder.parent))
        people = {person.id: (person.first_name, person.email) for person in of(Person, found)}
        (order,) = of(Order, found)
        assert people[order.person] == ("Awa", "awa@example.org")
        held = [people[visit.person] for visit in of(Visit, found)]
        assert held == [("Noé", "noe@example.org"), ("Awa", "awa@example.org")]

    def test_donations_and_memberships(self, folder: Path) -> None:
        head = "Référence commande;Date de la commande;Statut de la commande;Nom donateur;Prénom donateur;Email payeur"
        write(folder, "dons.csv", head + ";Montant du don", "1;25/03/2026 10:00;Validé;É;A;a@example.org;1 050,00 €")
        head = "Référence commande;Date de la commande;Statut de la commande;Nom adhérent;Prénom adhérent;Email payeur;Tarif"
        write(folder, "adhesions.csv", head, "2;25/09/2025 23:30;Validé;Roy;Léa;lea@example.org;Ami du théâtre")
        found = records(source(folder.parent))
        assert [donation.paid for donation in of(Donation, found)] == [Money(Decimal("1050.00"), "EUR")]
        (member,) = of(Membership, found)
        assert (member.name, member.starts) == ("Ami du théâtre", date(2025, 9, 25))
        assert ("lea@example.org", "Léa", "Roy") in {
            (person.email, person.first_name, person.last_name) for person in of(Person, found)
        }


class TestLists:
    def member(self, email: str, changed: str) -> str:
        return f'{email},Jeanne,Exemple,4,,,"2024-03-14 09:14:00",192.0.2.1,,,,,,,,"{changed}",1001,abc,,"""VIP"",""Danse"""'

    def test_the_file_name_tells_the_status_and_the_later_change_wins(self, folder: Path) -> None:
        left = self.member("jeanne@example.org", "2026-01-01 00:00:00")
        stays = self.member("paul@example.org", "2025-05-05 00:00:00")
        write(folder, "unsubscribed_members_export_1.csv", MAILCHIMP, left, age=500)
        write(folder, "subscribed_members_export_1.csv", MAILCHIMP, left.replace("2026-01", "2025-01"), stays)
        found = records(source(folder.parent))
        people = {person.id: person for person in of(Person, found)}
        states = {people[sub.person].email: (sub.status, sub.at) for sub in of(Subscription, found)}
        assert states == {
            "jeanne@example.org": ("unsubscribed", datetime(2026, 1, 1, tzinfo=UTC)),
            "paul@example.org": ("subscribed", datetime(2024, 3, 14, 9, 14, tzinfo=UTC)),
        }
        assert next(iter(people.values())).tags == ("VIP", "Danse")

    def test_two_people_on_one_address_are_both_kept(self, folder: Path) -> None:
        write(folder, "contacts.csv", "Courriel;Nom;Prénom", "x@example.org;Roy;Léa", "X@example.org;Roy;Paul")
        assert {person.first_name for person in of(Person, records(source(folder.parent)))} == {"Léa", "Paul"}

    def test_a_bare_list_of_addresses(self, folder: Path) -> None:
        write(folder, "liste.txt", "a@example.org", "b@example.org")
        about = understand(folder / "liste.txt", Rule(), Home())
        assert (about.header_line, [column.why for column in about.columns]) == (None, ["values"])
        assert {person.email for person in of(Person, records(source(folder.parent)))} == {
            "a@example.org",
            "b@example.org",
        }


class TestEventbrite:
    def test_orders_with_dates_in_words(self, folder: Path) -> None:
        head = "Order #,Order Date,First Name,Last Name,Email,Quantity,Total Paid,Order Status,Event Name,Event Date,Checked In"
        line = '7,"Sep 26, 2026 7:05 PM",Ann,Lee,ann@example.org,2,"$1,060.00",Attending,Show,2026-10-01 20:00,Yes'
        write(folder, "orders.csv", head, line)
        found = records(source(folder.parent, {"currency": "CAD", "timezone": "America/Montreal"}))
        (order,), (visit,) = of(Order, found), of(Visit, found)
        assert (order.at, order.paid) == (datetime(2026, 9, 26, 23, 5, tzinfo=UTC), Money(Decimal("1060.00"), "CAD"))
        assert (visit.attended, visit.tickets) == (True, 2)


class TestAgain:
    def test_nothing_is_read_twice(self, folder: Path) -> None:
        write(folder, "ventes.csv", BOX_OFFICE, ticket(1, 9))
        ours = source(folder.parent)
        ledger = whole(ours)
        assert list(ours.pull(ledger.cursor)) == []
        os.utime(folder / "ventes.csv")
        pages = list(ours.pull(ledger.cursor))
        assert [thing for page in pages for thing in page.objects] == []

    def test_a_changed_file_is_the_new_full_state(self, folder: Path) -> None:
        write(folder, "ventes.csv", BOX_OFFICE, ticket(1, 9), ticket(2, 10))
        ours = source(folder.parent)
        ledger = whole(ours)
        write(folder, "ventes.csv", BOX_OFFICE, ticket(2, 10, price="30"), ticket(3, 11), age=50)
        found = records(ours, ledger.pull(ours))
        assert {order.id.split("#")[1] for order in of(Order, found)} == {"10", "11"}

    def test_new_lines_only_add(self, folder: Path) -> None:
        write(folder, "ventes.csv", BOX_OFFICE, ticket(1, 9))
        ours = source(folder.parent, {"contains": "new lines"})
        ledger = whole(ours)
        write(folder, "ventes.csv", BOX_OFFICE, ticket(2, 10), age=50)
        assert len(of(Order, records(ours, ledger.pull(ours)))) == 2

    def test_of_monthly_exports_the_newest_counts_and_nothing_is_doubled(self, folder: Path) -> None:
        write(folder, "contacts-mai.csv", "Courriel;Nom;Prénom", "a@example.org;Ancien;A", "b@example.org;B;B")
        ours = source(folder.parent)
        ledger = whole(ours)
        write(folder, "contacts-juin.csv", "Courriel;Nom;Prénom", "a@example.org;Nouveau;A", age=20)
        found = of(Person, records(ours, ledger.pull(ours)))
        assert {person.last_name for person in found} == {"Nouveau", "B"}
        assert ledger.things == whole(ours).things

    def test_a_renamed_or_copied_file_doubles_nothing(self, folder: Path) -> None:
        file = write(folder, "contacts.csv", "Courriel;Nom", "a@example.org;A", "b@example.org;B")
        ours = source(folder.parent)
        ledger = whole(ours)
        before = dict(ledger.things)
        file.rename(folder / "membres du club.csv")
        (folder / "zzz.csv").write_bytes((folder / "membres du club.csv").read_bytes())
        ledger.pull(ours)
        assert [thing for thing in ledger.changed if thing.kind != "file"] == []
        assert ledger.things == before
        write(folder, "membres du club.csv", "Courriel;Nom", "a@example.org;A2", age=10)
        (folder / "zzz.csv").unlink()
        ledger.pull(ours)
        assert {person.name for person in of(Person, records(ours, ledger))} == {"A2"}

    def test_the_lines_of_a_deleted_file_stay_and_it_is_said_once(self, folder: Path) -> None:
        file = write(folder, "ventes-1.csv", BOX_OFFICE, ticket(1, 9))
        other = write(folder, "ventes-2.csv", BOX_OFFICE, ticket(2, 10))
        ours = source(folder.parent)
        ledger = whole(ours)
        file.unlink()
        assert [broken.code for page in ours.pull(ledger.cursor) for broken in page.broken] == ["files-gone"]
        ledger.pull(ours)
        assert list(ours.pull(ledger.cursor)) == []
        write(folder, other.name, BOX_OFFICE, ticket(3, 11), age=5)
        assert len(of(Order, records(ours, ledger.pull(ours)))) == 3

    def test_a_file_that_is_still_arriving_waits(self, folder: Path) -> None:
        text = "\r\n".join([BOX_OFFICE, ticket(1, 9), ticket(2, 10)])
        (folder / "ventes.csv").write_text(text[:-20], "utf-8")
        ours = source(folder.parent)
        ledger = whole(ours)
        assert [broken.code for broken in ledger.broken.values()] == ["files-still-growing"]
        assert ledger.things == {}
        (folder / "ventes.csv").write_text(text + "\r\n", "utf-8")
        assert len(of(Order, records(ours, ledger.pull(ours)))) == 2

    def test_a_half_written_workbook_waits_and_keeps_what_was_known(self, folder: Path) -> None:
        content = workbook([["Courriel", "Nom"], ["a@example.org", "A"]])
        (folder / "contacts.xlsx").write_bytes(content)
        ours = source(folder.parent)
        ledger = whole(ours)
        kept = dict(ledger.things)
        (folder / "contacts.xlsx").write_bytes(content[: len(content) // 2])
        ledger.pull(ours)
        assert [broken.code for broken in ledger.broken.values()] == ["files-workbook-broken"]
        assert ledger.things == kept
        (folder / "contacts.xlsx").write_bytes(content)
        assert ledger.pull(ours).things == kept

    def test_another_mapping_reads_the_same_bytes_anew(self, folder: Path) -> None:
        write(folder, "x.csv", "Courriel;Truc", "a@example.org;Roy")
        ledger = whole(source(folder.parent))
        ours = source(folder.parent, {"match": "x.csv", "columns": {"Truc": "last_name"}})
        assert [person.last_name for person in of(Person, records(ours, ledger.pull(ours)))] == ["Roy"]
        ours = source(folder.parent, {"match": "x.csv", "columns": {"Truc": "last_name"}, "series": "autre"})
        assert len(of(Person, records(ours, ledger.pull(ours)))) == 1


class TestUnderstanding:
    def test_every_guess_is_shown_with_an_example(self, folder: Path) -> None:
        write(folder, "ventes.csv", "Ventes de la saison;;", "", BOX_OFFICE, ticket(1, 9), encoding="cp1252")
        about = understand(folder / "ventes.csv", Rule(), Home())
        assert (about.kind, about.header_line, about.form.encoding, about.form.separator) == (
            "orders",
            3,
            "cp1252",
            ";",
        )
        email = about.column("email")
        assert email is not None
        assert (email.header, email.example, email.why) == ("Email", "jeanne@example.org", "header")
        assert "Filiere de vente" in about.ignored
        account = source(folder.parent).check()
        for language in LANGUAGES:
            for code, facts in account.remarks:
                assert facts["file"] in say(language, code, **facts)

    @pytest.mark.parametrize(
        ("head", "value", "country", "expected"),
        [
            ("Courriel;Nom;Date de naissance", "04/06/1980", "FR", date(1980, 6, 4)),
            ("Email;Last name;Birthday", "04/06/1980", "CA", date(1980, 4, 6)),
            ("Email;Last name;Birthday", "25/06/1980", "CA", date(1980, 6, 25)),
            ("Courriel;Nom;Date de naissance", "06/25/1980", "FR", date(1980, 6, 25)),
        ],
    )
    def test_day_or_month_first(self, folder: Path, head: str, value: str, country: str, expected: date) -> None:
        write(folder, "c.csv", head, f"a@example.org;A;{value}")
        ours = Files(Settings(folder="exports"), Setting("x", folder.parent, country=country, language="en"))
        assert [person.birthday for person in of(Person, records(ours))] == [expected]

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "files-empty"),
            (b"\xef\xbb\xbf\r\n", "files-empty"),
            (b"<html><table></table>", "files-not-a-table"),
            (b"PK\x03\x04junk", "files-workbook-broken"),
            (b"\xd0\xcf\x11\xe0junk", "files-workbook-broken"),
            (b"couleur;taille\nbleu;3\n", "files-no-columns"),
        ],
    )
    def test_what_is_no_table_is_said(self, folder: Path, content: bytes, code: str) -> None:
        (folder / "x.csv").write_bytes(content)
        with pytest.raises(Unfit) as trouble:
            source(folder.parent).understood("x.csv")
        assert trouble.value.code == code
        for language in LANGUAGES:
            assert say(language, code, file="x.csv", detail="")

    def test_no_folder_is_for_the_team_to_mend(self, tmp_path: Path) -> None:
        with pytest.raises(FixFile, match="files-no-folder"):
            source(tmp_path).check()

    def test_a_broken_quote_costs_only_its_own_line(self, folder: Path) -> None:
        write(
            folder,
            "c.csv",
            "Courriel;Nom",
            'a@example.org;"Roy',
            'b@example.org;"Le ""Grand""\r\nPaul"',
            "c@example.org;C",
        )
        ours = source(folder.parent)
        assert {person.name for person in of(Person, records(ours))} == {'"Roy', 'Le "Grand"\r\nPaul', "C"}

    def test_totals_blank_lines_and_repeated_headers_are_no_people(self, folder: Path) -> None:
        write(
            folder,
            "c.csv",
            "Nom;Prix;Commande;Date",
            "Roy;5;1;25/01/2026",
            ";;;",
            "Nom;Prix;Commande;Date",
            "TOTAL;5;;",
        )
        ledger = whole(ours := source(folder.parent))
        assert [person.name for person in of(Person, records(ours, ledger))] == ["Roy"]
        assert ledger.broken == {}

    def test_excel_cells_are_read_as_they_are_shown(self, folder: Path) -> None:
        rows: list[list[Any]] = [
            ["Export du 22/11"],
            [],
            ["Commande", "Date de la commande", "Nom", "Téléphone", "Prix", "Spectacle", "Date du spectacle", "Heure du spectacle"],
            [12, datetime(2026, 3, 4, 14, 25, tzinfo=UTC), "Roy", 33612345678, 12.5, 887, date(2026, 7, 1), "20h30"],
        ]  # fmt: skip
        (folder / "v.xlsx").write_bytes(workbook(rows, top=3))
        ours = source(folder.parent)
        ledger = whole(ours)
        found = records(ours, ledger)
        (order,), (event,), (person,) = of(Order, found), of(Event, found), of(Person, found)
        assert (order.at, order.paid) == (datetime(2026, 3, 4, 13, 25, tzinfo=UTC), Money(Decimal("12.50"), "EUR"))
        assert (event.name, event.starts) == ("887", datetime(2026, 7, 1, 18, 30, tzinfo=UTC))
        assert (person.name, person.phone) == ("Roy", "33612345678")
        assert {thing.line for thing in ledger.things.values() if thing.kind == "order"} == {"v.xlsx:7"}


def test_every_code_has_its_sentence_in_both_languages() -> None:
    root = Path(__file__).parents[2] / "connectors"
    texts = [file.read_text("utf-8") for file in [*(root / "files").glob("*.py"), root / "sources" / "files.py"]]
    raised = {code for text in texts for code in re.findall(r'"(files-[a-z-]+[a-z])"', text)} - {"files-cp1252"}
    raised |= {f"files-{code}" for text in texts for code in re.findall(r'Unreadable\("([a-z-]+)"', text)}
    raised |= {f"files-understood-{kind}" for kind in ("orders", "members", "donations", "contacts")}
    for language in LANGUAGES:
        assert {code for code in sentences(language) if code.startswith("files-")} == raised


def test_twenty_thousand_lines_do_not_hang(folder: Path) -> None:
    write(folder, "v.csv", BOX_OFFICE, *(ticket(n, n // 3) for n in range(20_000)), encoding="cp1252")
    started = time.process_time()
    count = sum(len(page.objects) for page in source(folder.parent).pull(None))
    assert count > 6_600
    assert time.process_time() - started < 30  # 0.7 s; what grows with the square of the lines takes minutes
