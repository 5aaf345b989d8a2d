"""The gate in front of everything the server serves: pages, files, the websocket, our own routes.

Pure ASGI, so that nothing passes beside it. With tokens, whoever has no valid cookie gets a login form and nothing
else; a ``?token=`` in the address is exchanged for a cookie and taken out of the address. A viewer may fetch and
watch, not send. Without tokens every browser gets a cookie that only tells it from others, and a studio that listens to
this machine alone answers only requests that name this machine, so that no foreign site reaches it by DNS rebinding.
"""

from __future__ import annotations

import ipaddress
import math
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from dashboard.access import BROWSER, HOME, Keys, Visitor, wheel
from dashboard.login_page import LOGIN, guarded, login_form, onward, refusal
from dashboard.texts import preferred, set_language, text

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HEALTH", "Door", "Gate", "Tries", "safe_next"]

HEALTH = "/nasight/health"
LONGEST = 4_096
"""Bytes of a login form."""
READING = ("GET", "HEAD", "OPTIONS")


class Tries:
    """Counts wrong tokens by address: five a minute, then that address has to wait.

    Args:
        most: Wrong ones within ``seconds``.
        seconds: The window.
        kept: Addresses that are remembered, the latest.
    """

    def __init__(self, most: int = 5, seconds: float = 60.0, kept: int = 1_000) -> None:
        self.most, self.seconds, self.kept = most, seconds, kept
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str, now: float | None = None) -> int:
        """Return the seconds this address has to wait, 0 if it may try."""
        now = time.monotonic() if now is None else now
        with self._lock:
            recent = [t for t in self._wrong.get(_network(address), ()) if now - t < self.seconds]
        return math.ceil(self.seconds - (now - recent[0])) if len(recent) >= self.most else 0

    def wrong(self, address: str, now: float | None = None) -> None:
        """Note a wrong token from this address."""
        now, place = time.monotonic() if now is None else now, _network(address)
        with self._lock:
            recent = [t for t in self._wrong.pop(place, ()) if now - t < self.seconds]
            self._wrong[place] = [*recent, now][-self.most :]
            while len(self._wrong) > self.kept:
                self._wrong.popitem(last=False)


def _network(address: str) -> str:
    """Return what counts as one address: of IPv6 the network, because one machine has all addresses of it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


@dataclass(frozen=True)
class Door:
    """What the gate goes by.

    Attributes:
        host: The address the studio listens on.
        port: Its port; part of the cookie's name, because cookies of one host are shared by all of its ports.
        keys: The tokens; None where nobody has to sign in.
    """

    host: str
    port: int
    keys: Keys | None = None

    @property
    def cookie(self) -> str:
        """Return the name of the cookie of those who signed in."""
        return f"nasight_access_{self.port}"

    def visitor(self, cookies: Mapping[str, str]) -> Visitor | None:
        """Return who comes with these cookies; None for nobody we know."""
        if self.keys is None:
            return Visitor("driver", cookies.get(BROWSER, ""))
        return self.keys.visitor(cookies.get(self.cookie, ""))

    def names(self, host: str) -> bool:
        """Return whether a request that names ``host`` means this studio."""
        if self.keys is not None or self.host not in HOME:
            return True
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        return name.strip("[]").lower() in HOME


class Gate:
    """ASGI middleware: lets through who may come in, and answers everybody else itself."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door, self._tries = app, door, Tries()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.websockets import WebSocket

        socket = WebSocket(scope, receive, send)
        who = self._door.visitor(socket.cookies)
        if who is None or not self._door.names(socket.headers.get("host", "")):
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: HTTP 403
            return
        wheel.opened(who.browser)
        try:
            await self._app(scope, receive, send)
        finally:
            wheel.closed(who.browser)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.requests import Request

        request = Request(scope, receive)
        set_language(preferred(request.headers.get("accept-language", "").split(",")[0]))
        if not self._door.names(request.headers.get("host", "")):
            answer: Response | None = _foreign_host()
        elif self._door.keys is None:
            answer = None
        else:
            answer = await self._answer(request, self._door.keys)
        if answer is not None:
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, self._marking(request, send))

    async def _answer(self, request: Request, keys: Keys) -> Response | None:
        """Return what somebody is told who does not simply pass."""
        if request.url.path == LOGIN:
            return await self._login(request, keys)
        if "token" in request.query_params and request.method == "GET":
            return self._exchange(request, keys)
        who = self._door.visitor(request.cookies)
        if who is None:
            return self._outside(request)
        if who.role != "driver" and request.method not in READING:
            return refusal(text("access.viewer_given"), 403)
        return None

    def _outside(self, request: Request) -> Response:
        from starlette.responses import JSONResponse

        if request.url.path == HEALTH:
            return JSONResponse({"ok": True}, headers=guarded())
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            if request.headers.get("sec-fetch-site") == "cross-site":
                # Coming by a link from elsewhere, a strict cookie stays at home: ask once more from here.
                return onward(_here(request))
            return login_form(_here(request))
        return refusal("401: sign in first", 401)

    async def _login(self, request: Request, keys: Keys) -> Response:
        if request.method != "POST":
            return login_form("/")
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return refusal("403: sign in on the studio's own page", 403)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST:
                return refusal("413: this is no token", 413)
        said = dict(parse_qsl(body.decode("utf-8", "replace")))
        return self._let_in(request, keys, said.get("token", "").strip(), safe_next(said.get("next", "/")))

    def _exchange(self, request: Request, keys: Keys) -> Response:
        return self._let_in(request, keys, request.query_params["token"], _here(request))

    def _let_in(self, request: Request, keys: Keys, token: str, to: str) -> Response:
        """Give a cookie for a right token, and the way to ``to`` without it."""
        address = request.client.host if request.client else ""
        if seconds := self._tries.wait(address):
            return login_form(to, text("access.login_wait", seconds=seconds), status=429, wait=seconds)
        role = keys.role_of(token)
        if not token:
            return login_form(to)
        if role is None:
            self._tries.wrong(address)
            return login_form(to, text("access.login_wrong"))
        known = self._door.visitor(request.cookies)
        answer = onward(to)
        answer.set_cookie(
            self._door.cookie, keys.cookie(role, browser=known.browser if known else None), path="/", httponly=True,
            samesite="strict", secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    def _marking(self, request: Request, send: Send) -> Send:
        """Return ``send`` that lets no other site frame a page, and gives a browser its mark where none signs in."""
        new = self._door.keys is None and BROWSER not in request.cookies

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                _mark(message, _mark_of_browser(request) if new else None)
            await send(message)

        return marked


def _mark(message: MutableMapping[str, Any], cookie: str | None) -> None:
    from starlette.datastructures import MutableHeaders

    headers = MutableHeaders(scope=message)
    if headers.get("content-type", "").startswith("text/html"):
        headers["X-Frame-Options"] = "SAMEORIGIN"
        headers["Referrer-Policy"] = "same-origin"
        if cookie is not None:
            headers.append("Set-Cookie", cookie)


def _mark_of_browser(request: Request) -> str:
    secure = "; Secure" if request.url.scheme == "https" else ""
    return f"{BROWSER}={secrets.token_hex(16)}; HttpOnly; Path=/; SameSite=Strict{secure}"


def _here(request: Request) -> str:
    """Return the path and the query that were asked for, without the token."""
    query = urlencode([(k, v) for k, v in request.query_params.multi_items() if k != "token"])
    return safe_next(request.url.path + (f"?{query}" if query else ""))


def _foreign_host() -> Response:
    return refusal(
        "421: this studio answers to 127.0.0.1 and localhost only, because it was started without --auth. "
        "Fix: open it under one of these names, or start it with --auth token.", 421,
    )  # fmt: skip


def safe_next(wanted: str) -> str:
    """Return ``wanted`` if it is a place of this studio, else its first page; never the address of another site."""
    inside = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    return wanted if inside and wanted.isprintable() and not wanted.startswith(LOGIN) else "/"
