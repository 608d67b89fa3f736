"""`python -m service --config FILE`: builds the service's parts, joins them, runs them."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import uvicorn

from device import commands, logs, settings, tokens
from device.alerts import Level
from device.clock import boot_id, wall_clock_synchronised
from device.config import Config
from device.supervisor import VARIABLE, Supervisor
from service import api
from service.broker import Broker
from service.callers import Callers
from service.credentials import CredentialError, broker_tls, page_tls, secret
from service.database import StoreError
from service.delivery import Delivery
from service.desk import Desk
from service.discovery import BIRTH, Discovery
from service.door import Door, Patient
from service.gate import Gate
from service.history import History
from service.intake import Intake
from service.live import Live
from service.loop import Loop
from service.metrics import Metrics
from service.moment import moment
from service.own import OwnRecords
from service.page_api import PAGE
from service.presence import Presence
from service.recordings import Recordings
from service.retention import Retention
from service.status import Status
from service.store import Store
from service.telemetry import OFFLINE, Telemetry
from service.walks import Walks
from service.watch import Watch

log = logging.getLogger("service")

COMMAND_TIMEOUT = 0.25  # s; the device answers within a tick, and the loop waits for nothing longer


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. 0: ended as asked; 1: failed; 2: could not start."""
    parser = argparse.ArgumentParser(prog="service", description="Delivery, history and the page.")
    parser.add_argument("--config", type=Path, required=True, help="the configuration file")
    arguments = parser.parse_args(argv)
    handler = logs.handler(sys.stderr)
    handler.addFilter(logs.Sparing())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        config = settings.load(arguments.config)
        tls = page_tls(config.http)
        _check_reach(config, tls=tls)
        listener = _listen(config)
        store = Store(config.store_file)
    except (
        settings.ConfigError, CredentialError, StoreError, tokens.TokenError, OSError
    ) as error:  # fmt: skip
        sys.stderr.write(f"service: {error}\n")
        return 2
    try:
        return _run(config, listener, store, tls=tls)
    except CredentialError as error:
        sys.stderr.write(f"service: {error}\n")
        return 2
    finally:
        listener.close()
        store.close()


def _run(config: Config, listener: Door, store: Store, *, tls: bool) -> int:
    started = moment()
    root = f"rearguard/{config.belt.name}/"
    own = OwnRecords(config.belt.name, boot_id(), f"{int(started.t * 1000):x}")
    broker = Broker(
        config.mqtt,
        config.belt.name,
        password=(
            secret(config.mqtt.password_file, "mqtt.password_file")
            if config.mqtt.password_file != Path()
            else ""
        ),
        tls=broker_tls(config.mqtt),
        will=(root + "status", OFFLINE),
        subscriptions=(root + "command/+", BIRTH),
    )
    if store.set_aside is not None:
        told = (
            f"the store was corrupt: set aside as {store.set_aside.name}; "
            f"{store.saved} records of it are saved, the journal is read again"
        )
        store.take([own.record(started, "storage_fault", Level.FAULT, told)])
        log.error("%s", told)

    server: uvicorn.Server

    def stop(*_: object) -> None:
        server.should_exit = True

    history = History(config.store_file)
    watch = Watch(config.ring_file, started.t, config.cannot_start_file)
    send = partial(commands.send, config.socket_file, timeout=COMMAND_TIMEOUT)
    intake = Intake(
        config.journal_dir,
        store,
        own,
        lambda segment: send("consumed", "service", segment=segment),
        keep_bytes=int(config.loop.journal_mb * 1e6 / 2),
    )
    live = Live(config, watch)
    delivery = Delivery(store, broker, root + "alert", own.boot, partial(_tell_the_wearer, send))
    desk = Desk(store, history, own, send)
    loop = Loop(
        watch,
        intake,
        Presence(own, watch, store, history),
        desk,
        broker,
        delivery,
        Telemetry(broker, root, live, history, Walks(config.store_file)),
        Discovery(broker, config.belt.name, _version()),
        Retention(store, config.keep, wall_clock_synchronised),
        failed=stop,
    )
    # the interface reads in another thread
    reader, walks = History(config.store_file), Walks(config.store_file)
    status = Status(config, watch, live, intake, broker, delivery, loop, reader)
    app = api.build(
        api.Rooms(
            config,
            status,
            Metrics(status, live, watch.counts, reader, _version()),
            reader,
            walks,
            Recordings(config.recordings_dir),
            desk,
            loop,
            lambda: server.should_exit,
        ),
        _version(),
    )
    gate = Gate(
        app,
        host=config.http.host,
        callers=Callers(config.tokens_file),
        login_page=(PAGE / "login.html").read_text(encoding="utf-8"),
        now=time.monotonic,
    )
    supervisor = Supervisor(os.environ.get(VARIABLE, ""))

    async def beat() -> None:
        """Called by the event loop that answers HTTP: with the other loop, all that must live."""
        if loop.alive(now := moment().t):
            supervisor.alive(now)

    server = uvicorn.Server(
        uvicorn.Config(
            gate,
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
            ssl_certfile=config.http.certificate_file if tls else None,
            ssl_keyfile=config.http.key_file if tls else None,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=16384,
        )
    )
    # before uvicorn has its own handlers, and after, when it raises the signal once more
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    loop.start()
    sys.stdout.write(f"service: the page is at {_url(listener, tls=tls)}\n")
    sys.stdout.flush()
    server.run(sockets=[listener])
    failed = not loop.is_alive()
    loop.stop()
    broker.close(OFFLINE)
    watch.close()
    return 1 if failed else 0


def _tell_the_wearer(send: Callable[..., object], alert_id: str) -> None:
    """Help has been told: the belt lets the wearer feel it."""
    try:
        send("told", "service", alert_id=alert_id)
    except commands.CommandError as error:
        log.warning("the wearer was not told that %s arrived: %s", alert_id, error)


def _check_reach(config: Config, *, tls: bool) -> None:
    """Beyond loopback a token must be there. Raises CredentialError, TokenError."""
    if settings.is_loopback(config.http.host):
        return
    if not tokens.load(config.tokens_file):
        raise CredentialError(
            f"http.host {config.http.host} is reachable from outside and there is no token: "
            "make one with `rearguard token add`, or listen on 127.0.0.1"
        )
    if not tls:
        log.warning("tokens cross the network in the clear: set http.certificate_file")


def _listen(config: Config) -> Door:
    """The socket to serve on. Raises OSError with a remedy."""
    host, port = config.http.host, config.http.port
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
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
            f"{host}:{port} cannot be listened on ({error.strerror}): "
            "choose another http.host or http.port"
        ) from error
    return listener


def _url(listener: socket.socket, *, tls: bool) -> str:
    host, port = listener.getsockname()[:2]
    return f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{port}/"


def _version() -> str:
    try:
        return version("rearguard")
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    sys.exit(main())
