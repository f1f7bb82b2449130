"""An approval is of a text: e-mails that were reworded since wait for a yes once more."""

from __future__ import annotations

from email import message_from_bytes, policy

from tests.thread.small import LINES, Small, line


def test_a_reworded_e_mail_does_not_go_by_an_old_yes(small: Small) -> None:
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    small.change("rules/templates/on-se-revoit.md", "revenez nous voir.", "[à compléter]")
    done = small.run()
    assert small.mails() == []
    assert (done.code, done.facts["mail"]["waiting"]) == (7, 1)
    assert any("a changé depuis votre accord" in one for one in done.facts["notes"])
    small.filrouge("approve", "perdus-de-vue")
    again = small.run()
    assert len(small.mails()) == 1
    assert not any("a changé" in one for one in again.facts["notes"])


def test_a_shared_header_or_footer_is_text_colours_are_not(small: Small) -> None:
    small.write("rules/templates/pied.md", "Le bar ouvre une heure avant.")
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    small.change("config.yaml", "language: fr", 'language: fr, colours: {accent: "#123456"}')
    small.write(
        "rules/templates/footer.en.md", "The bar opens an hour before."
    )  # other readers' may wait for other e-mails
    small.change("rules/templates/pied.md", "une heure", "deux heures")
    done = small.run()
    assert small.mails() == []
    assert done.facts["mail"]["waiting"] == 1
    small.filrouge("approve", "perdus-de-vue")
    small.change("config.yaml", "#123456", "#654321")
    small.run()
    assert len(small.mails()) == 1


def test_later_e_mails_of_the_rule_wait_too_and_the_same_text_goes_on(small: Small) -> None:
    small.run()
    small.filrouge("approve", "perdus-de-vue")
    small.run()
    more = (line(8, "Zoe Neuve", "Cyrano", "10/03/2024"), line(9, "Zoe Neuve", "Antigone", "12/05/2024"))
    small.export(more, "autres.csv")
    small.run()
    assert len(small.mails()) == 2, "a yes to the rule holds for those who enter later"
    small.change("rules/templates/on-se-revoit.md", "Cela fait longtemps", "Coucou")
    small.export(
        tuple(
            one.replace("Zoe", "Ali").replace("zoe", "ali").replace("8;", "10;").replace("9;", "11;") for one in more
        ),
        "encore.csv",
    )
    small.run()
    assert len(small.mails()) == 2


def test_who_approves_at_the_command_line_approves_the_text_as_it_is_now(small: Small) -> None:
    small.run()
    small.change("rules/templates/on-se-revoit.md", "Cela fait longtemps", "Coucou")
    small.filrouge("approve", "perdus-de-vue")
    small.run()
    assert len(small.mails()) == 1
    assert "coucou" in small.mails()[0]


def test_one_that_was_ticked_waits_too_once_its_text_is_another(small: Small) -> None:
    small.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  outbox: Courriels\n")
    small.change("rules/public.yaml", "- courriel: on-se-revoit", "- courriel: on-se-revoit\n        attendre: 2 jours")
    small.export((*LINES, line(8, "Zoe Neuve", "Cyrano", "10/03/2024"), line(9, "Zoe Neuve", "Antigone", "12/05/2024")))
    for day in ("2026-03-14", "2026-03-16"):
        small.run(today=day)
    small.tick("Courriels", "jeanne")
    small.change("rules/templates/on-se-revoit.md", "revenez nous voir.", "[à compléter]")
    done = small.run(today="2026-03-16")
    assert small.mails() == []
    assert done.facts["mail"]["waiting"] == 2
    assert any("Le texte de 1 courriel a changé" in one for one in done.facts["notes"])
    for _ in range(2):  # the old tick is no yes, and is taken away
        small.run(today="2026-03-16")
        assert small.mails() == []
    (row,) = [row for row in small.rows("Courriels") if "jeanne" in row["À"]]
    assert (row["D'accord"], "attend un nouvel oui" in row["Pourquoi"]) == ("", True)
    small.tick("Courriels", "jeanne")
    small.run(today="2026-03-16")
    assert [name.split()[1] for name in small.mails()] == ["cela-fait-longtemps-jeanne"]


def test_one_approved_by_its_number_is_approved_as_it_is_now(small: Small) -> None:
    small.run()
    small.change("rules/templates/on-se-revoit.md", "Cela fait longtemps", "Coucou")
    (mail,) = small.filrouge("outbox", "--json").facts["mails"]
    small.filrouge("approve", mail["id"])
    small.run()
    assert "coucou" in small.mails()[0]


def test_two_batches_of_a_rule_are_asked_for_once(small: Small) -> None:
    small.change("config.yaml", "rules: rules/", "rules: rules/\nstaff: {email: [equipe@example.org]}")
    small.run()
    small.export(
        (line(8, "Zoe Neuve", "Cyrano", "10/03/2024"), line(9, "Zoe Neuve", "Antigone", "12/05/2024")), "b.csv"
    )
    done = small.filrouge("run", today="2026-03-15")
    command = "filrouge approve perdus-de-vue"
    assert done.said.count(command) == 1
    for said in (small.filrouge("status").said, small.filrouge("outbox").said):
        assert said.count(command) == 1
        assert "2 courriels" in said
    page = (small.folder / "report.html").read_text("utf-8")
    assert page.count(command) == 1
    (name,) = [name for name in small.mails() if name.startswith("2026-03-15")]
    told = message_from_bytes((small.folder / "outbox" / name).read_bytes(), policy=policy.default)
    body = told.get_body(("plain",))
    assert body is not None
    assert body.get_content().count("«\N{NO-BREAK SPACE}Perdus de vue\N{NO-BREAK SPACE}»") == 1
    small.filrouge("approve", "perdus-de-vue")
    assert small.run(today="2026-03-15").facts["mail"]["sent"] == 2
