"""A rule tells another program: once recorded, delivered at least once, told where it can't be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.test_webhook import Crm
from tests.thread.small import Small

RULES = """\
règles:
  - nom: Habitués
    quand: {visites: au moins 2}
    alors:
      - webhook: CRM
        champs: [courriel, visites, dépensé, dernière visite]
"""


@pytest.fixture
def crm() -> Iterator[Crm]:
    with Crm() as crm:
        yield crm


@pytest.fixture
def phare(small: Small, crm: Crm) -> Small:
    hook = f'webhooks: {{crm: {{url: "{crm.url}/hook", secret: "${{CRM_SECRET}}", own_network: yes}}}}\n'
    small.change("config.yaml", "rules: rules/\n", f"rules: rules/\n{hook}")
    small.write(".env", "CRM_SECRET=s3cret\n")
    small.write("rules/public.yaml", RULES)
    return small


def bodies(crm: Crm) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in crm.requests]


def test_it_is_told_what_the_rule_names_and_nothing_else(phare: Small, crm: Crm) -> None:
    done = phare.run()
    assert (done.code, done.facts["services"]["webhook"]["done"]) == (0, 2)
    told = next(body for body in bodies(crm) if body["person"]["email"] == "jeanne.exemple@example.org")
    assert told["rule"] == {"id": "habitues", "name": "Habitués"}
    assert {name: told["person"][name] for name in ("visits", "spent", "last_visit")} == {
        "visits": 2, "spent": 36.0, "last_visit": "2024-05-12",
    }  # fmt: skip
    assert set(told["person"]) == {"code", "email", "visits", "spent", "last_visit"}
    assert told["person"]["code"] == phare_code(phare, "Jeanne")
    phare.run()
    assert len(crm.requests) == 2


def phare_code(small: Small, first_name: str) -> str:
    return str(small.filrouge("person", "show", f"{first_name} Exemple", "--json").facts["code"])


def test_a_program_that_is_down_is_told_later_under_the_same_id(phare: Small, crm: Crm) -> None:
    fault = crm.fail(status=503, times=99)
    done = phare.run(today="2026-03-14")
    assert (done.code, done.facts["services"]["webhook"]["later"]) == (1, 2)
    assert len(crm.requests) == 3  # one message tried three times; the other waits
    assert "retentés plus tard" in (phare.folder / "report.html").read_text("utf-8")
    assert "à faire" in phare.filrouge("outbox").said
    fault.times = 0
    first = crm.requests[0].headers["webhook-id"]
    done = phare.run(today="2026-03-15")
    assert done.facts["services"]["webhook"]["done"] == 2
    assert first in [request.headers["webhook-id"] for request in crm.requests[3:]]


def test_an_address_inside_is_told_and_nothing_is_lost(phare: Small, crm: Crm) -> None:
    phare.change("config.yaml", "own_network: yes", "own_network: no")
    phare.change("config.yaml", crm.url, crm.url.replace("http:", "https:"))
    done = phare.run(today="2026-03-14")
    assert done.code == 1
    assert any("own_network: yes" in note for note in done.facts["notes"])
    phare.change("config.yaml", "own_network: no", "own_network: yes")
    phare.change("config.yaml", "https://127", "http://127")
    assert phare.run(today="2026-03-15").facts["services"]["webhook"]["done"] == 2


def test_what_is_refused_for_good_is_told_and_may_be_tried_again(phare: Small, crm: Crm) -> None:
    crm.fail(status=422, times=1)
    done = phare.filrouge("run", "--json")
    assert done.facts["services"]["webhook"] == {"done": 1, "failed": 1, "later": 0, "held": {}}
    (failed,) = phare.filrouge("outbox", "--state", "failed", "--json").facts["deeds"]
    assert (failed["kind"], failed["reason"]) == ("webhook", "not-taken")
    assert phare.filrouge("outbox", "--release", failed["id"]).code == 0
    assert phare.filrouge("run", "--json").facts["services"]["webhook"]["done"] == 1


def test_mistakes_of_the_config_are_told(phare: Small) -> None:
    phare.change("config.yaml", "own_network: yes", "own_network: no, to: x")
    assert "url, secret, own_network" in phare.filrouge("check").said.replace("`", "")
    phare.change("config.yaml", ", to: x", "")
    assert "commence par https://" in phare.filrouge("check").said
