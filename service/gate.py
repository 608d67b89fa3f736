"""The gate: who may come in over HTTP, and how big a request may be. Pure ASGI.

| listening on | reading | changing state |
|---|---|---|
| loopback, no token file | anybody here | from loopback, with the header X-Rearguard |
| loopback, token file | anybody here | the token |
| anything else | the token | the token |

The token comes as `Authorization: Bearer …`, or, for the page, as a cookie that `POST /login` gives
for it. A browser sends a cookie, and comes from loopback, for hostile pages too; so without a
bearer header a change needs X-Rearguard, which no foreign page can set. For the same reason the
Host must be a name of loopback when only loopback is listened on (DNS rebinding).
Health is for everybody.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from device.settings import is_loopback
from service import problems

MAX_BODY = 4096  # bytes; commands are all that is ever sent to us
OPEN_PATHS = ("/healthz", "/readyz")
COOKIE = "rearguard"
OWN_HEADER = "x-rearguard"
WRONG_TOKEN_WAIT = 0.5  # s before a wrong token is answered
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Gate:
    """Stands before the application."""

    def __init__(self, app: ASGIApp, *, host: str, token: str, login_page: str) -> None:
        """`host`: what is listened on; `token`: empty for none."""
        self._app, self._login_page = app, login_page
        self._only_here = is_loopback(host)
        self._token = token.encode()
        self._cookie = hmac.new(self._token, b"rearguard page", hashlib.sha256).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)  # the report has a policy of its own
            await send(message)

        request = Request(scope, receive)
        if (refusal := self._refusal(request)) is not None:
            await refusal(scope, receive, send_with_headers)
        elif request.url.path == "/login":
            answer = await self._login(request)
            await answer(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        """Why this request is not let in, or None."""
        headers = request.headers
        if self._only_here and not _names_loopback(headers.get("host", "")):
            return problems.response(421, "this belt answers to localhost and 127.0.0.1 only")
        if "transfer-encoding" in headers:
            return problems.response(411, "send the request with a Content-Length")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return problems.response(413, f"a request has at most {MAX_BODY} bytes")
        return None if self._may(request) else self._unauthorised(request)

    def _may(self, request: Request) -> bool:
        """The table at the top of this file."""
        path, headers = request.url.path, request.headers
        if path in OPEN_PATHS or (path == "/login" and self._token):
            return True
        changes = request.method not in ("GET", "HEAD")
        if (not changes and self._only_here) or self._bears_token(headers):
            return True
        if changes and OWN_HEADER not in headers:
            return False
        here = request.client is not None and is_loopback(request.client.host)
        return self._has_cookie(headers) if self._token else here

    def _unauthorised(self, request: Request) -> Response:
        ask = {"WWW-Authenticate": "Bearer"}
        if request.url.path == "/" and "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(self._login_page, 401, ask)
        if self._token:
            detail = "send the token (Authorization: Bearer …), or log in at /login"
        else:
            detail = "without a token, changes come from this machine with the header X-Rearguard"
        return problems.response(401, detail, ask)

    def _bears_token(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return (
            bool(self._token)
            and scheme.lower() == "bearer"
            and hmac.compare_digest(token.strip().encode(), self._token)
        )

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return (
            bool(self._token)
            and cookie is not None
            and hmac.compare_digest(cookie.value.encode(), self._cookie.encode())
        )

    async def _login(self, request: Request) -> Response:
        """The form's answer: a cookie for the right token."""
        if request.method == "GET":
            return HTMLResponse(self._login_page)
        if request.method != "POST":
            return problems.response(405, "/login takes GET and POST")
        form = parse_qs((await request.body()).decode(errors="replace"))
        token = form.get("token", [""])[0].strip().encode()
        if not hmac.compare_digest(token, self._token):
            await asyncio.sleep(WRONG_TOKEN_WAIT)
            return HTMLResponse(self._login_page, 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, self._cookie, httponly=True, samesite="strict")
        return answer


def _names_loopback(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
