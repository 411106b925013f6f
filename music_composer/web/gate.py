"""The gate before all routes: this machine, this browser, this page, and nobody else.

Each check has a test that fails without it. A page is reached by the address that is printed, whose token becomes a
cookie; a request that changes something must come from the page itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

READING = ("GET", "HEAD")
HEADERS = {
    b"content-security-policy": b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class Gate:
    """ASGI middleware. port: of this server. token: of the address that is printed."""

    def __init__(self, app: App, port: int, token: str) -> None:
        self._app, self._token = app, token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"music-composer-{port}"  # browsers do not tell ports apart

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = self._refusal_of(scope)
        if refusal:
            await _answer(send, refusal, b"not allowed\n")
        elif (given := self._token_in(scope)) is not None:
            # The token leaves the address, and so the history, at once.
            ours = _equal(given, self._token)
            cookie = f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/".encode()
            headers = [(b"location", b"/"), (b"set-cookie", cookie)] if ours else []
            await _answer(send, 303 if ours else 403, b"", headers)
        elif not _equal(self._cookie_in(scope), self._token):
            await _answer(send, 403, b"open the address that music-composer has printed\n")
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal_of(self, scope: MutableMapping[str, Any]) -> int:
        """The status of a request that is not for us, or not from our page; 0 for any other."""
        hosts = _values(scope, b"host")
        if len(hosts) != 1 or hosts[0] not in self._hosts or not scope.get("raw_path", b"/").startswith(b"/"):
            return 421  # another name that leads here: DNS rebinding
        if scope["method"] in READING:
            return 0
        site = _values(scope, b"sec-fetch-site")
        ours = _values(scope, b"origin") == [f"http://{hosts[0]}"] and site in ([], ["same-origin"], ["none"])
        return 0 if ours else 403

    def _token_in(self, scope: MutableMapping[str, Any]) -> str | None:
        if scope["path"] != "/" or scope["method"] not in READING:
            return None
        return parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [None])[0]

    def _cookie_in(self, scope: MutableMapping[str, Any]) -> str:
        for line in _values(scope, b"cookie"):
            try:
                found = SimpleCookie(line).get(self._cookie)
            except CookieError:
                continue
            if found:
                return found.value
        return ""


def _equal(given: str, token: str) -> bool:
    """Takes the same time whatever is given."""
    return secrets.compare_digest(given.encode(), token.encode())


def _values(scope: MutableMapping[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _with_headers(send: Send) -> Send:
    """What is sent, with our headers; a header that an answer has set itself stays."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {key.lower() for key, _ in message["headers"]}
            message["headers"] = [*message["headers"], *((k, v) for k, v in HEADERS.items() if k not in own)]
        await send(message)

    return sent


async def _answer(send: Send, status: int, body: bytes, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    headers = [(b"content-type", b"text/plain"), *more, *HEADERS.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
