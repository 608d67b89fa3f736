"""The web server: where it listens, over what, and uvicorn as it is wanted here."""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.types import ASGIApp

from device.config import Config, Http
from device.settings import is_loopback
from device.tokens import load
from service.credentials import CredentialError
from service.door import Door, Patient

log = logging.getLogger(__name__)


def check_reach(config: Config, *, tls: bool) -> None:
    """Beyond loopback a token must be there. Raises CredentialError, tokens.TokenError."""
    if is_loopback(config.http.host):
        return
    if not load(config.tokens_file):
        raise CredentialError(
            f"http.host {config.http.host} is reachable from outside and there is no token: "
            "make one with `rearguard token add`, or listen on 127.0.0.1"
        )
    if not tls:
        log.warning("tokens cross the network in the clear: set http.certificate_file")


def listen(http: Http) -> Door:
    """The socket to serve on. Raises OSError with a remedy."""
    try:
        family, *_, address = socket.getaddrinfo(http.host, http.port, type=socket.SOCK_STREAM)[0]
        listener = Door(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(64)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise OSError(
            f"{http.host}:{http.port} cannot be listened on ({error.strerror}): "
            "choose another http.host or http.port"
        ) from error
    return listener


def url(listener: socket.socket, *, tls: bool) -> str:
    """Of the page."""
    host, port = listener.getsockname()[:2]
    return f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{port}/"


def server(
    app: ASGIApp, http: Http, *, tls: bool, beat: Callable[[], Awaitable[None]]
) -> uvicorn.Server:
    """uvicorn for `app`; it calls `beat` once a second while it answers."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            callback_notify=beat,
            timeout_notify=-(10**12),  # s of wall time, which steps: so it is each second
            loop="asyncio",
            http=Patient,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ssl_certfile=http.certificate_file if tls else None,
            ssl_keyfile=http.key_file if tls else None,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=16384,
        )
    )
