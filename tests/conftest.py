"""What all tests share: no clock of the machine decides whether they pass, and nobody is called outside."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from tests.ready import Ready

# A busy machine is no failure: what is too slow is seen in bench/, never in a test. Nor is bad luck: the suite tries the
# same cases each time, and `FILROUGE_OTHER_CASES=1 make test` others, which the next change need not pay for.
OTHER_CASES = os.environ.get("FILROUGE_OTHER_CASES") == "1"
hypothesis.settings.register_profile(
    "filrouge",
    deadline=None,
    derandomize=not OTHER_CASES,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("filrouge")


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Any:
    """A connection or a packet to anything but this machine fails the test that tries it."""
    connect, sendto = socket.socket.connect, socket.socket.sendto

    def guarded_packet(self: socket.socket, data: Any, *to: Any) -> int:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(str(to[-1][0])):
            raise AssertionError(f"a test tried to reach {to[-1][0]}")
        return sendto(self, data, *to)

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(str(address[0])):
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        patch.setattr(socket.socket, "sendto", guarded_packet)
        yield


@pytest.fixture(autouse=True, scope="session")
def ready_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    with Ready.in_use(tmp_path_factory.mktemp("ready")) as ready:
        yield ready


@pytest.fixture
def stores_from_nothing(ready_stores: Ready) -> Iterator[None]:
    """For tests of how a store comes to be, and where another process may be making it at the same moment."""
    with ready_stores.set_aside():
        yield


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
