"""`rearguard demo`: the whole product with a simulated wearer, in real time.

Device, broker and service run as the processes they are on a belt, in a folder of their own that
goes with them; a subscriber of our own takes the times.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from device.cli import INTERRUPTED, Fault, broker, live, programme
from device.cli.acquaintance import PLAN, acquaint
from device.cli.children import Children, python
from device.cli.subscriber import Received, Subscriber
from device.frames import Frame, Guard, RingReader
from device.settings import load
from device.sources.scenarios import SCENARIOS

BELT = "demo"
PROGRAMME = "programme"  # the scenario that is no scene
CANCEL = 5  # s to answer a fall, so that a spectator sees what follows; a belt waits 30
PAGE_PORT = 8080  # the usual one, when it is free
_POLL = 0.02  # s
_PATIENCE = 30.0  # s until it must guard
_STALE = 5.0  # s without a frame that no busy machine explains


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds", type=_seconds, metavar="N", help="end N seconds after it guards (else Ctrl-C)"
    )
    parser.add_argument(
        "--scenario",
        choices=[*SCENARIOS, PROGRAMME],
        default="chair",
        metavar="NAME",
        help="default chair; "
        + "; ".join(f"{name}: {s.title.rstrip('.')}" for name, s in SCENARIOS.items())
        + f"; {PROGRAMME}: four weeks of two wearers, replayed at speed, with a report of each",
    )
    parser.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help=f"of {PROGRAMME}: for the reports"
    )
    parser.add_argument(
        "--port", type=_port, metavar="P", help="the page's port (else 8080, or a free one)"
    )


def execute(args: argparse.Namespace) -> int:
    page_port = _page_port(args.port)
    if args.scenario == PROGRAMME:
        with tempfile.TemporaryDirectory(prefix="rearguard-demo-") as name:
            config = _write_config(Path(name), broker.free_port(), page_port)
            return programme.execute(Path(name), config, page_port, args.out)
    title = SCENARIOS[args.scenario].title
    with _signals() as stopping, tempfile.TemporaryDirectory(prefix="rearguard-demo-") as name:
        folder = Path(name)
        with Children(folder) as children:
            mqtt_port = broker.start(children, folder)
            config = _write_config(folder, mqtt_port, page_port)
            acquaint(load(config), time.time())
            subscriber = Subscriber(broker.HOST, mqtt_port, BELT)
            children.start("service", python("service", "--config", str(config)))
            children.start(
                "device", python("device", "--config", str(config), "--simulate", args.scenario)
            )
            subscriber.start()
            view = (live.Drawn if sys.stdout.isatty() else live.Quiet)(
                title, f"http://{broker.HOST}:{page_port}/"
            )
            with contextlib.closing(subscriber), view:
                guarded = _watch(
                    folder / "run" / "frames", children, subscriber, view, args.seconds, stopping
                )
    alerts = [alert for alert in subscriber.alerts if alert.news]
    live.print_table(alerts)
    rows = [alert.row() for alert in alerts]
    sys.stdout.write(json.dumps({"guarding": guarded, "alerts": rows}) + "\n")
    return 0 if guarded else INTERRUPTED


def _watch(
    ring: Path,
    children: Children,
    subscriber: Subscriber,
    view: live.View,
    seconds: float | None,
    stopping: Callable[[], bool],
) -> bool:
    """Show it until the time is up or it is to stop; whether it has guarded.

    Raises Fault when a process dies, or when it does not guard in time.
    """
    begun = seen = time.monotonic()
    guarding_since = math.nan
    frames = _Frames(ring)
    try:
        while not stopping():
            now = time.monotonic()
            children.check()
            subscriber.poll()
            if new := frames.new():
                seen = now
                if math.isnan(guarding_since) and any(f.guard == Guard.FULL for f in new):
                    guarding_since = now
                alerts: list[Received] = [a for a in subscriber.alerts if a.news]
                view.show(now, new[-1], max(f.motor for f in new), alerts, subscriber.session)
            if seconds is not None and now - guarding_since >= seconds:
                break
            if math.isnan(guarding_since) and now - begun > _PATIENCE:
                told = {a.record["event"]: a.record["detail"] for a in subscriber.alerts}
                why = "; ".join(f"{event} {detail}" for event, detail in told.items())
                raise Fault(
                    f"the belt does not guard after {_PATIENCE:.0f} s "
                    f"({why or 'no alert says why'}); close other programs and try again"
                )
            if not math.isnan(guarding_since) and now - seen > _STALE:
                raise Fault(f"the device has shown nothing for {_STALE:.0f} s; try again")
            time.sleep(_POLL)
    finally:
        frames.close()
    return not math.isnan(guarding_since)


class _Frames:
    """Every frame of a ring that may not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: RingReader | None = None
        self._last = 0

    def new(self) -> list[Frame]:
        """Those since the last call, oldest first."""
        if self._reader is None:
            try:
                self._reader = RingReader(self._path)
            except FileNotFoundError:
                return []
        found = []
        while (frame := self._reader.read(self._last + 1)) is not None:
            self._last += 1
            found.append(frame)
        return found

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()


def _write_config(folder: Path, mqtt_port: int, page_port: int) -> Path:
    """The configuration of a belt that lives in `folder`."""
    for name in ("run", "data"):
        (folder / name).mkdir()
    config = folder / "rearguard.toml"
    config.write_text(
        f'[belt]\nname = "{BELT}"\nrun_dir = "run"\ndata_dir = "data"\n'
        f'[mqtt]\nhost = "{broker.HOST}"\nport = {mqtt_port}\n'
        f'[wearer]\ncancel_s = {CANCEL}\n[session]\nplan = "{PLAN}"\n'
        f'[http]\nhost = "{broker.HOST}"\nport = {page_port}\n'
    )
    return config


def _page_port(asked: int | None) -> int:
    """The port asked for, else the usual one, else any. Raises Fault when the first is busy."""
    for port in [asked] if asked else [PAGE_PORT, broker.free_port()]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((broker.HOST, port))
                return port
    raise Fault(f"port {asked} is not free; choose another with --port, or leave it out")


@contextlib.contextmanager
def _signals() -> Iterator[Callable[[], bool]]:
    """Whether the demo was asked to end: a signal never interrupts its tidying up."""
    asked: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda n, _: asked.append(n)) for number in numbers]
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time to run for; give seconds above 0")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; choose 1 to 65535")
    return value
