"""Who may ask: each line of the gate, by requests that a browser or a stranger would send."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from music_composer.web.gate import Gate

PORT, TOKEN = 8123, "right-token"
HOST, ORIGIN = (b"host", b"127.0.0.1:8123"), (b"origin", b"http://127.0.0.1:8123")
COOKIE = (b"cookie", b"music-composer-8123=right-token")


async def behind(scope: Any, receive: Any, send: Any) -> None:
    """What stands behind the gate."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"inside"})


def ask(
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    path: str = "/",
    query: bytes = b"",
    kind: str = "http",
    raw: bytes = b"",
) -> list[Any]:
    """Everything that is sent in answer to one request."""
    scope = {"type": kind, "method": method, "path": path, "raw_path": raw or path.encode(), "query_string": query}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(Gate(behind, PORT, TOKEN)({**scope, "headers": list(headers)}, receive, send))
    return sent


def status(*headers: tuple[bytes, bytes], **more: Any) -> int:
    found: int = ask(*headers, **more)[0]["status"]
    return found


def test_our_own_page_comes_in() -> None:
    assert status(HOST, COOKIE) == 200
    assert status((b"host", b"localhost:8123"), COOKIE) == 200
    assert status(HOST, COOKIE, ORIGIN, (b"sec-fetch-site", b"same-origin"), method="POST") == 200
    assert status(HOST, COOKIE, ORIGIN, method="PUT") == 200, "older browsers do not say where they come from"


@pytest.mark.parametrize(
    "hosts",
    [[b"evil.example"], [b"localhost.evil:8123"], [b"127.0.0.1:8124"], [b"127.0.0.1"], [], [b"127.0.0.1:8123"] * 2,
     [b"127.0.0.1:8123@evil.example"], [b"[::1]:8123"]],
)  # fmt: skip
def test_another_name_of_this_machine_is_refused(hosts: list[bytes]) -> None:
    assert status(COOKIE, *((b"host", host) for host in hosts)) == 421


def test_an_address_in_absolute_form_is_refused() -> None:
    assert status(HOST, COOKIE, raw=b"http://evil.example/") == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"origin", b"http://evil.example")],
        [(b"origin", b"null")],
        [(b"origin", b"http://localhost:8123")],  # the page was asked for under the other name
        [ORIGIN, ORIGIN],
        [ORIGIN, (b"sec-fetch-site", b"cross-site")],
        [ORIGIN, (b"sec-fetch-site", b"same-site")],
    ],
)
def test_another_page_changes_nothing(method: str, headers: list[tuple[bytes, bytes]]) -> None:
    assert status(HOST, COOKIE, *headers, method=method) == 403


@pytest.mark.parametrize(
    "cookie",
    [b"", b"music-composer-8123=wrong", b"music-composer-8123=", b"other=right-token", b"music-composer-8123=\xe4"],
)
def test_without_the_token_nobody_comes_in(cookie: bytes) -> None:
    assert status(HOST, *([(b"cookie", cookie)] if cookie else [])) == 403


def test_the_printed_address_gives_the_cookie_once() -> None:
    start = ask(HOST, query=b"token=right-token")[0]
    headers = dict(start["headers"])
    assert (start["status"], headers[b"location"]) == (303, b"/")
    assert headers[b"set-cookie"] == b"music-composer-8123=right-token; HttpOnly; SameSite=Strict; Path=/"
    for query in (b"token=wrong", b"token=", b"token=%C3%A4"):
        refused = ask(HOST, query=query)[0]
        assert refused["status"] == 403 and b"set-cookie" not in dict(refused["headers"])
    assert status((b"host", b"evil.example"), query=b"token=right-token") == 421


def test_a_web_socket_is_closed() -> None:
    assert ask(HOST, COOKIE, ORIGIN, kind="websocket") == [{"type": "websocket.close", "code": 1008}]


def test_every_answer_has_our_headers_and_none_for_other_origins() -> None:
    for answer in (ask(HOST, COOKIE), ask(HOST), ask((b"host", b"evil.example"))):
        headers = dict(answer[0]["headers"])
        assert b"default-src 'self'" in headers[b"content-security-policy"]
        assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
        assert (headers[b"x-content-type-options"], headers[b"cache-control"]) == (b"nosniff", b"no-store")
        assert headers[b"cross-origin-resource-policy"] == headers[b"cross-origin-opener-policy"] == b"same-origin"
        assert not any(name.startswith(b"access-control") for name in headers)
