"""`filrouge check`: a few lines where all is well, and what is to be mended stands last."""

from __future__ import annotations

from tests.thread.small import Small, line
from tests.thread.test_comes_and_goes import bare


def test_a_folder_that_is_right_takes_a_few_lines(small: Small) -> None:
    for number, name in enumerate(("billets.csv", "encore.csv")):
        small.export((line(number, "Jeanne Exemple", "Cyrano", "20/03/2024"),), name)
    said = bare(small.filrouge("check").said).splitlines()
    assert len(said) <= 8
    whole = " ".join(map(str.strip, said))  # long lines are folded
    assert "billets.csv · encore.csv : lu comme des commandes et des billets ; 11 colonnes sur 11 servent" in whole
    assert said[-1] == "Tout est bon. `filrouge preview` montre ce que ferait un passage."


def test_each_column_is_shown_to_who_asks(small: Small) -> None:
    assert "Nom payeur" not in small.filrouge("check").said
    said = bare(small.filrouge("check", "--sources").said)
    assert "Nom payeur" in said
    assert "Une colonne est mal comprise ?" in said


def test_mistakes_and_advice_stand_below_all_else(small: Small) -> None:
    small.filrouge("run")
    small.change("rules/public.yaml", "au moins 2", "au moins 2000")
    advised = bare(small.filrouge("check").said).splitlines()
    order = [
        next(n for n, told in enumerate(advised) if word in told) for word in ("billets.csv", "se lit bien", "conseil")
    ]
    assert order == sorted(order)
    small.change("rules/public.yaml", "au moins 2000", "au moin 2")
    wrong = bare(small.filrouge("check").said).strip().splitlines()
    assert wrong[-1].startswith("1 erreur.")
    assert any("se lit bien" in told for told in wrong[:2])


def test_what_was_read_is_counted_and_what_was_not_is_named(small: Small) -> None:
    small.write("rules/vide.yaml", " \n")
    small.write("rules/voisins.txt", "règles: []")
    said = bare(small.filrouge("check").said)
    assert "✓ Les règles : 1 règle, 1 segment (dans public.yaml)." in said
    assert "! rules/vide.yaml est vide : rien n'y est lu." in said
    assert "! rules/voisins.txt n'est pas lu : les règles sont dans des fichiers qui finissent par .yaml." in said


def test_a_slip_in_the_config_hides_none_in_the_rules_and_the_e_mails(small: Small) -> None:
    small.write("rules/templates/merci.fr.md", "---\nobjet: {{ prénom or “x” }}\n---\nÀ {{ vile }}")
    small.change("rules/public.yaml", "au moins 2", "au moin 2")
    small.change("config.yaml", "  tab: ", "   tab: ")
    told = small.filrouge("check", "--json").facts["mistakes"]
    assert [(one["file"], one["suggestion"]) for one in told] == [
        ("config.yaml", "  tab: Contacts"),
        ("rules/public.yaml", "au moins 2"),
        ("rules/templates/merci.fr.md", "\"{{ prénom or 'x' }}\""),
        ("rules/templates/merci.fr.md", "ville"),
    ]
    assert "une fois `config.yaml` corrigé" in bare(small.filrouge("check").said)


ASKED = """\
règles:
  - nom: À dire
    quand:
      genres: [danse, dnase]
    alors:
      - prévenir: Marie
      - tâche: "Merci pour {{ donné }} € et $ {{ dépensé }}, {{ visites }} € ({{ prénom }})"
    exemples:
      - personne: {visites: 3}
        attendu: pas concerné
"""


def test_a_name_for_a_text_a_second_sign_and_a_genre_of_nobody_are_advised_on(small: Small) -> None:
    small.change("config.yaml", "organisation:", "staff: {email: [accueil@example.org]}\norganisation:")
    small.change("config.yaml", "folder: exports/}", "folder: exports/, files: [{match: '*.csv', genre: danse}]}")
    small.write("rules/dire.yaml", ASKED)
    told = small.filrouge("check", "--json").facts["advice"]
    assert [(one["line"], one["found"], one["suggestion"]) for one in told] == [
        (6, "Marie", None),
        (7, "{{ donné }} €", "{{ donné }}"),
        (7, "$ {{ dépensé }}", "{{ dépensé }}"),
    ]
    assert "`accueil@example.org`" in told[0]["message"]
    assert "dnase" not in small.filrouge("test").said  # before the first run nobody is known
    small.filrouge("run")
    (genre,) = (one for one in small.filrouge("check", "--json").facts["advice"] if one["line"] == 4)
    assert (genre["found"], genre["suggestion"]) == ("dnase", "danse")
    assert genre["message"] in small.filrouge("test").said


def test_a_town_that_is_known_of_few_is_advised_on(small: Small) -> None:
    head, *rows = (small.folder / "exports/billets.csv").read_text("utf-8").splitlines()
    coded = [f"{row};29200;{'Brest' if 'Jeanne' in row else ''}" for row in rows]
    more = [
        row.replace("Awa Diallo", name).replace("Awa", name).replace("awa", name.lower())
        for row in coded
        for name in ("Zoe", "Max")
    ]
    small.write("exports/billets.csv", "\n".join([f"{head};Code postal;Ville", *coded, *more]) + "\n")
    small.run()
    small.write(
        "rules/public.yaml", "règles:\n  - nom: Brestois\n    quand: {ville: Brest}\n    alors: [signaler: Brestois]\n"
    )
    said = " ".join(bare(small.filrouge("check").said).split())
    assert "`ville` n'est connu que de" in said
    assert "`code postal` l'est de" in said
