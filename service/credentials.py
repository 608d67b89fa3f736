"""Secrets, read once from files of their own; never logged, never in a message."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

MIN_TOKEN = 16  # characters; 16 random hex digits are 64 bits


class CredentialError(Exception):
    """A secret's file cannot be used; one line says why and what to do."""


def secret(path: Path, what: str, *, least: int = 1) -> str:
    """The first line of a file that only its owner can read. Raises CredentialError."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialError(f"{what}: {path} cannot be read: {error}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise CredentialError(f"{what}: others may read {path}: chmod 600 {path}")
    found = text[0].strip() if text else ""
    if len(found) < least:
        raise CredentialError(f"{what}: {path} must hold at least {least} characters")
    return found


def tls(ca_file: Path) -> ssl.SSLContext:
    """TLS that trusts this CA only. Raises CredentialError."""
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise CredentialError(f"mqtt.ca_file: {ca_file} is no CA certificate: {error}") from error
