from __future__ import annotations

import httpx

from connectors.links import unreachable


def answer(request: httpx.Request) -> httpx.Response:
    match request.url.path:
        case "/away":
            raise httpx.ConnectError("no")
        case "/no-head" if request.method == "HEAD":
            return httpx.Response(404)
        case "/login":
            return httpx.Response(403)
        case "/gone":
            return httpx.Response(404)
        case "/broken":
            return httpx.Response(500)
    return httpx.Response(200)


def test_only_what_is_gone_or_away_is_told() -> None:
    asked = [f"https://a.example/{path}" for path in ("", "away", "no-head", "login", "gone", "broken", "gone")]
    found = unreachable(asked, httpx.Client(transport=httpx.MockTransport(answer)))
    assert found == {
        "https://a.example/away": "ConnectError",
        "https://a.example/gone": "404",
        "https://a.example/broken": "500",
    }
