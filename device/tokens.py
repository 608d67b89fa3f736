"""The tokens file: who may ask over HTTP. Written by the command line, read by the service.

A token is 32 random bytes; what is kept is its SHA-256, which lets nobody in: with so much chance
in it, a token can't be guessed from its hash, so a slow hash would add nothing. One JSON object a
line. Imports nothing of ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

SCOPES = ("read", "operate")  # operate: read, and whatever changes state
MAX_TOKENS = 64
PREFIX = "rearguard_"  # so that a scanner for secrets knows a token when it sees one
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


class TokenError(Exception):
    """The file or what is asked of it will not do: one line with its remedy."""


@dataclass(frozen=True, slots=True)
class Token:
    """One row of the file: never the token itself."""

    name: str  # whose it is, as it stands in logs and records
    scope: str  # one of SCOPES
    made_at: str  # ISO 8601, UTC
    sha256: str  # hex


def digest(secret: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def load(path: Path) -> list[Token]:
    """The rows of the file; none when there is no file. Raises TokenError."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise TokenError(f"{path} cannot be read ({error}): mend its owner and rights") from error
    if mode & 0o077:
        raise TokenError(f"others may read {path}: chmod 600 {path}")
    try:
        return [_row(line) for line in lines]
    except (ValueError, TypeError) as error:
        raise TokenError(
            f"{path} is no tokens file ({error}): delete it, make tokens anew"
        ) from error


def make(path: Path, name: str, scope: str, made_at: str) -> str:
    """Add a row and return the token, which stands nowhere else. Raises TokenError."""
    rows = load(path)
    if not NAME.fullmatch(name):
        raise TokenError(f"{name[:40]!r} will not do as a name: it must match {NAME.pattern}")
    if any(row.name == name for row in rows):
        raise TokenError(f"there is a token {name!r} already: revoke it, or choose another name")
    if len(rows) >= MAX_TOKENS:
        raise TokenError(f"there are {MAX_TOKENS} tokens already: revoke what nobody uses")
    secret = PREFIX + secrets.token_urlsafe(32)
    _write(path, [*rows, Token(name, scope, made_at, digest(secret))])
    return secret


def revoke(path: Path, name: str) -> None:
    """Take a row away; the service notices at the next request. Raises TokenError."""
    rows = load(path)
    kept = [row for row in rows if row.name != name]
    if len(kept) == len(rows):
        known = ", ".join(row.name for row in rows) or "none"
        raise TokenError(f"there is no token {name[:40]!r}; known: {known}")
    _write(path, kept)


def _row(line: str) -> Token:
    row = Token(**json.loads(line))
    if not (NAME.fullmatch(row.name) and row.scope in SCOPES and len(row.sha256) == 64):
        raise ValueError("a row is not as rearguard writes it")
    return row


def _write(path: Path, rows: list[Token]) -> None:
    """Whole or not at all, for its owner alone; made by root, it belongs to the folder's owner."""
    unfinished = path.with_name(f".{path.name}.new")
    try:
        unfinished.unlink(missing_ok=True)
        with os.fdopen(
            os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as file:
            file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
            file.flush()
            os.fsync(file.fileno())
        if os.geteuid() == 0:
            owner = (path if path.exists() else path.parent).stat()
            os.chown(unfinished, owner.st_uid, owner.st_gid)
        unfinished.replace(path)
    except OSError as error:
        raise TokenError(f"{path} cannot be written ({error.strerror}): mend the rights") from error
