"""The team is told once after a run: what rules tell, what went wrong and is mended, what waits, what happened."""

from __future__ import annotations

import email
import email.policy
from typing import Any

import pytest

from connectors.mail.folder import Folder
from connectors.mail.mailer import AnswerLost, RefusedForGood
from connectors.trouble import TryLater
from tests.connectors.test_webhook import Crm
from tests.thread.small import LINES, Small, line

RULES = """\
règles:
  - nom: Habitués
    quand: {visites: au moins 2}
    alors:
      - prévenir: "{{ prénom }} est venue {{ visites }} fois *et* <b>plus</b>"
"""
TEAM = "staff: {email: [accueil@example.org, Marie <marie@example.org>]}\n"


@pytest.fixture
def phare(small: Small) -> Small:
    small.change("config.yaml", "rules: rules/\n", f"rules: rules/\n{TEAM}")
    small.write("rules/public.yaml", RULES)
    return small


def mails(small: Small) -> list[Any]:
    """What went to the team, oldest first."""
    files = sorted((small.folder / "outbox").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    read = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
    return [mail for mail in read if "Fil rouge prévient" in text(mail)]


def text(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content()).replace("\u00a0", " ").replace("\u202f", " ")


def test_one_mail_each_gathers_all_and_a_quiet_run_sends_none(phare: Small) -> None:
    done = phare.run(today="2026-03-14")
    assert done.facts["told"] == 2
    first, second = mails(phare)
    assert {mail["To"] for mail in (first, second)} == {"accueil@example.org", "Marie <marie@example.org>"}
    told = text(first)
    assert "Jeanne est venue 2 fois *et* <b>plus</b> (Jeanne Exemple · jeanne.exemple@example.org)" in told
    assert "Awa est venue 2 fois" in told
    assert "exports : 10 lus" in told
    html = first.get_body(("html",)).get_content()
    assert "&lt;b&gt;plus&lt;/b&gt;" in html
    assert "<em>" not in html
    assert "<b>" not in html
    phare.run(today="2026-03-14")
    assert len(mails(phare)) == 2


def test_a_rule_tells_of_each_person_once(phare: Small) -> None:
    phare.run(today="2026-03-14")
    phare.export((*LINES, line(7, "Luc Roy", "Ubu roi", "01/02/2026"), line(8, "Luc Roy", "Cyrano", "02/02/2026")))
    phare.run(today="2026-03-15")
    last = text(mails(phare)[-1])
    assert "Luc est venue 2 fois" in last
    assert "Jeanne est venue" not in last


def test_what_fails_with_each_run_is_told_once_and_when_it_is_mended(phare: Small) -> None:
    phare.change("config.yaml", TEAM, "staff: {email: accueil@example.org, digest: when needed}\n")
    phare.run(today="2026-03-14")
    (phare.folder / "exports").rename(phare.folder / "gone")
    for day in ("2026-03-15", "2026-03-16", "2026-03-17"):
        assert phare.run(today=day).code == 1
    _, broken = mails(phare)
    assert "Ce qui n'a pas marché" in text(broken).replace("’", "'")
    assert "exports – " in text(broken)
    assert "à regarder" in broken["Subject"]
    (phare.folder / "gone").rename(phare.folder / "exports")
    phare.run(today="2026-03-18")
    *_, mended = mails(phare)
    assert "exports peut de nouveau être lu." in text(mended)
    assert len(mails(phare)) == 3
    phare.run(today="2026-03-19")
    assert len(mails(phare)) == 3


def test_what_waits_is_told_when_there_is_more_of_it(phare: Small) -> None:
    phare.change("config.yaml", TEAM, "staff: {email: accueil@example.org, digest: when needed}\n")
    phare.write("rules/public.yaml", RULES.replace("prévenir:", "courriel: on-se-revoit #"))
    for day in ("2026-03-14", "2026-03-15"):
        phare.run(today=day)
    (told,) = mails(phare)
    assert "filrouge approve habitues" in text(told)
    assert "vous attend" in told["Subject"]
    phare.export((*LINES, line(7, "Luc Roy", "Ubu roi", "01/02/2026"), line(8, "Luc Roy", "Cyrano", "02/02/2026")))
    phare.run(today="2026-03-16")
    assert len(mails(phare)) == 2


def test_nobody_reached_is_told_in_the_run_and_the_next_one_tells_it(
    phare: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> str:
        raise TryLater("smtp-down", host="smtp.example.org", detail="")

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "send", down)
        done = phare.run(today="2026-03-14")
    assert (done.facts["told"], mails(phare)) == (0, [])
    assert any("prévenue" in note for note in done.facts["notes"])
    phare.run(today="2026-03-15")
    assert "Jeanne est venue 2 fois" in text(mails(phare)[0])


def test_who_is_refused_costs_only_themselves(phare: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    send = Folder.send

    def picky(self: Folder, message: Any, sender: str, recipient: str) -> str:
        if recipient == "marie@example.org":
            raise RefusedForGood("smtp-refused", answer="550 no such user")
        return send(self, message, sender, recipient)

    monkeypatch.setattr(Folder, "send", picky)
    done = phare.run(today="2026-03-14")
    assert done.facts["told"] == 1
    assert any("marie@example.org" in note and "550" in note for note in done.facts["notes"])
    phare.run(today="2026-03-14")
    assert len(mails(phare)) == 1


def test_a_lost_answer_is_not_told_twice(phare: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> str:
        raise AnswerLost("smtp-answer-lost", host="smtp.example.org")

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "send", lost)
        phare.run(today="2026-03-14")
    phare.run(today="2026-03-15")
    (first, _) = mails(phare)
    assert "Jeanne est venue" not in text(first)
    assert "n'est peut-être pas arrivé" in text(first).replace("’", "'")
    phare.run(today="2026-03-16")
    assert len(mails(phare)) == 2


def test_cut_off_while_telling_is_perhaps_told_and_never_twice(phare: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "send", killed)
        patch.setattr(Folder, "has_sent", lambda *_: None)
        phare.filrouge("run", today="2026-03-14")
        patch.undo()
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "has_sent", lambda *_: None)
        patch.setattr(Folder, "send", Folder.send)
        assert phare.run(today="2026-03-15").code in {0, 1}
    told = [text(mail) for mail in mails(phare)]
    assert not any("Jeanne est venue" in one for one in told)
    assert any("n'est peut-être pas arrivé" in one.replace("’", "'") for one in told)


def test_another_program_is_told_the_same(phare: Small) -> None:
    with Crm() as crm:
        hook = f'webhooks: {{equipe: {{url: "{crm.url}/hook", secret: "${{S}}", own_network: yes}}}}\n'
        phare.change("config.yaml", TEAM, f"staff: {{webhook: equipe}}\n{hook}")
        phare.write(".env", "S=s3cret\n")
        phare.run(today="2026-03-14")
        (request,) = crm.requests
        told = request.json()
        assert (told["type"], told["run"]) == ("run.digest", 1)
        assert any("Jeanne est venue 2 fois" in one for section in told["sections"] for one in section["lines"])
        phare.run(today="2026-03-14")
        assert len(crm.requests) == 1
    assert mails(phare) == []


def test_a_rule_that_tells_nobody_and_a_webhook_that_is_none_are_mistakes(phare: Small) -> None:
    phare.change("config.yaml", TEAM, "staff: {webhook: equipe}\n")
    assert "Il n'y a pas de webhook `equipe`" in phare.filrouge("check").said
    phare.change("config.yaml", "staff: {webhook: equipe}\n", "")
    said = phare.filrouge("check").said
    assert "Personne n'est désigné" in said
    assert "staff: {email: [nom@example.org]}" in said


def test_without_anybody_named_nobody_is_told(small: Small) -> None:
    small.run()
    assert "told" in small.run().facts
    assert small.mails() == []
