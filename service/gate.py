"""The gate: who may come in over HTTP, how often, and how big a request may be. Pure ASGI.

| listening on | reading | changing state |
|---|---|---|
| loopback, no tokens | anybody here | from loopback, with the header X-Rearguard |
| loopback, tokens | anybody here | a token with the scope `operate` |
| anything else | a token | a token with the scope `operate` |

The token comes as `Authorization: Bearer …`, or, for the page, as a cookie that `POST /login` gives
for it. A browser sends a cookie, and comes from loopback, for hostile pages too; so without a
bearer header a change needs X-Rearguard, which no foreign page can set. For the same reason the
Host must be a name of loopback when only loopback is listened on (DNS rebinding).
Health is for everybody.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from device.settings import is_loopback
from service import problems
from service.callers import COOKIE_LIFE, Caller, Callers
from service.limits import Buckets

log = logging.getLogger(__name__)

MAX_BODY = 4096  # bytes; commands are all that is ever sent to us
MAX_HEAD = 16384  # bytes of headers
REQUESTS = (100.0, 500.0)  # a second and at once, of one address
OPEN_PATHS = ("/healthz", "/readyz")
PAGES = ("/", "/walks")  # a browser that may not see them gets the form
COOKIE = "rearguard"
OWN_HEADER = "x-rearguard"
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
WRONG = '<p role="alert">This belt knows no such token: `rearguard token list` says which.</p>'
HERE = Caller("", operates=True)  # who needs no token


class Gate:
    """Stands before the application, which finds the Caller in `scope["caller"]`."""

    def __init__(
        self, app: ASGIApp, *, host: str, callers: Callers, login_page: str,
        now: Callable[[], float],
    ) -> None:  # fmt: skip
        """`host`: what is listened on; `now`: s, monotonic."""
        self._app, self._callers, self._login_page, self._now = app, callers, login_page, now
        self._only_here = is_loopback(host)
        self._asked = Buckets(*REQUESTS)

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
        if wait := self._asked.take(_peer(request), self._now()):
            seconds = str(math.ceil(wait))
            return problems.response(
                429, f"too many requests: ask again in {seconds} s", {"Retry-After": seconds}
            )
        if self._only_here and not _names_loopback(headers.get("host", "")):
            return problems.response(421, "this belt answers to localhost and 127.0.0.1 only")
        if "transfer-encoding" in headers:
            return problems.response(411, "send the request with a Content-Length")
        if sum(len(name) + len(value) for name, value in headers.raw) > MAX_HEAD:
            return problems.response(431, f"the headers of a request have at most {MAX_HEAD} bytes")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return problems.response(413, f"a request has at most {MAX_BODY} bytes")
        return self._closed_to(request)

    def _closed_to(self, request: Request) -> Response | None:
        """The table at the top of this file: None lets in, and leaves the caller in the scope."""
        path, wanted = request.url.path, self._callers.wanted
        changes = request.method not in ("GET", "HEAD")
        request.scope["caller"] = caller = self._caller(request, wanted, changes)
        if path in OPEN_PATHS or (path == "/login" and wanted):
            return None
        if caller is None and not changes and self._only_here:
            return None
        if caller is None:
            log.warning("refused: %s %s by %s", request.method, path[:80], _peer(request))
            return self._unauthorised(request, wanted)
        if changes and not caller.operates:
            log.warning("refused: %s %s by %s, who may read", request.method, path, caller.name)
            return problems.response(
                403, f"the token {caller.name} only reads: `rearguard token add … --scope operate`"
            )
        return None

    def _caller(self, request: Request, wanted: bool, changes: bool) -> Caller | None:
        """Who asks; None: nobody that is known."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._callers.by_token(token.strip())
        if changes and OWN_HEADER not in request.headers:
            return None
        if wanted:
            return self._callers.by_cookie(_cookie(request), self._now())
        return HERE if self._only_here and is_loopback(_peer(request)) else None

    def _unauthorised(self, request: Request, wanted: bool) -> Response:
        ask = {"WWW-Authenticate": "Bearer"}
        if request.url.path in PAGES and "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(self._login_page, 401, ask)
        if wanted or not self._only_here:
            detail = "send a token (Authorization: Bearer …), or log in at /login"
        else:
            detail = "without a token, changes come from this machine with the header X-Rearguard"
        return problems.response(401, detail, ask)

    async def _login(self, request: Request) -> Response:
        """The form's answer: a cookie for a token there is."""
        if request.method == "GET":
            return HTMLResponse(self._login_page)
        if request.method != "POST":
            return problems.response(405, "/login takes GET and POST", {"Allow": "GET, POST"})
        form = parse_qs((await request.body()).decode(errors="replace"))
        cookie = self._callers.log_in(form.get("token", [""])[0].strip(), self._now())
        if not cookie:
            log.warning("refused: a wrong token at /login by %s", _peer(request))
            page = self._login_page.replace("<!--said-->", WRONG)
            return HTMLResponse(page, 401, {"WWW-Authenticate": "Bearer"})
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE, cookie, max_age=int(COOKIE_LIFE), httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _cookie(request: Request) -> str:
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _names_loopback(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
