"""`filrouge rules`: every rule of the library copied into a small organisation, checked, tried and run."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

import openpyxl
import pytest

from rules.recipes import recipes
from tests.thread.small import Small, line

TODAY = "2026-03-14"
SHOWS = {  # who did what, so that each rule that can be fed has somebody
    "Nadia Nouvelle": ["12/03/2026"],
    "Paul Bientot": ["10/03/2024", "16/03/2026"],
    "Rose Fidele": ["10/01/2026", "12/03/2026"],
    "Une Fois": ["10/10/2025"],
    "Hugo Habitue": ["01/02/2023", "01/03/2023", "01/04/2023"],
    "Adele Abonnee": ["01/02/2026", "12/02/2026"],
}
GIFTS = """\
Référence commande;Date de la commande;Statut de la commande;Nom donateur;Prénom donateur;Email payeur;Montant du don
1;10/03/2026 10:00;Validé;Grande;Denise;denise.grande@example.org;300,00
2;10/01/2025 10:00;Validé;Jadis;Dora;dora.jadis@example.org;30,00
3;10/01/2020 10:00;Validé;Ancien;Tim;tim.ancien@example.org;30,00
"""
MEMBERS = """\
Référence commande;Date de la commande;Statut de la commande;Nom adhérent;Prénom adhérent;Email payeur;Adhésion;Fin d'adhésion
9;01/03/2025 10:00;Validé;Abonnee;Adele;adele.abonnee@example.org;Abonnement season subscription;01/03/2026
8;01/04/2025 10:00;Validé;Membre;Max;max.membre@example.org;Membre;01/04/2026
"""
CLEANED = """\
Email Address,First Name,Last Name,OPTIN_TIME,LAST_CHANGED,CLEAN_TIME
rose.fidele@example.org,Rose,Fidele,2024-03-14 09:14:00,2026-01-01 00:00:00,2026-01-01 00:00:00
"""
OWN = {
    "fr": ("Naissance", "Type", "Dernier contact", "Note", "Partenaire"),
    "en": ("Born", "Type", "Last contact", "Score", "Partner"),
}
INSIDE = {
    "welcome": {"Nadia"},
    "thank-you-for-coming": {"Rose"},
    "second-visit": {"Une"},
    "regulars-not-seen-for": {"Hugo"},
    "subscribers-to-renew": {"Adele"},
    "donors-to-thank": {"Denise"},
    "major-donors-to-call": {"Denise"},
    "lapsed-donors": {"Dora"},
    "newsletter-sleepers": set(),  # no exports tell of openings
    "addresses-to-correct": {"Rose"},
    "unhappy-answers-to-call": {"Ursule"},
    "partners-not-contacted": {"Pia", "Pio"},
    "not-heard-of-for-three-years": {"Tim"},
    "records-to-check": {"Rose", "Denise", "Nadia", "Une", "Dora", "Adele"},
    "regulars-who-are-drifting-away": set(),  # nobody was away for one to two years
}


STEPS = {  # for whom there was one on that day
    "first-visit": 1,  # Nadia came two days ago
    "practical-information": 1,  # Paul comes in two days
    "birthdays": 1,
    "members-about-to-end": 3,  # Max: the flag and an e-mail; Adele's has ended
}


class Phare(Small):
    """The small organisation, in either language, with gifts, members, a newsletter and columns of its own."""

    def __init__(self, folder: Path, language: str) -> None:
        super().__init__(folder)
        self.language = language
        for name in ("public.yaml", "templates/on-se-revoit.md"):
            (folder / "rules" / name).unlink()
        shows = [(who, day) for who, days in SHOWS.items() for day in days]
        self.export(tuple(line(n, who, "Cyrano", day) for n, (who, day) in enumerate(shows, 1)))
        self.write("exports/dons.csv", GIFTS)
        self.write("exports/adhesions.csv", MEMBERS)
        self.write("exports/cleaned_members_export_1.csv", CLEANED)
        self.change("config.yaml", "language: fr", f"language: {language}, charity: yes")  # a gift lets it write
        self.change("config.yaml", "Signaux: flags}", f"Signaux: flags, {OWN[language][0]}: birthday}}")
        self.sheet()

    def sheet(self) -> None:
        born, kind, contact, mark, partner = OWN[self.language]
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "Contacts"
        sheet.append(["Prénom", "Nom", "Courriel", born, kind, contact, mark])
        sheet.append(["Bea", "Fete", "bea@example.org", "1980-03-14", "", "", 5])
        sheet.append(["Ben", "Petit", "ben@example.org", "2016-03-14", "", "", ""])
        sheet.append(["Pia", "Proche", "pia@example.org", "", partner, "2025-03-01", ""])
        sheet.append(["Pio", "Proche", "pio@example.org", "", partner, "", ""])
        sheet.append(["Pol", "Proche", "pol@example.org", "", partner, "2026-03-01", ""])
        sheet.append(["Ursule", "Fachee", "ursule@example.org", "", "", "", 2])
        book.save(self.folder / "Contacts.xlsx")

    def add_all(self) -> None:
        for recipe in recipes(self.language):
            done = self.filrouge("rules", "add", recipe.name, "--yes")
            assert done.code == 0, done.erred


@pytest.fixture(params=["fr", "en"])
def phare(request: pytest.FixtureRequest, tmp_path: Path) -> Phare:
    return Phare(tmp_path / "phare", request.param)


@pytest.fixture
def french(tmp_path: Path) -> Phare:
    return Phare(tmp_path / "phare", "fr")


def files(phare: Small) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted((phare.folder / "rules").rglob("*")) if file.is_file()}


def test_every_rule_is_copied_is_right_and_finds_its_people(phare: Phare) -> None:
    phare.add_all()
    done = phare.filrouge("check")
    assert done.code == 0, done.said
    tried = phare.filrouge("test", "--json").facts
    assert (tried["failed"], tried["passed"] > 40) == (0, True)
    ran = phare.filrouge("run", "--json", today=TODAY)
    assert ran.code in (0, 7), ran.said + ran.erred
    order = [rule["id"] for recipe in recipes("en") for rule in _rules(phare, recipe.key) if recipe.key not in STEPS]
    found = {rule: facts["inside"] for rule, facts in ran.facts["rules"].items()}
    assert [found[rule] for rule in order] == [len(people) for people in INSIDE.values()]
    steps = {key: ran.facts["journeys"].get(_rules(phare, key)[0]["id"]) for key in STEPS}
    assert {key: told and told["done"] for key, told in steps.items()} == STEPS


def _rules(phare: Phare, key: str) -> list[dict[str, str]]:
    listed = phare.filrouge("rules", "list", "--json").facts
    (name,) = [one["name"] for one in listed["library"] if one["key"] == key]
    return [rule for rule in listed["rules"] if rule["file"] == f"rules/{name}.yaml"]


def test_the_right_people_are_inside(phare: Phare) -> None:
    phare.add_all()
    moved = phare.filrouge("preview", "--json", today=TODAY).facts["rules"]
    ids = [rule["id"] for recipe in recipes("en") for rule in _rules(phare, recipe.key) if recipe.key not in STEPS]
    assert [{name.split()[0] for name in moved[rule]["enters"]} for rule in ids] == list(INSIDE.values())


def test_every_e_mail_is_lawful_and_complete(phare: Phare) -> None:
    phare.add_all()
    for day in (TODAY, "2026-03-16"):  # some wait a day or two
        phare.run(today=day)
        for mail in phare.filrouge("outbox", "--state", "waiting", "--json").facts["mails"]:
            phare.filrouge("approve", mail["rule"])
        phare.run(today=day)
    mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in phare.folder.glob("outbox/*.eml")]
    for mail in mails:
        body = mail.get_body(("plain",))
        assert body is not None
        text = body.get_content()
        assert "{{" not in text + mail["Subject"]
        assert "None" not in text
        assert "Théâtre du Phare" in text
        assert "12, rue du Phare, Québec" in text
        assert mail["List-Unsubscribe"]  # Canada wants it in service e-mails too
    written = {str(mail["To"]).partition(" ")[0] for mail in mails}
    assert written == {"Nadia", "Paul", "Une", "Adele", "Denise", "Dora", "Max"}  # the others: bounced, or no consent


RULE_OF_OLD = """\
règles:
  - nom: Informations pratiques
    quand:
      prochaine_visite: dans les 3 prochains jours
    alors:
      - courriel: informations-pratiques
        finalité: service
        au plus tard: 3 jours
"""
TEMPLATE_OF_OLD = "---\nobjet: À bientôt\nfinalité: service\n---\nBonjour.\n"


def test_who_has_the_rule_of_old_may_have_the_journey_and_nobody_is_written_to_twice(french: Phare) -> None:
    french.write("rules/informations-pratiques.yaml", RULE_OF_OLD)
    french.write("rules/templates/informations-pratiques.md", TEMPLATE_OF_OLD)
    french.run(today=TODAY)
    french.filrouge("approve", "informations-pratiques")
    french.run(today=TODAY)
    assert len(french.mails()) == 1  # Paul comes in two days
    assert french.filrouge("rules", "add", "informations-pratiques", "--yes").code == 2
    for name in ("informations-pratiques.yaml", "templates/informations-pratiques.md"):
        (french.folder / "rules" / name).unlink()
    assert french.filrouge("rules", "add", "informations-pratiques", "--yes").code == 0
    for day in (TODAY, "2026-03-15", "2026-03-16"):
        french.run(today=day)
        french.filrouge("approve", "informations-pratiques")
        french.run(today=day)
    assert len(french.mails()) == 1
    again = line(99, "Paul Bientot", "Ubu", "20/03/2026")
    french.export((again,))
    french.run(today="2026-03-17")
    french.filrouge("approve", "informations-pratiques")
    french.run(today="2026-03-17")
    assert len(french.mails()) == 2


def test_the_list_tells_what_is_there_and_what_can_be_fed(phare: Phare) -> None:
    def marks() -> dict[str, str]:
        said = phare.filrouge("rules", "list").said.splitlines()
        return {row.split()[1]: row.split()[0] for row in said if row[2:3] and row[2] in "✓+–?"}

    names = {recipe.key: recipe.name for recipe in recipes(phare.language)}
    before = marks()
    assert before[names["welcome"]] == "?"  # nothing was read yet
    assert before[names["partners-not-contacted"]] == "+"
    assert before[names["newsletter-sleepers"]] == "–"  # no exports tell of openings
    assert not list(phare.folder.glob("*.db*"))  # looking leaves no trace
    phare.filrouge("rules", "add", names["welcome"], "--yes")
    phare.run(today=TODAY)
    after = marks()
    assert after.pop(names["welcome"]) == "✓"
    assert after.pop(names["newsletter-sleepers"]) == "–"
    assert set(after.values()) == {"+"}
    (sleepers,) = [
        one for one in phare.filrouge("rules", "list", "--json").facts["library"] if one["key"] == "newsletter-sleepers"
    ]
    assert (sleepers["fed"], len(sleepers["lacks"])) == (False, 2)


def test_what_is_there_is_never_overwritten(french: Phare) -> None:
    french.write("rules/templates/bienvenue.fr.md", "---\nobjet: À nous\n---\nBonjour.\n")
    assert "rules/templates/bienvenue.fr.md était déjà là" in french.filrouge("rules", "add", "bienvenue", "--yes").said
    assert not (french.folder / "rules/templates/bienvenue.md").exists()
    before = files(french)
    for name in ("bienvenue", "welcome", "Bienvenue"):
        done = french.filrouge("rules", "add", name, "--yes")
        assert (done.code, "rules/bienvenue.yaml est déjà là" in done.erred) == (2, True)
    done = french.filrouge("--language", "en", "rules", "add", "welcome", "--yes")
    assert (done.code, "written to twice" in done.erred) == (2, True)
    assert files(french) == before


def test_a_rule_of_the_same_name_in_another_file_is_told(french: Phare) -> None:
    french.write(
        "rules/a-nous.yaml",
        "règles:\n  - nom: Deuxième visite\n    quand: {visites: 1}\n    alors: [{signaler: Un}]\n",
    )
    before = files(french)
    done = french.filrouge("rules", "add", "deuxieme-visite", "--yes")
    assert done.code == 2
    assert "rules/a-nous.yaml:2" in done.erred
    assert files(french) == before


def test_a_column_the_sheet_has_not_is_told_and_another_may_be_named(french: Phare) -> None:
    before = files(french)
    done = french.filrouge("rules", "add", "insatisfaits-a-appeler", "--yes", "--set", "colonne=Avis")
    assert (done.code, "`Avis`" in done.erred, "--set colonne=" in done.erred) == (2, True, True)
    assert files(french) == before
    assert french.filrouge("rules", "add", "insatisfaits-a-appeler", "--yes", "--set", "note=1").code == 0
    assert "{Note: au plus 1}" in (french.folder / "rules/insatisfaits-a-appeler.yaml").read_text("utf-8")
    assert french.filrouge("check").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bienvenu"], "Vouliez-vous dire `bienvenue`"),
        (["xyzzy"], "informations-pratiques"),
        (["bienvenue", "--set", "mois=3"], "jours"),
        (["bienvenue", "--set", "jours"], "jours"),
        (["bienvenue", "--set", "jours=sept"], "nombre entier"),
        (["anniversaires", "--set", "jours=3"], "aucun"),
        (["abonnes-a-reconduire", "--set", "nom=a: b"], "lettres"),
        (["sans-nouvelles-depuis-trois-ans", "--set", "ans=999999"], "exemples"),
    ],
)
def test_a_slip_is_a_sentence_and_nothing_is_copied(french: Phare, arguments: list[str], words: str) -> None:
    done = french.filrouge("rules", "add", *arguments, "--yes")
    assert (done.code, words in done.erred) == (2, True), done.erred
    assert files(french) == {}


def test_questions_are_asked_and_the_answers_stand_in_the_rule(french: Phare, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"À partir de combien": "5", "Sans venir": "24", "Qui appelle": "Awa & Léa : duo"}

    def ask(question: str, *, default: str) -> str:
        return next((answer for start, answer in answers.items() if question.startswith(start)), default)

    monkeypatch.setattr("typer.prompt", ask)
    done = french.filrouge("rules", "add", "habitues-perdus-de-vue")
    assert done.code == 0, done.erred
    text = (french.folder / "rules/habitues-perdus-de-vue.yaml").read_text("utf-8")
    assert all(
        part in text
        for part in ("au moins 5", "plus de 24 mois", 'pour: "Awa & Léa : duo"', "{visites: 4,", "15 minutes")
    )
    assert (french.filrouge("check").code, french.filrouge("test").code) == (0, 0)


def test_init_offers_them(tmp_path: Path) -> None:
    small = Small(tmp_path / "x")
    done = small.filrouge("init", "neuf", "--yes", "--rule", "anniversaires", "--rule", "second-visit", LC_ALL="fr_CA")
    assert done.code == 0, done.erred
    rules = small.folder / "neuf" / "rules"
    assert len([*rules.glob("*.yaml")]) == len([*rules.glob("templates/*.md")]) == 2
    assert f"{len(recipes('fr')) - 2} " in done.said
    assert small.filrouge("init", "autre", "--yes", "--rule", "second-visite").code == 2
    assert not (small.folder / "autre" / "config.yaml").exists()
