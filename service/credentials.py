"""Secrets and certificates, read once from files of their own; never logged, never in a message."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from device.config import Http, Mqtt


class CredentialError(Exception):
    """A secret's file cannot be used; one line says why and what to do."""


def secret(path: Path, what: str) -> str:
    """The first line of a file that only its owner can read. Raises CredentialError."""
    _private(path, what)
    try:
        text = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialError(f"{what}: {path} cannot be read: {error}") from error
    if not text or not (found := text[0].strip()):
        raise CredentialError(f"{what}: {path} is empty: write the secret into it")
    return found


def broker_tls(settings: Mqtt) -> ssl.SSLContext | None:
    """TLS that trusts the broker's CA only and shows our certificate, as far as they are set.

    Raises CredentialError.
    """
    if settings.ca_file == Path():
        return None
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise CredentialError(
            f"mqtt.ca_file: {settings.ca_file} is no CA certificate ({error}): name another"
        ) from error
    if settings.certificate_file != Path():
        _show(context, "mqtt", settings.certificate_file, settings.key_file)
    return context


def page_tls(settings: Http) -> bool:
    """Whether the page is served with TLS; checks its files first. Raises CredentialError."""
    if settings.certificate_file == Path():
        return False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _show(context, "http", settings.certificate_file, settings.key_file)
    return True


def _show(context: ssl.SSLContext, section: str, certificate: Path, key: Path) -> None:
    _private(key, f"{section}.key_file")
    try:
        # a key behind a pass phrase would else ask for it on the terminal
        context.load_cert_chain(certificate, key, password=_no_pass_phrase)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise CredentialError(
            f"{section}.certificate_file: {certificate} with {key} is no certificate and its key, "
            f"in PEM, without a pass phrase ({error}): make them anew"
        ) from error


def _no_pass_phrase() -> str:
    raise ValueError("it has a pass phrase")


def _private(path: Path, what: str) -> None:
    """Only its owner may read it. Raises CredentialError."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise CredentialError(f"{what}: {path} cannot be read: {error}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise CredentialError(f"{what}: others may read {path}: chmod 600 {path}")
