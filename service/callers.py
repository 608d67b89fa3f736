"""Who asks over HTTP: known by a bearer token, or by the cookie that `/login` gives for one."""

from __future__ import annotations

import hmac
import logging
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from device.tokens import TokenError, digest, load

log = logging.getLogger(__name__)

COOKIE_LIFE = 12 * 3600.0  # s
MAX_COOKIES = 64


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody let in: the name of the token, and whether it lets change state."""

    name: str
    operates: bool


class Callers:
    """Reads the tokens file again when it has changed, so that a revoked token ends at once.

    A file that can't be read lets nobody in.
    """

    def __init__(self, tokens_file: Path) -> None:
        self._file = tokens_file
        self._mark: tuple[int, int, int] | None = None
        self._tokens: dict[str, Caller] = {}  # by hash
        self._broken = False
        self._cookies: OrderedDict[str, tuple[str, float]] = OrderedDict()  # → token's hash, until
        self._look()

    @property
    def wanted(self) -> bool:
        """Whether there are tokens, or a file of them that can't be read."""
        self._look()
        return self._broken or bool(self._tokens)

    def by_token(self, secret: str) -> Caller | None:
        self._look()
        return self._tokens.get(self._known(secret))

    def by_cookie(self, cookie: str, t: float) -> Caller | None:
        """`t`: now [s, monotonic]."""
        self._look()
        # by its hash: a look-up's time then tells nothing of the cookie
        token, until = self._cookies.get(digest(cookie), ("", 0.0))
        return self._tokens.get(token) if t < until else None

    def log_in(self, secret: str, t: float) -> str:
        """A fresh cookie for a token; empty when there is no such token."""
        self._look()
        if not (token := self._known(secret)):
            return ""
        cookie = secrets.token_urlsafe(32)
        self._cookies[digest(cookie)] = token, t + COOKIE_LIFE
        if len(self._cookies) > MAX_COOKIES:
            self._cookies.popitem(last=False)
        return cookie

    def _known(self, secret: str) -> str:
        """The hash of a token there is, compared with every one in constant time; else empty."""
        asked, found = digest(secret), ""
        for kept in self._tokens:
            if hmac.compare_digest(asked, kept):
                found = kept
        return found

    def _look(self) -> None:
        try:
            status = self._file.stat()
            mark = (status.st_ino, status.st_mtime_ns, status.st_mode)
        except FileNotFoundError:
            mark = None
        except OSError:
            mark = (0, 0, 0)
        if mark == self._mark and (mark or not self._tokens):
            return
        self._mark = mark
        try:
            rows = load(self._file)
            self._broken = False
        except TokenError as error:
            log.error("nobody is let in: %s", error)
            rows, self._broken = [], True
        self._tokens = {row.sha256: Caller(row.name, row.scope == "operate") for row in rows}
