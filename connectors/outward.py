"""Connections to the outside only: never to this machine or the network it stands in.

A name is looked up once, every address behind it is judged, and the connection goes to the address that was judged: a
name that points elsewhere a moment later gains nothing. TLS still speaks to, and checks, the name.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence

import httpx

from connectors.trouble import FixFile

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")
LookUp = Callable[[str, int], Sequence[str]]


def look_up(host: str, port: int) -> Sequence[str]:
    """Every address of a name, in the order in which they are to be tried."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]).partition("%")[0] for *_, where in found))


def is_outside(text: str) -> bool:
    """An address of the public internet; those that wrap another one (IPv4 in IPv6) are judged by it."""
    address = _unwrapped(ipaddress.ip_address(text))
    return address.is_global and not address.is_multicast


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


class Outward(httpx.BaseTransport):
    """Carries requests to the outside. Raises `FixFile("own-network")` for a name with any address inside."""

    def __init__(self, service: str, look_up: LookUp = look_up, inner: httpx.BaseTransport | None = None) -> None:
        self._service, self._look_up = service, look_up
        self._inner = inner or httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            addresses = self._look_up(host, port)
        except OSError as fault:
            raise httpx.ConnectError("no such name", request=request) from fault
        if not addresses or not all(map(is_outside, addresses)):
            raise FixFile("own-network", service=self._service, host=host)
        request.extensions["sni_hostname"] = host
        for address in addresses[:-1]:
            request.url = request.url.copy_with(host=address)
            try:
                return self._inner.handle_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        request.url = request.url.copy_with(host=addresses[-1])
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()
