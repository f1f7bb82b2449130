"""A journey tells the team and another program, changes a newsletter, and has records looked at: each once, at its time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.test_webhook import Crm
from tests.fakes.mailchimp import KEY, LIST, FakeMailchimp, hash_of
from tests.thread.small import line
from tests.thread.test_journeys import Phare
from tests.thread.test_tab_check import line_of, open_lines, write

AROUND = """\
parcours:
  - nom: Première fois
    autour: première visite
    étapes:
      - {à: 3 jours avant, prévenir: "{{ prénom }} vient pour la première fois"}
      - {à: 2 jours avant, webhook: crm, champs: [courriel]}
      - {à: 1 jour après, infolettre: {ajouter étiquette: Nouveaux}}
      - {à: 2 jours après, vérifier: 1 par jour}
      - {à: 3 jours après, oublier: "{{ prénom }} l'a demandé"}
"""
NADIA = "nadia.nouvelle@example.org"


@pytest.fixture
def crm() -> Iterator[Crm]:
    with Crm() as crm:
        yield crm


@pytest.fixture
def chimp() -> Iterator[FakeMailchimp]:
    with FakeMailchimp(people=0) as chimp:
        yield chimp


@pytest.fixture
def phare(tmp_path: Path, crm: Crm, chimp: FakeMailchimp) -> Phare:
    phare = Phare(tmp_path / "phare", journeys=AROUND)
    hook = f'webhooks: {{crm: {{url: "{crm.url}/hook", secret: "${{CRM_SECRET}}", own_network: yes}}}}\n'
    phare.change("config.yaml", "rules: rules/\n", f"rules: rules/\nstaff: {{email: equipe@example.org}}\n{hook}")
    source = f'  lettre: {{type: mailchimp, key: "${{K}}", list: {LIST}, endpoint: "{chimp.url}", engagement: no}}\n'
    phare.change("config.yaml", "sheet:\n", f"{source}sheet:\n")
    phare.change("config.yaml", "  tab: Contacts\n", "  tab: Contacts\n  check: À vérifier\n")
    phare.write(".env", f"CRM_SECRET=s3cret\nK={KEY}\n")
    phare.export((line(1, "Nadia Nouvelle", "Cyrano", "20/03/2026"),))
    chimp.add(NADIA, "Nadia", "Nouvelle")
    return phare


def test_from_the_first_ticket_on(phare: Phare, crm: Crm, chimp: FakeMailchimp) -> None:
    assert phare.filrouge("check").code == 0
    phare.run(today="2026-03-15")
    ahead = phare.filrouge("preview", today="2026-03-15").said
    assert "webhook crm (1)" in ahead
    assert "vient pour la première fois" in ahead

    phare.run(today="2026-03-17")
    (told,) = [text for text in phare.texts() if "vient pour la première fois" in text]
    assert "Première fois – Nadia vient pour la première fois" in told

    phare.run(today="2026-03-18")
    (message,) = [json.loads(request.body) for request in crm.requests]
    assert (message["type"], message["journey"]) == (
        "journey.step",
        {"id": "premiere-fois", "name": "Première fois"},
    )
    assert message["person"]["email"] == NADIA
    assert message["occasion"].startswith("visit ")

    done = phare.run(today="2026-03-21")
    assert done.facts["mail"]["others_waiting"] == 1
    assert chimp.members[hash_of(NADIA)]["tags"] == []
    assert phare.filrouge("approve", "premiere-fois").code == 0
    phare.run(today="2026-03-21")
    assert {tag["name"] for tag in chimp.members[hash_of(NADIA)]["tags"]} == {"Nouveaux"}

    phare.run(today="2026-03-22")
    write(phare, "À vérifier", line_of(phare, "Fiche à vérifier"), "Vu, c'est bon", True)
    phare.run(today="2026-03-23")
    (line_,) = open_lines(phare)
    assert (line_["Quoi"], line_["Constaté"]) == ("À effacer\u00a0?", "Nadia l'a demandé")
    marks = [one.split()[0] for one in phare.steps("Nadia Nouvelle", "2026-03-23")]
    assert marks == ["✓", "✓", "✓", "✓", "→"]
    requests, writes, mails = len(crm.requests), len(chimp.requests), len(phare.mails())
    again = phare.run(today="2026-03-23")
    assert again.facts["deeds"] == {}
    assert (len(crm.requests), len(phare.mails())) == (requests, mails)
    assert {request.method for request in chimp.requests[writes:]} == {"GET"}
