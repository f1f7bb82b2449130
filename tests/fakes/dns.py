"""A DNS server on loopback, and a resolver that asks it alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest


@contextmanager
def dns_server(records: Mapping[str, Sequence[str]], broken: str = "") -> Iterator[list[str]]:
    """TXT records by name; another name does not exist, and `broken` is answered with SERVFAIL. Gives what was asked.

    Inside the block this machine's resolver is this server.
    """
    asked: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening, pytest.MonkeyPatch.context() as patch:
        listening.bind(("127.0.0.1", 0))
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], listening.getsockname()[1]
        patch.setattr(dns.resolver, "default_resolver", resolver)
        thread = threading.Thread(target=_serve, args=(listening, records, broken, asked), daemon=True)
        thread.start()
        try:
            yield asked
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
                end.sendto(b"", listening.getsockname())
            thread.join()


def _serve(listening: socket.socket, records: Mapping[str, Sequence[str]], broken: str, asked: list[str]) -> None:
    while (packet := listening.recvfrom(4096))[0]:
        query = dns.message.from_wire(packet[0])
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        asked.append(name)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if name == broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in records:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif records[name]:
            texts = [" ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200)) for text in records[name]]
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", *texts))
        listening.sendto(answer.to_wire(), packet[1])
