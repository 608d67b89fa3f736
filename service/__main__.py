"""`python -m service --config FILE`: builds the service's parts, joins them, runs them."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import uvicorn

from device import commands, logs, settings, tokens
from device.alerts import Level
from device.clock import boot_id, wall_clock_synchronised
from device.config import Config
from device.supervisor import VARIABLE, Supervisor
from service import api, configuration, web
from service.asked import Asked
from service.broker import Broker
from service.bundle import Bundle, Recent
from service.callers import Callers
from service.credentials import CredentialError, broker_tls, page_tls, secret
from service.database import StoreError
from service.delivery import Delivery
from service.desk import Desk
from service.discovery import BIRTH, Discovery
from service.door import Door
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
from service.reserve import Reserve, Shortage
from service.retention import Retention
from service.status import Status
from service.store import Store
from service.telemetry import OFFLINE, Telemetry
from service.walks import Walks
from service.watch import Watch
from service.weekly import Weekly

log = logging.getLogger("service")

COMMAND_TIMEOUT = 0.25  # s; the device answers within a tick, and the loop waits for nothing longer


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. 0: ended as asked; 1: failed; 2: could not start."""
    parser = argparse.ArgumentParser(prog="service", description="Delivery, history and the page.")
    parser.add_argument("--config", type=Path, required=True, help="the configuration file")
    arguments = parser.parse_args(argv)
    recent = Recent()
    # a journal that stalls must not hold delivery up
    aside = logs.Aside(logs.handler(logs.Descriptor()))
    handlers = [aside, recent]
    logging.basicConfig(level=logging.INFO, handlers=handlers)
    for handler in handlers:
        handler.addFilter(logs.Sparing())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        return _serve(arguments.config, recent)
    finally:
        aside.end()


def _serve(file: Path, recent: Recent) -> int:
    try:
        config = settings.load(file)
        tls = page_tls(config.http)
        web.check_reach(config, tls=tls)
        listener = web.listen(config.http)
        config.belt.data_dir.mkdir(parents=True, exist_ok=True)
        Reserve(config.reserve_file).keep()  # a full disk must not keep the service from starting
        store = Store(config.store_file)
    except (
        settings.ConfigError, CredentialError, StoreError, tokens.TokenError, OSError
    ) as error:  # fmt: skip
        sys.stderr.write(f"service: {error}\n")
        return 2
    try:
        return _run(config, listener, store, recent, tls=tls)
    except CredentialError as error:
        sys.stderr.write(f"service: {error}\n")
        return 2
    finally:
        listener.close()
        store.close()


def _run(config: Config, listener: Door, store: Store, recent: Recent, *, tls: bool) -> int:
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
        Shortage(Reserve(config.reserve_file), own, store, history),
        desk,
        broker,
        delivery,
        Telemetry(broker, root, live, history, Walks(config.store_file)),
        Discovery(broker, config.belt.name, _version()),
        Weekly(config.weekly_test, own, store, history, watch.silence),
        Retention(store, config.keep, wall_clock_synchronised),
        failed=stop,
    )
    # the interface reads in another thread
    reader, walks = History(config.store_file), Walks(config.store_file)
    status = Status(config, watch, live, intake, broker, delivery, loop, reader)
    metrics = Metrics(status, live, watch.counts, store.raised, reader, _version())
    recordings = Recordings(config.recordings_dir)
    bundle = Bundle(
        status=lambda: {**status.picture(moment()), "active": reader.active()},
        device=partial(_ask_device, send, reader),
        config=configuration.settings(config),
        alerts=lambda most: reader.alerts(limit=most)[0],
        log=recent,
        device_log=config.log_file,
        metrics=lambda: metrics.text(moment()),
        recordings=recordings,
        version=_version(),
    )
    rooms = api.Rooms(
        config, status, metrics, reader, walks, recordings, bundle, desk, loop,
        stopping=lambda: server.should_exit,
    )  # fmt: skip
    app = api.build(rooms, _version())
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

    server = web.server(gate, config.http, tls=tls, beat=beat)
    # before uvicorn has its own handlers, and after, when it raises the signal once more
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    asked = Asked(Walks(config.store_file), History(config.store_file), send)
    loop.start()
    asked.start()
    sys.stdout.write(f"service: the page is at {web.url(listener, tls=tls)}\n")
    sys.stdout.flush()
    server.run(sockets=[listener])
    failed = not loop.is_alive()
    asked.stop()
    loop.stop()
    broker.close(OFFLINE)
    watch.close()
    return 1 if failed else 0


def _tell_the_wearer(send: Callable[..., object], alert_id: str) -> bool:
    """Help has been told: the belt lets the wearer feel it. Whether the device heard."""
    try:
        send("told", "service", alert_id=alert_id)
        return True
    except commands.CommandError as error:
        log.warning("the wearer was not told that %s arrived: %s", alert_id, error)
        return False


def _ask_device(send: Callable[..., dict[str, Any]], history: History) -> str:
    """What the device says of its health, for the support bundle. Takes up to two seconds."""
    before = history.newest()
    try:
        request = send("doctor", "service", question="health")["request"]
    except commands.CommandError as error:
        return str(error)
    for _ in range(40):
        if (said := history.answer(request, before)) is not None:
            return str(said["detail"])
        time.sleep(0.05)
    return "it took the question and gave no answer within 2 s"


def _version() -> str:
    try:
        return version("rearguard")
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    sys.exit(main())
