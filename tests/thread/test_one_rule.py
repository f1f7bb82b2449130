"""`preview RULE`: only what that rule moves, its tasks, and why nobody is in it; `explain` after a rule was changed."""

from __future__ import annotations

import re

import openpyxl
import pytest

from tests.thread.small import TODAY, Small, line

RULES = """\
règles:
  - nom: Perdus de vue
    quand: {dernière visite: il y a plus de 6 mois}
    alors:
      - signaler: À relancer
      - tâche: Appeler {{ prénom }}
        pour: Marie
        échéance: dans 5 jours
  - nom: Revenus
    quand: {dernière visite: il y a moins de 6 mois}
    alors:
      - signaler: Revenu
      - écrire: {Priorité: Haute}
      - prévenir: "{{ prénom }} est de retour"
  - nom: Concerts
    quand:
      visites: {nombre: au moins 1, genre: concerts}
      fin d'adhésion: dans les 30 prochains jours
      genres: contiennent concerts
      ville: Lyon
    sauf: {infolettre: inscrit}
    alors:
      - signaler: Concerts
"""


VOISINS = """\
règles:
  - nom: Voisins
    quand: {ville: Brest}
    alors:
      - signaler: Voisin
"""


@pytest.fixture
def phare(small: Small) -> Small:
    small.write("rules/public.yaml", RULES)
    config = (small.folder / "config.yaml").read_text("utf-8")
    small.write(
        "config.yaml",
        config.replace("rules: rules/", "rules: rules/\nstaff: {email: [nom@example.org]}").replace(
            "Signaux: flags", "Signaux: flags, Genres: genres, Ville: city"
        ),
    )
    small.run()
    return small


@pytest.fixture
def changed(phare: Small) -> Small:
    swapped = RULES.replace("plus de 6", "@").replace("moins de 6", "plus de 6").replace("@", "moins de 6")
    phare.write("rules/public.yaml", swapped)
    return phare


def test_it_shows_only_the_cells_of_that_rule_and_its_tasks(changed: Small) -> None:
    lost, back = (
        changed.filrouge("preview", name, "--json", today=TODAY).facts for name in ("Perdus de vue", "Revenus")
    )
    columns = [{(cell["column"], cell["from"], cell["to"]) for cell in one["cells"]} for one in (lost, back)]
    assert {column for column, _, _ in columns[0]} == {"Signaux"}
    assert {("Priorité", "", "Haute")} < columns[1]
    assert [(one["person"], one["what"], one["who"], one["until"]) for one in lost["tasks"]] == [
        ("Awa Diallo", "Appeler Awa", "Marie", "2026-03-19")
    ]
    assert back["tasks"] == []
    assert [one["what"].endswith("Jeanne est de retour") for one in back["deeds"]] == [True]
    everything = changed.filrouge("preview", "--json", today=TODAY).facts
    assert (len(lost["cells"]), len(everything["cells"])) == (2, 3)
    said = changed.filrouge("preview", "Perdus de vue", today=TODAY).said
    assert "Awa Diallo · Appeler Awa · Marie · pour le 19 mars 2026" in said
    assert "Jeanne Exemple · Signaux\xa0: À relancer → Revenu" in said


def told(small: Small, rule: str) -> list[str]:
    """The lines about who moves, their gaps made one space."""
    said = small.filrouge("preview", rule, today=TODAY).said.replace("\xa0", " ")
    return [" ".join(line.split()) for line in said.partition("concernée")[0].splitlines()]


def test_each_person_stands_beside_what_the_rule_asks_about(phare: Small) -> None:
    phare.write(
        "rules/venus.yaml",
        "règles:\n  - nom: Venus\n    quand: {segment: Venus tôt, dernière visite: il y a moins de 3 ans, prochaine visite: jamais}\n"
        "    alors: [signaler: Venu]\nsegments:\n  - nom: Venus tôt\n"
        "    quand: {visites: au moins 1, dépensé: au moins 1}\n",
    )
    lines = told(phare, "Venus")
    assert lines[1] == "visites dépensé dernière visite", (
        "as the segment asks, then the rule; `jamais` is the same for all"
    )
    assert {"+ Awa Diallo 2 36 1er mars 2026", "+ Jeanne Exemple 2 36 12 mai 2024"} == set(lines[2:4])
    people = phare.filrouge("preview", "Venus", "--json", today=TODAY).facts["people"]["venus"]["enters"]
    assert {
        "person": "Awa Diallo",
        "values": {"visites": "2", "dépensé": "36", "dernière visite": "1er mars 2026"},
    } in people


def test_who_leaves_stands_beside_what_keeps_them_out(changed: Small) -> None:
    assert told(changed, "Perdus de vue")[1:] == [
        "dernière visite",
        "+ Awa Diallo 1er mars 2026",
        "− Jeanne Exemple · dernière visite le 12 mai 2024, il y a 22 mois (il y a moins de 6 mois ✗)",
        "1 personne sur 3 est",
    ]
    changed.write("rules/public.yaml", RULES.replace("6 mois}\n", "6 mois}\n    sauf: {visites: 2}\n", 1))
    assert "− Jeanne Exemple · 2 visites (2 – c'est le cas)" in told(changed, "Perdus de vue")


def test_where_nobody_moves_those_who_are_in_the_rule_are_told(phare: Small) -> None:
    assert told(phare, "Perdus de vue")[1:3] == ["dernière visite", "Jeanne Exemple 12 mai 2024"]
    page = phare.folder / "apercu.html"
    phare.filrouge("preview", "Perdus de vue", "--page", str(page), today=TODAY)
    assert re.search(r"Jeanne Exemple</td><td>12 mai 2024</td>", page.read_text("utf-8"))


def test_of_a_rule_without_anybody_it_tells_which_condition_nobody_meets(phare: Small) -> None:
    said = phare.filrouge("preview", "Concerts", today=TODAY).said.replace("\xa0", " ").replace("\u202f", " ")
    assert "Personne n'est concerné par « Concerts »" in said
    assert "0 · visites en concerts : au moins 1" in said
    assert "? · fin d'adhésion : dans les 30 prochains jours" in said
    assert "sauf infolettre : inscrit" in said
    assert "`filrouge preview concerts`" in phare.filrouge("preview", today=TODAY).said
    assert "2 personnes" not in phare.filrouge("preview", "Perdus de vue", today=TODAY).said


def test_what_few_are_known_by_is_told_though_the_list_looks_right(phare: Small) -> None:
    phare.write(
        "exports/membres.csv",
        "Email Address,First Name,Last Name,City\nmax@example.org,Max,Roy,Brest\nnour@example.org,Nour,Roy,\n",
    )
    phare.run()
    phare.write("rules/voisins.yaml", VOISINS)
    said = phare.filrouge("preview", "Voisins", today=TODAY).said.replace("\xa0", " ")
    assert "+ Max Roy" in said
    assert "! `ville` n'est rempli que pour 1 personne sur " in said
    assert "code postal" not in said
    assert "n'est rempli" not in phare.filrouge("preview", "Perdus de vue", today=TODAY).said
    phare.write(
        "exports/membres.csv",
        "Email Address,First Name,Last Name,City,Zip\nmax@example.org,Max,Roy,Brest,29200\nnour@example.org,Nour,Roy,,29000\n",
    )
    phare.run()
    said = phare.filrouge("preview", "Voisins", today=TODAY).said.replace("\xa0", " ")
    assert "`code postal` l'est pour 2 : demandez-le plutôt." in said


def test_a_rule_is_known_however_its_name_is_typed(phare: Small) -> None:
    assert phare.filrouge("preview", "perdus DE vue", today=TODAY).code == 0
    assert "Perdus de vue" in phare.filrouge("explain", "awa.diallo@example.org", "--rule", "PERDUS DE VUE").said
    refused = phare.filrouge("preview", "Perdus de vie", today=TODAY)
    assert "Il y a : `Perdus de vue`" in refused.erred.replace("\xa0", " ")


def test_rules_without_examples_are_named(phare: Small) -> None:
    told = phare.filrouge("test")
    assert (told.code, told.said) == (0, "Sans exemple, donc pas essayées\xa0: Perdus de vue, Revenus, Concerts.\n")
    example = "\n    exemples: [{personne: {dernière visite: il y a 7 mois}, attendu: concerné}]\n    alors:\n      - signaler: À"
    phare.change("rules/public.yaml", "\n    alors:\n      - signaler: À", example)
    told = phare.filrouge("test")
    assert "1 exemple est juste." in told.said
    assert "pas essayées\xa0: Revenus, Concerts." in told.said
    assert phare.filrouge("test", "--json").facts["without_examples"] == ["revenus", "concerts"]


def test_explain_tells_what_was_said_of_this_person(phare: Small) -> None:
    said = phare.filrouge("explain", "awa.diallo@example.org", "--rule", "Revenus", today=TODAY).said
    assert "Awa est de retour" in said


def test_explain_does_not_say_that_somebody_is_in_a_rule_that_no_longer_holds(changed: Small) -> None:
    said = changed.filrouge("explain", "jeanne.exemple@example.org", "--rule", "Perdus de vue", today=TODAY).said
    assert "n'est pas dans" in said
    assert "dedans depuis" not in said
    assert "au dernier passage" in said


def test_cells_that_keep_what_the_team_wrote_are_counted_by_preview_and_told_by_explain(small: Small) -> None:
    small.run()
    _remark(small, "Tutoie")
    small.write("rules/public.yaml", KEPT)
    ahead = small.filrouge("preview", "Venus", "--json", today=TODAY).facts
    assert [(one["column"], one["stays"], one["rule"]) for one in ahead["cells_kept"]] == [
        ("Remarques", "Tutoie", "Vient souvent")
    ]
    assert {cell["key"] for cell in ahead["cells"]}.isdisjoint(one["key"] for one in ahead["cells_kept"])
    said = small.filrouge("preview", "Venus", today=TODAY).said.replace("\xa0", " ")
    assert "1 cellule garde ce que l'équipe y a écrit :\n  Awa Diallo · Remarques : Tutoie" in said
    assert "1 cell keeps what the team" in small.filrouge("--language", "en", "preview", today=TODAY).said
    assert small.filrouge("preview", "Autres", "--json", today=TODAY).facts["cells_kept"] == []
    why = [small.filrouge("explain", who, today=TODAY).said for who in ("Awa Diallo", "Jeanne Exemple")]
    assert ["garde ce que l'équipe y a écrit" in one for one in why] == [True, False]


def _remark(small: Small, words: str) -> None:
    """The team adds a column and writes in Awa's row."""
    file = small.folder / "Contacts.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book["Contacts"]
    headers = [cell.value for cell in sheet[1]]
    names = [row[headers.index("Prénom")].value for row in sheet.iter_rows()]
    sheet.cell(1, len(headers) + 1).value = "Remarques"
    sheet.cell(names.index("Awa") + 1, len(headers) + 1).value = words
    book.save(file)


def test_more_than_is_shown_is_on_a_page_and_that_is_said_once(small: Small) -> None:
    assert "--page" not in small.filrouge("preview", today=TODAY).said
    small.export(tuple(line(n, f"Nom{n} Personne", "Cyrano", "20/03/2024") for n in range(1, 25)))
    small.run()
    small.write("rules/public.yaml", KEPT)
    said = small.filrouge("preview", "Venus", today=TODAY).said
    assert said.count(" de plus\xa0: ") > 1
    assert said.count("`filrouge preview venus --page apercu.html`") == 1
    assert "`filrouge preview --page preview.html`" in small.filrouge("--language", "en", "preview", today=TODAY).said
    shown = small.filrouge("preview", "Venus", "--page", "apercu.html", today=TODAY).said
    assert "filrouge preview venus" not in shown
    assert " de plus, dans la page\n" in shown
    assert "Nom23 Personne" in (small.folder / "apercu.html").read_text("utf-8")


def test_what_check_says_of_runs_is_what_preview_and_run_do(small: Small) -> None:
    small.run()
    small.write("rules/templates/rappel.md", "---\nobjet: Rappel de {{ spectacle }}\n---\nBonjour\n")
    small.write("rules/rappel.yaml", REMINDED)
    checked = small.filrouge("check")
    assert checked.code == 2
    assert "2 erreurs qui n'arrêtent pas les passages" in checked.said
    assert "Rien ne tourne" not in checked.said
    said = [small.filrouge("preview", *name, today=TODAY).said for name in ((), ("Colonne",))]
    said += [small.run().said]
    assert [one.startswith("! 2 erreurs dans vos règles ou vos modèles") for one in said] == [True, True, False]
    for one in said:
        assert "La colonne «\xa0Nulle part\xa0» n'est pas dans le tableau" in one
        assert "rappel.md:2:21  `spectacle` parle d'un spectacle" in one
    assert not [mail for mail in small.filrouge("outbox", "--json").facts["mails"] if mail["state"] == "sent"]

    small.change("rules/templates/rappel.md", "objet: Rappel", "objet: Rappel : vue")
    stops = "1 erreur. Rien ne tourne avant qu'elle soit corrigée."
    assert stops in small.filrouge("check").said
    for refused in (small.filrouge("preview", today=TODAY), small.run()):
        assert (refused.code, refused.said) == (2, "")
        assert refused.erred.startswith(stops)
    english = [small.filrouge("--language", "en", *words).erred for words in (["preview"], ["run"])]
    assert all(one.startswith("1 mistake. Nothing runs before it is mended.") for one in english)


REMINDED = """\
règles:
  - nom: Rappel
    quand: {visites: au moins 1}
    alors:
      - courriel: rappel
        finalité: service
  - nom: Colonne
    quand: {tableau: {Nulle part: oui}}
    alors:
      - signaler: Colonne
"""
KEPT = """\
règles:
  - nom: Venus
    quand: {visites: au moins 1}
    alors:
      - écrire: {Remarques: Vient souvent}
  - nom: Autres
    quand: {visites: 0}
    alors:
      - signaler: Autre
"""
ASKED = """\
règles:
  - nom: Danse
    quand:
      visites: {nombre: au moins 1, genre: Danze}
      genres: [Danse, Opéra]
      code postal: "35"
    alors: {signaler: Danse}
parcours:
  - nom: Autour
    autour: chaque billet
    quand: {genre: theatre}
    étapes:
      - à: 1 jour après
        signaler: Venu
"""
HEAD_LINE = "Référence commande;Date de la commande;Statut de la commande;Nom payeur;Prénom payeur;Email payeur;Code postal;Spectacle;Genre;Date du spectacle;Numéro de billet;Tarif;Montant tarif"


def test_check_tells_a_word_that_nobody_has(phare: Small) -> None:
    phare.write("rules/public.yaml", ASKED)
    assert "Danze" not in phare.filrouge("check").said  # of nobody a genre is known yet
    rows = [
        f"{n};01/02/2024 10:00;Validé;Exemple;Jeanne;jeanne.exemple@example.org;35000;Carmen;{genre};0{n}/03/2024 20:00;{n}1;Plein;18,00"
        for n, genre in ((1, "Danse"), (2, "Théâtre"))
    ]
    phare.write("exports/genres.csv", "\n".join([HEAD_LINE, *rows]) + "\n")
    assert phare.run().code == 0
    done = phare.filrouge("check")
    assert done.code == 0
    told = {one["found"]: one["suggestion"] for one in phare.filrouge("check", "--json").facts["advice"]}
    assert told == {"Danze": "Danse", "Opéra": None, "35": "commence par 35", "code postal": None}
    assert "`Opéra` ne se trouve chez personne pour l'instant. Il y a `Danse` et `Théâtre`." in done.said
    assert "public.yaml:4:" in done.said


def test_check_tells_a_field_that_no_source_gives(phare: Small) -> None:
    unfed = "    sauf: {fin d'adhésion: connue, prochaine visite: connue}\n    alors: {signaler: X}\n"
    phare.write("rules/public.yaml", f"règles:\n  - nom: Sauf\n    quand: {{visites: au moins 1}}\n{unfed}")
    advice = phare.filrouge("check", "--json").facts["advice"]
    assert [one["found"] for one in advice] == ["fin d'adhésion"]
    assert (
        "personne ne sera concerné. Les adhésions et les abonnements viennent d'un export"
        in phare.filrouge("check").said
    )


UNFED = [
    ("ouvertures: {nombre: 0, sur: 6 mois}", "personne ne sera concerné. Les ouvertures et les clics viennent de"),
    ("dernier clic: jamais", "personne ne sera concerné"),
    ("anniversaire: il y a moins de 26 ans", "personne ne sera concerné. Il y faut une colonne"),
    ("aucun de: {réponses: au moins 1}", "personne ne sera concerné"),
    ("aucun de: {anniversaire: connu}", "cette ligne ne change rien"),
    ("au moins un de: {visites: 1, clics: 0}", "cette ligne ne change rien"),
    ("anniversaire: jamais", None),
]


def test_check_tells_who_is_kept_out_by_what_nobody_knows(phare: Small) -> None:
    rules = [f"  - nom: R{n}\n    quand: {{{line}}}\n    alors: {{signaler: X}}\n" for n, (line, _) in enumerate(UNFED)]
    phare.write("rules/public.yaml", "règles:\n" + "".join(rules))
    done = phare.filrouge("check", "--json")
    told = {one["line"]: one["message"].replace("\xa0", " ") for one in done.facts["advice"]}
    expected = {3 * n + 3: said for n, (_, said) in enumerate(UNFED) if said}
    assert told.keys() == expected.keys()
    assert [line for line, said in expected.items() if said not in told[line]] == []


OUT_OF_REACH = """\
règles:
  - nom: Trop
    quand:
      visites: {nombre: au moins 1, sur: 10 ans, genre: danse et théâtre}
      dernière visite: il y a plus de 9 ans
      première visite: après le 2150-03-14
      dépensé: plus de 540
      billets: au moins 9
    alors:
      - signaler: X
  - nom: Assez
    quand:
      visites: {nombre: au moins 1, sur: 12 mois}
      dernière visite: il y a plus de 12 mois
      première visite: après le 2024-03-13
      billets: au moins 2
    alors:
      - signaler: Y
"""


def test_check_tells_what_asks_for_more_than_there_is(phare: Small) -> None:
    rows = [
        f"{n};01/02/2024 10:00;Validé;Exemple;Jeanne;jeanne.exemple@example.org;35000;Carmen;{genre};0{n}/03/2024 20:00;{n}1;Plein;18,00"
        for n, genre in ((1, "Danse"), (2, "Théâtre"))
    ]
    phare.write("exports/genres.csv", "\n".join([HEAD_LINE, *rows]) + "\n")
    assert phare.run().code == 0
    phare.write("rules/public.yaml", OUT_OF_REACH)
    done = phare.filrouge("check", "--json")
    assert done.code == 0
    told = [(one["line"], one["found"], one["suggestion"]) for one in done.facts["advice"]]
    assert sorted(told) == [
        (4, "10 ans", None),
        (4, "danse et théâtre", None),
        (5, "il y a plus de 9 ans", None),
        (6, "après 2150-03-14", None),
        (7, "plus de 540", None),
        (8, "au moins 9", None),
    ]
    [both] = [one["message"] for one in done.facts["advice"] if one["found"] == "danse et théâtre"]
    assert "écrivez `[Danse, Théâtre]`" in both
    assert "`- visites: {…, genre: Danse}`, `- visites: {…, genre: Théâtre}`" in both
    assert "la première visite connue date du 1er mars 2024" in phare.filrouge("check").said


def test_an_email_whose_file_has_a_mistake_is_not_called_missing(phare: Small) -> None:
    phare.change("rules/templates/on-se-revoit.md", "{{ prénom or", "{{ prenon or")
    for command in ("check", "run"):
        done = phare.filrouge(command)
        assert done.code == 2
        shown = done.said + done.erred
        assert "Le champ `prenon` n'existe pas." in shown
        assert "Il n'y a pas de courriel" not in shown


def test_check_tells_another_programs_merge_signs(phare: Small) -> None:
    phare.write("rules/public.yaml", RULES.partition("  - nom: Concerts")[0])  # what it asks is known of nobody
    phare.change("rules/public.yaml", "Appeler {{ prénom }}", "Appeler [prénom], de [chez nous]")
    phare.change(
        "rules/templates/on-se-revoit.md",
        "Bonjour {{ prénom or",
        "Bonjour «nom», *|FNAME|* { Prénom }, { prénom ou 'ami' } {{ prénom or",
    )
    done = phare.filrouge("check", "--json")
    assert done.code == 0
    told = {one["found"]: (one["file"].rpartition("/")[2], one["line"]) for one in done.facts["advice"]}
    assert told == {
        "[prénom]": ("public.yaml", 6),
        "«nom»": ("on-se-revoit.md", 5),
        "*|FNAME|*": ("on-se-revoit.md", 5),
        "{ Prénom }": ("on-se-revoit.md", 5),
        "{ prénom ou 'ami' }": ("on-se-revoit.md", 5),
    }
    right = {one["found"]: one["suggestion"] for one in done.facts["advice"]}
    assert (right["{ Prénom }"], right["{ prénom ou 'ami' }"]) == ("{{ Prénom }}", "{{ prénom or 'ami' }}")
    assert "`[prénom]` partirait tel quel." in phare.filrouge("check").said


MANY = "règles:\n  - nom: Venus\n    quand: {visites: au moins 1}\n    alors: [{tâche: 'Appeler {{ prénom }}'}]\n"


def test_a_list_that_is_cut_gives_the_command_for_all_of_it(small: Small) -> None:
    small.export(tuple(line(n, f"Awa Nom{n:02}", "Cyrano", "10/03/2024") for n in range(23)))
    small.write("rules/public.yaml", MANY)
    cut = small.filrouge("preview", "Venus", today=TODAY).said
    assert "  … et 3 de plus\xa0: `filrouge preview venus --all`\n" in cut
    assert "--all`" in small.filrouge("preview", today=TODAY).said
    whole = small.filrouge("preview", "Venus", "--all", today=TODAY).said
    assert "de plus" not in whole
    assert len(re.findall(r"^  \+ Awa Nom\d\d", whole, re.MULTILINE)) == 23


def test_an_email_that_waits_its_time_is_shown_with_its_day(small: Small) -> None:
    small.change("rules/public.yaml", "courriel: on-se-revoit", "courriel: on-se-revoit\n        attendre: 1 semaine")
    said = small.filrouge("preview", "Perdus de vue", today=TODAY).said
    assert "(prévu le 21 mars 2026, si c'est encore vrai)" in said
    (mail,) = small.filrouge("preview", "--json", today=TODAY).facts["mails"]
    assert mail["leaves"] == "2026-03-21"
    page = small.folder / "apercu.html"
    small.filrouge("preview", "--page", str(page), today=TODAY)
    assert "prévu le 21 mars 2026" in page.read_text("utf-8")


def test_a_run_that_made_a_task_has_something_new_to_say(small: Small) -> None:
    small.write("rules/public.yaml", MANY.replace("au moins 1", "au moins 9"))
    small.run()
    assert "Rien de nouveau" in small.filrouge("run", today=TODAY).said
    small.write("rules/public.yaml", MANY)
    said = small.filrouge("run", today=TODAY).said
    assert "Le tableau\xa0: aucune cellule à changer." in said
    assert "2 nouvelles tâches pour l'équipe." in said
    assert "Rien de nouveau" not in said


def test_what_an_example_leaves_open_is_told_below_it(small: Small) -> None:
    small.write(
        "rules/public.yaml",
        "règles:\n  - nom: Fidèles\n    quand: {visites: {nombre: 1, sur: 2 ans}}\n    alors: [signaler: Fidèle]\n"
        "    exemples: [{personne: {visites: 4}, attendu: concerné}]\n"
        "parcours:\n  - nom: Merci\n    autour: chaque don\n    quand: {montant: au moins 100}\n"
        "    étapes: [{à: 1 jour après, tâche: Appeler}]\n    exemples: [{personne: {donné: 50}, attendu: pas concerné}]\n",
    )
    told = small.filrouge("test")
    assert told.code == 2
    said = told.said.replace("\xa0", " ")
    assert "pris aussi pour « visites sur 2 ans »" in said
    assert "`visites: [il y a 2 ans]`" in said
    assert "✓ rules/public.yaml:11:16  Merci\n    ! L'exemple ne dit pas `montant:`, et la réponse en dépend." in said


def test_steps_whose_conditions_did_not_hold_are_told_as_such(small: Small) -> None:
    small.write(
        "rules/public.yaml",
        "parcours:\n  - nom: Merci\n    autour: chaque billet\n    quand: {visites: au moins 9}\n"
        "    étapes: [{à: 1 jour après, tâche: Appeler, au plus tard: 60 jours}]\n",
    )
    said = {one: small.filrouge("--language", one, "preview", "Merci", today=TODAY).said for one in ("fr", "en")}
    assert "Merci, à ce passage\xa0: 1 étape non faite (conditions non remplies).\n" in said["fr"]
    assert "Merci, in this run: 1 step not done (conditions not met).\n" in said["en"]


def test_check_and_preview_name_a_part_that_nobodys_text_has(phare: Small) -> None:
    phare.write(
        "rules/ecoles.yaml",
        "règles:\n  - nom: Écoles\n    quand: {visites: au moins 1}\n"
        "    sauf: {nom de famille: contient Zzyx, prénom: commence par un de [Aw, Zzo]}\n    alors: [signaler: École]\n",
    )
    checked = phare.filrouge("check", today=TODAY).said
    assert ["Zzyx" in checked, "`Zzo`" in checked, "`Aw`" in checked] == [True, True, False]
    assert "Diallo" not in checked, "a list of names is nobody's advice"
    assert phare.filrouge("preview", "Écoles", today=TODAY).said.count("Zzyx") == 2


def test_beside_an_exception_stands_how_many_of_the_rule_it_leaves_out(phare: Small) -> None:
    phare.write(
        "rules/venus.yaml",
        "règles:\n  - nom: Venus\n    quand: {visites: au moins 2}\n"
        "    sauf: {dernière visite: il y a plus de 2 ans, dépensé: au moins 90, prénom: commence par J}\n"
        "    alors: [signaler: Venu]\n",
    )
    said = phare.filrouge("preview", "Venus", today=TODAY).said.replace("\xa0", " ")
    assert "· sauf prénom : commence par J (écarte 1 personne de cette règle)" in said
    assert "· sauf dépensé : au moins 90 (en tout, depuis toujours) (n'écarte personne de cette règle)" in said
