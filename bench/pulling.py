"""From a local HTTP server to committed rows, beside dlt into SQLite: `python -m bench.pulling [MEMBERS]`.

A server in a process of its own serves Mailchimp-like members, 1,000 a page of JSON. Fil rouge pulls them with the
reading of a connector (person, subscription, consent: three records a member), keeps raw and records and the cursor with every page;
dlt pulls the same pages with its own client and loads them into SQLite. Each in a process of its own, whose peak memory
is told. The rate is members a second, from the first request to the last commit.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import msgspec

from connectors.records import Consent, Person, Record, Subscription
from connectors.source import Object, Page

PAGE = 1_000
MEMBERS = 100_000
AIM = 3.5
MEGABYTES = 250
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def member(number: int) -> dict[str, object]:
    """One member as Mailchimp's `lists/{id}/members` gives it, `_links` left out."""
    return {
        "id": f"{number:032x}",
        "email_address": f"personne.{number}@example.org",
        "unique_email_id": f"{number:010x}",
        "contact_id": f"{number:032x}",
        "full_name": f"Prénom{number % 997} Nom{number % 7919}",
        "web_id": number,
        "email_type": "html",
        "status": ("subscribed", "unsubscribed", "cleaned")[number % 17 // 15],
        "consents_to_one_to_one_messaging": True,
        "merge_fields": {"FNAME": f"Prénom{number % 997}", "LNAME": f"Nom{number % 7919}", "PHONE": "", "CP": "75011"},
        "interests": {"a1b2c3d4e5": True, "f6a7b8c9d0": False},
        "stats": {"avg_open_rate": 0.3125, "avg_click_rate": 0.0625},
        "ip_signup": "",
        "timestamp_signup": "2021-03-04T05:06:07+00:00",
        "ip_opt": "192.0.2.1",
        "timestamp_opt": "2021-03-04T05:06:07+00:00",
        "member_rating": number % 5 + 1,
        "last_changed": "2025-11-12T13:14:15+00:00",
        "language": "fr",
        "vip": False,
        "email_client": "",
        "location": {"latitude": 48.8, "longitude": 2.3, "gmtoff": 1, "dstoff": 2, "country_code": "FR", "timezone": "", "region": ""},
        "source": "API - Generic",
        "tags_count": 1,
        "tags": [{"id": 7, "name": "Abonnés"}],
        "list_id": "a1b2c3d4e5",
    }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages: tuple[bytes, ...] = ()

    def do_GET(self) -> None:
        number = int(self.path.rpartition("=")[2])
        body = self.pages[number] if number < len(self.pages) else b'{"members": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Nobody reads it."""


def serve(members: int) -> None:
    """Serve pages until the process is ended; the port is the first line of its output."""
    _Handler.pages = tuple(
        json.dumps({"members": [member(one) for one in range(start, min(start + PAGE, members))]}).encode()
        for start in range(0, members, PAGE)
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


class _Members(msgspec.Struct):
    members: list[msgspec.Raw]


class _Id(msgspec.Struct):
    id: str


class _Stats(msgspec.Struct):
    avg_open_rate: float
    avg_click_rate: float


class _Member(msgspec.Struct):
    id: str
    email_address: str
    status: str
    merge_fields: dict[str, str]
    language: str
    last_changed: datetime
    timestamp_opt: datetime
    stats: _Stats
    tags: list[dict[str, int | str]]


_decode_page = msgspec.json.Decoder(_Members).decode
_decode = msgspec.json.Decoder(_Member).decode
_id = msgspec.json.Decoder(_Id).decode


def pages(url: str) -> Iterator[Page]:
    """Every page of members."""
    with httpx.Client() as client:
        number = 0
        while members := _decode_page(client.get(f"{url}?page={number}").content).members:
            number += 1
            things = [Object("member", _id(raw).id, bytes(raw)) for raw in members]
            yield Page(things, cursor=str(number))


def ahead(found: Iterator[Page]) -> Iterator[Page]:
    """The same pages, fetched while others are being kept, as `sync.pull` does."""
    waiting: queue.Queue[Page | None] = queue.Queue(maxsize=4)

    def fetch() -> None:
        for page in found:
            waiting.put(page)
        waiting.put(None)

    threading.Thread(target=fetch, daemon=True).start()
    while (page := waiting.get()) is not None:
        yield page


def records(thing: Object) -> list[Record]:
    """What a member means."""
    one = _decode(thing.raw)
    word = {"subscribed": "subscribed", "cleaned": "bounced"}.get(one.status, "unsubscribed")
    return [
        Person(
            id=one.id,
            email=one.email_address,
            first_name=one.merge_fields["FNAME"],
            last_name=one.merge_fields["LNAME"],
            postcode=one.merge_fields["CP"],
            language=one.language,
            tags=tuple(str(tag["name"]) for tag in one.tags),
            seen=one.last_changed,
        ),
        Subscription(id=one.id, person=one.id, list="a1b2c3d4e5", status=word, at=one.last_changed),  # type: ignore[arg-type]  # one of its words
        Consent(id=one.id, person=one.id, purpose="marketing", granted=word == "subscribed", at=one.timestamp_opt, proof="Mailchimp"),
    ]  # fmt: skip


def pull_ours(url: str, folder: Path) -> tuple[float, int]:
    """Fil rouge: seconds, and members that the store holds afterwards."""
    from sync.memory import loaded_for_good
    from sync.store import Store
    from sync.store.ledger import commit_page

    store = Store.open(f"sqlite:///{folder}/ours.db", "bench", NOW)
    began = time.perf_counter()
    with loaded_for_good():
        for page in ahead(pages(url)):
            commit_page(store, "newsletter", 1, NOW, page, records, 1)
    seconds = time.perf_counter() - began
    with store.look() as connection:
        count = connection.exec_driver_sql(
            "SELECT count(*) FROM object JOIN raw ON raw.object = object.no"
        ).scalar_one()
    store.close()
    return seconds, int(count)


def pull_dlt(url: str, folder: Path) -> tuple[float, int]:
    """dlt: the same."""
    os.environ |= {"DLT_DATA_DIR": str(folder), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    import dlt
    from dlt.sources.helpers import requests

    @dlt.resource(name="members", write_disposition="append")  # type: ignore[untyped-decorator,unused-ignore]  # typed where dlt is installed
    def members() -> Iterator[list[dict[str, object]]]:
        number = 0
        while found := requests.get(f"{url}?page={number}").json()["members"]:
            number += 1
            yield found

    place = dlt.destinations.sqlalchemy(f"sqlite:///{folder}/dlt.db")
    pipeline = dlt.pipeline("bench", destination=place, dataset_name="bench", pipelines_dir=str(folder / "pipelines"))
    began = time.perf_counter()
    pipeline.run(members())
    seconds = time.perf_counter() - began
    with pipeline.sql_client() as client:
        ((count,),) = client.execute_sql("SELECT count(*) FROM members") or ((0,),)
    return seconds, int(count)


def _one(who: str, url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seconds, count = {"ours": pull_ours, "dlt": pull_dlt}[who](url, Path(folder))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": seconds, "members": count, "megabytes": memory}))


def _ask(who: str, url: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.pulling", who, url], stdout=subprocess.PIPE, check=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "rate": found["members"] / found["seconds"]}


def measure(members: int = MEMBERS) -> dict[str, dict[str, float]]:
    """Rate, seconds and megabytes of each, by `ours` and `dlt`."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.pulling", "serve", str(members)], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/members"
            found = {who: _ask(who, url) for who in ("ours", "dlt")}
        finally:
            server.terminate()
    assert all(one["members"] == members for one in found.values()), found
    return found


def main(members: int = MEMBERS) -> None:
    found = measure(members)
    for who, one in found.items():
        print(f"{who:5} {one['rate']:9,.0f} members/s  {one['seconds']:6.1f} s  {one['megabytes']:5.0f} MB")
    ratio = found["ours"]["rate"] / found["dlt"]["rate"]
    print(f"{ratio:.1f} times dlt's rate (aim: {AIM}), {found['ours']['megabytes']:.0f} MB (aim: under {MEGABYTES})")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]))
    elif sys.argv[1:2] in (["ours"], ["dlt"]):
        _one(sys.argv[1], sys.argv[2])
    else:
        main(*map(int, sys.argv[1:2]))
