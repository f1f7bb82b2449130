"""Who may be written to: from export files, the team's own columns and lists, shown and kept to."""

from __future__ import annotations

from datetime import UTC, date, datetime

import openpyxl
import polars as pl
import pytest

from sync.contacts import Contacts, Note
from sync.desk import Desk
from sync.followup import suppression
from sync.followup.consent import hashed
from sync.rows import everybody
from sync.store import Store
from tests.thread.small import LINES, Small, line

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def news(small: Small) -> Small:
    """Marketing, in Canada, with people who came too long ago for an implied right."""
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    small.export(tuple(line.replace("/2024", "/2023") for line in LINES))
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    return small


def add_column(small: Small, header: str, who: str, value: str) -> None:
    file = small.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book["Contacts"]
    place = sheet.max_column + 1
    first = next(cell.column for cell in sheet[1] if cell.value == "Prénom")
    sheet.cell(1, place).value = header
    for row in range(2, sheet.max_row + 1):
        if sheet.cell(row, int(first or 0)).value == who:
            sheet.cell(row, place).value = value
    book.save(file)


def shown(small: Small, *arguments: str, today: str | None = None) -> str:
    said = small.filrouge(*arguments, today=today).said
    return said.replace(NBSP, " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def test_a_right_that_is_over_is_told_with_its_day(news: Small) -> None:
    assert news.run().facts["mail"]["held"] == {"no-consent": 1}
    told = shown(news, "person", "show", "jeanne.exemple@example.org")
    assert "Nouvelles et promotion : non, la personne n'a pas donné son accord." in told
    assert "Ce qui avait été fait en donnait le droit jusqu'au 12 mai 2025." in told
    assert "Informations pratiques : oui" in told


NOTED = {
    "Ana": ("Accord infolettre", "Oui, bulletin du 12/01/2026", None),
    "Ben": ("Accepte les courriels", "x", None),
    "Cleo": ("Consentement", "exprès", None),
    "Dora": ("Opt-in", "2026-01-12", None),
    "Emil": ("Demande de renseignements", "2026-01-12", None),
    "Fay": ("Dernière demande d'information", "2025-01-12", "no-consent"),
    "Guy": ("Accord newsletter", "à demander", "no-consent"),
    "Hal": ("Consent e-mail", "non", "said-no"),
    "Ida": ("Accord photo", "oui", "no-consent"),
    "Jil": ("Opt-in SMS", "oui", "no-consent"),
    "Kim": ("Désinscrit", "le 3 mars", "unsubscribed"),
    "Leo": ("Ne pas contacter", "oui", "do-not-contact"),
}


def test_what_the_team_noted_counts(news: Small) -> None:
    shows = [("Cyrano", "10/03/2023"), ("Antigone", "12/05/2023")]
    lines = [line(n, f"{who} Exemple", *show) for show in shows for n, who in enumerate(NOTED, 10 * len(show[0]))]
    news.export(tuple(lines), "autres.csv")
    news.run()
    for who, (header, cell, _) in NOTED.items():
        add_column(news, header, who, cell)
    news.run()
    mails = news.filrouge("outbox", "--json").facts["mails"]
    became = {mail["to"].partition(".")[0].capitalize(): mail["reason"] for mail in mails}
    assert {who: became[who] for who in NOTED} == {who: reason for who, (_, _, reason) in NOTED.items()}
    assert len(news.mails()) == sum(reason is None for _, _, reason in NOTED.values())


def test_the_proof_is_shown_where_one_looks(news: Small) -> None:
    add_column(news, "Accord infolettre", "Jeanne", "Oui, bulletin du 12/01/2026")
    told = shown(news, "person", "show", "jeanne.exemple@example.org")
    assert "Nouvelles et promotion : oui, accord donné." in told
    assert "noté : accord pour les nouvelles (votre tableau) : Accord infolettre : Oui, bulletin du 12/01/2026" in told
    assert "12 janv. 2026" in told
    assert "Nouvelles et promotion : oui, accord donné." in shown(news, "explain", "jeanne.exemple@example.org")


def test_the_end_of_an_implied_right_is_shown(news: Small) -> None:
    add_column(news, "Demande de renseignements", "Jeanne", "2026-01-12")
    told = shown(news, "explain", "Jeanne Exemple", today="2026-07-12")
    assert "oui, vous a demandé un renseignement. Jusqu'au 12 juillet 2026, sauf nouvel achat, don ou accord." in told
    late = news.filrouge("explain", "Jeanne Exemple", "--json", today="2026-07-13").facts["rights"]["marketing"]
    assert late == {"may": False, "reason": "no-consent", "basis": None, "until": "2026-07-12"}


def test_a_no_somewhere_is_a_no_everywhere(news: Small) -> None:
    add_column(news, "Accord infolettre", "Jeanne", "oui")
    news.write("exports/infolettre.csv", "Email,Status\njeanne.exemple@example.org,Unsubscribed\n")
    assert news.run().facts["mail"]["held"] == {"unsubscribed": 1}
    told = shown(news, "person", "show", "jeanne.exemple@example.org")
    assert "infolettre : désinscription (exports)" in told


def test_an_address_that_bounced_elsewhere_stops_only_itself(small: Small) -> None:
    small.write("exports/infolettre.csv", "Email,Status\njeanne.exemple@example.org,Cleaned\n")
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    assert small.run().facts["mail"]["held"] == {"bounced": 1}
    small.edit("Jeanne", "Courriel", "jeanne.corrigee@example.org")
    assert small.run().facts["mail"]["sent"] == 1


def test_the_day_a_right_ends_stands_in_a_column_and_a_rule_can_ask_in_time(news: Small) -> None:
    news.change("config.yaml", "Signaux: flags", "Signaux: flags, Écrire jusqu'au: may_write_until")
    news.write(
        "rules/accord.yaml",
        "règles:\n  - nom: Demander un oui\n    quand:\n      écrire jusqu'au: dans les 60 prochains jours\n"
        "    alors:\n      - signaler: Accord à demander\n",
    )
    add_column(news, "Demande de renseignements", "Jeanne", "2026-01-12")
    news.run(today="2026-05-12")
    assert str(news.row("Jeanne")["Écrire jusqu'au"]).startswith("2026-07-12")
    assert news.row("Jeanne")["Signaux"] == "À relancer"
    news.run(today="2026-05-14")
    assert "Accord à demander" in news.row("Jeanne")["Signaux"]
    assert "12 juillet 2026" in shown(
        news, "explain", "Jeanne Exemple", "--rule", "demander-un-oui", today="2026-05-14"
    )
    assert str(news.row("Awa")["Écrire jusqu'au"]).startswith("2028-03-01"), "two years after the last visit"


def test_who_asks_the_team_to_be_written_to_again_is_and_the_words_are_kept(news: Small) -> None:
    store = Store.open(f"sqlite:///{news.folder}/filrouge.db", "theatre-du-phare", datetime.now(UTC))
    with store.begin() as connection:
        address = hashed("jeanne.exemple@example.org")
        suppression.add(connection, store.org, address, "erased", datetime(2026, 1, 1, tzinfo=UTC), "erasure")
    store.close()
    assert news.run().facts["mail"]["held"] == {"erased": 1}
    allowed = news.filrouge("person", "allow", "jeanne.exemple@example.org", "au guichet, le 3 mars", "--json").facts
    assert (allowed["lifted"], allowed["rights"]["marketing"]["basis"]) == (1, "consent")
    told = shown(news, "person", "show", "jeanne.exemple@example.org")
    assert "a dit oui aux nouvelles (Fil rouge) : au guichet, le 3 mars" in told
    assert news.run().facts["mail"]["sent"] == 1


GIFTS = (
    "Référence commande;Date de la commande;Statut de la commande;Nom donateur;Prénom donateur;Email payeur;Montant du don\n"
    "90;02/02/2026 10:00;Validé;Exemple;Jeanne;jeanne.exemple@example.org;50,00\n"
)


def test_in_canada_a_gift_is_a_right_to_write_for_a_registered_charity_alone(news: Small) -> None:
    def asked() -> bool:
        return "charity: yes" in shown(news, "check")

    def marketing(charity: str = "") -> str:
        news.change("config.yaml", "country: CA", f"country: CA{charity}")
        return shown(news, "explain", "Jeanne Exemple", today="2026-03-14")

    assert not asked(), "nobody gave anything yet"
    news.write("exports/dons.csv", GIFTS)
    assert news.run().facts["mail"]["held"] == {"no-consent": 1}
    assert asked()
    assert "Nouvelles et promotion : non, la personne n'a pas donné son accord" in marketing()
    assert "Jusqu'au 2 février 2028" in marketing(", charity: yes")
    assert not asked()
    assert news.run().facts["mail"]["sent"] == 1


def test_news_that_a_rule_calls_practical_are_told_by_check(small: Small) -> None:
    small.change("rules/templates/on-se-revoit.md", "purpose: service", "purpose: marketing")
    assert small.filrouge("check", "--json").facts["advice"] == []
    small.change("rules/public.yaml", "courriel: on-se-revoit", "courriel: on-se-revoit\n        finalité: service")
    (advice,) = small.filrouge("check", "--json").facts["advice"]
    assert "sans le consentement" in advice["message"].replace("\u00a0", " ")


def test_of_everybody_at_once_the_same_is_known_as_of_each_alone(news: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many people everything is read sooner than each is looked up: another way to the same answer."""
    jeanne = "jeanne.exemple@example.org"
    paul = line(20, "Paul Exemple", "Cyrano", "10/03/2023").replace("paul.exemple@example.org", jeanne)
    news.export((paul, line(21, "Ana Bo", "Cyrano", "10/03/2023")), "autres.csv")
    cleaned = "awa.diallo@example.org,Cleaned\nseule@example.org,Subscribed\n"
    news.write("exports/infolettre.csv", f"Email,Status\n{jeanne},Unsubscribed\n{cleaned}")
    news.run()
    assert news.filrouge("person", "allow", "ana.bo@example.org", "au guichet").code == 0
    desk = Desk.open(news.folder / "config.yaml", None)
    with desk.store.begin() as connection:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        suppression.add(connection, desk.store.org, hashed("luc.roy@example.org"), "complained", at, "mail")
    people = everybody(desk)
    row = people.row(by_predicate=pl.col("first_name") == "Luc", named=True)
    contacts = Contacts(desk, people, {row["key"]: [Note("inquiry", "Demande", "2026-01-12", date(2026, 1, 12))]})
    ids = people["person_id"].to_list()
    alone = {one: contacts([one])[one] for one in ids}
    assert {one["first_name"] for one in alone.values() if one["unsubscribed"]} == {"Jeanne", "Paul"}
    assert {one["first_name"] for one in alone.values() if one["bounced"]} == {"Awa"}
    assert {one["first_name"] for one in alone.values() if one["suppressed"]} == {"Luc"}
    assert {one["first_name"] for one in alone.values() if one["consents"]} == {"Ana"}
    monkeypatch.setattr("sync.store.rows.MANY", 1)
    assert contacts(ids) == alone
    assert contacts(ids[:2]) == {one: alone[one] for one in ids[:2]}
    desk.close()


def test_who_refused_and_is_subscribed_is_told_which_word_counts(news: Small) -> None:
    news.write("exports/infolettre.csv", "Email,Status\njeanne.exemple@example.org,Subscribed\n")
    news.run()
    for command in (("person", "show"), ("explain",)):
        assert "Deux choses" not in shown(news, *command, "jeanne.exemple@example.org")
    add_column(news, "Consentement", "Jeanne", "non, le 12/01/2026")
    for command in (("person", "show"), ("explain",)):
        told = shown(news, *command, "jeanne.exemple@example.org").splitlines()
        place = next(n for n, one in enumerate(told) if "Nouvelles et promotion : non, la personne a refusé" in one)
        assert told[place + 1].strip().startswith("Deux choses ont été dites : ")
        assert "(12 janv. 2026, votre tableau : Consentement : non, le 12/01/2026)" in told[place + 1]
        assert "infolettre : inscription (" in told[place + 1]
        assert told[place + 1].endswith("La première compte : une inscription quelque part ne défait aucun refus.")
