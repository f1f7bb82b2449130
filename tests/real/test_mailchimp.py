"""Our requests to Mailchimp and the fake's answers, held to the vendor's own Swagger file.

The file is Mailchimp's and is not part of the project: FILROUGE_SPECS names the folder with `mailchimp-marketing.json`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from connectors.source import Setting
from connectors.sources.mailchimp import Mailchimp, MailchimpSettings
from connectors.trouble import FixFile
from tests.contracts import NOW, whole
from tests.fakes.mailchimp import KEY, LIST, START, FakeMailchimp
from tests.fakes.server import Request

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    folder = os.environ.get("FILROUGE_SPECS")
    if not folder:
        pytest.skip(
            "Not compared: set FILROUGE_SPECS to the folder that holds Mailchimp's Swagger file, mailchimp-marketing.json."
        )
    file = Path(folder) / "mailchimp-marketing.json"
    if not file.is_file():
        pytest.fail(f"FILROUGE_SPECS is set, but there is no {file}.")
    spec: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return spec


@pytest.fixture
def world() -> Iterator[FakeMailchimp]:
    with FakeMailchimp() as world:
        world.edit(next(iter(world.members)), tags=[{"id": 7, "name": "mécène"}], vip=True)
        world.act("c0ffee0001", next(iter(world.members)), "click", START)
        yield world


@pytest.fixture
def asked(world: FakeMailchimp, tmp_path: Path) -> list[Request]:
    """Everything that a check, a first pull, a later one and a wrong audience ask."""
    setting = Setting("ours", tmp_path, now=lambda: NOW, sleep=lambda _: None)
    ours = Mailchimp(MailchimpSettings.model_validate({"key": KEY, "list": LIST, "endpoint": world.url}), setting)
    ours.check()
    ledger = whole(ours)
    world.edit(next(iter(world.members)), vip=False)
    ledger.pull(ours)
    ours.close()
    other = Mailchimp(MailchimpSettings.model_validate({"key": KEY, "list": "zzz", "endpoint": world.url}), setting)
    with pytest.raises(FixFile):
        other.check()
    other.close()
    return world.requests


def test_we_ask_only_what_mailchimp_knows(spec: dict[str, Any], asked: list[Request]) -> None:
    assert len({path_of(spec, request.path) for request in asked}) == 5
    for request in asked:
        known = {each["name"]: each for each in operation(spec, request)["parameters"] if each["in"] == "query"}
        assert set(request.query) <= set(known), request.raw_query
        for name in request.query:
            fits(request.one(name), known[name])


def test_we_ask_only_for_fields_that_are_there(spec: dict[str, Any], asked: list[Request]) -> None:
    for request in asked:
        shape = operation(spec, request)["responses"]["200"]["schema"]
        for field in filter(None, request.one("fields").split(",")):
            assert holds(shape, field.split(".")), f"{request.path} has no {field}"


def test_the_fake_answers_as_mailchimp_does(spec: dict[str, Any], world: FakeMailchimp, asked: list[Request]) -> None:
    """Whole answers too, without `fields`; no key that Mailchimp does not have."""
    bare = [Request("GET", request.path, "count=50", {}, b"") for request in asked if "zzz" not in request.path]
    for request in [*asked, *bare]:
        parameters = "" if request.path.endswith(LIST) and request in bare else request.raw_query
        address = f"{world.url.removesuffix('/3.0')}{request.path}?{parameters}"
        answer = httpx.get(address, auth=("x", KEY))
        status = "200" if answer.status_code == 200 else "default"
        shape = strict(operation(spec, request)["responses"][status]["schema"])
        jsonschema.Draft4Validator(shape, format_checker=None).validate(answer.json())


def path_of(spec: dict[str, Any], path: str) -> str:
    for known in spec["paths"]:
        if re.fullmatch(re.sub(r"\{[a-z_]+\}", "[^/]+", known), path.removeprefix("/3.0")):
            return str(known)
    raise AssertionError(f"Mailchimp has no {path}")


def operation(spec: dict[str, Any], request: Request) -> dict[str, Any]:
    found: dict[str, Any] = spec["paths"][path_of(spec, request.path)][request.method.lower()]
    return found


def fits(value: str, parameter: dict[str, Any]) -> None:
    if parameter["type"] == "integer":
        assert 0 <= int(value) <= parameter.get("maximum", 10**9)
    if "enum" in parameter:
        assert value in parameter["enum"]
    if "ISO 8601" in parameter.get("description", ""):
        assert datetime.fromisoformat(value).tzinfo


def holds(shape: dict[str, Any], steps: list[str]) -> bool:
    inner = shape.get("items", shape).get("properties", {})
    return not steps or (steps[0] in inner and holds(inner[steps[0]], steps[1:]))


def strict(shape: Any) -> Any:
    """The same schema, but a key it does not name is a mistake."""
    if isinstance(shape, list):
        return [strict(inner) for inner in shape]
    if not isinstance(shape, dict):
        return shape
    made = {name: strict(inner) for name, inner in shape.items()}
    if isinstance(shape.get("properties"), dict) and "additionalProperties" not in shape:
        made["additionalProperties"] = False
    return made
