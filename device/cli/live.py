"""What the demo shows while it runs: drawn on a terminal, else a quiet line a second."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from device.cli.subscriber import Received
from device.frames import Frame, Guard

REACH = 4.0  # m, the bar's length
_WIDTH = 48  # characters of it
_REDRAW = 8  # times a second
_SHOWN = 5  # newest alerts

_DIRECTION = {0: "still", 1: "forward", -1: "backward", 2: "turning", 9: "not yet known"}
_GUARD = {
    Guard.FULL: ("guarding", "bold green"),
    Guard.NO_REAR: ("BLIND BEHIND", "bold red"),
    Guard.NO_IMU: ("NO MOTION SENSOR", "bold red"),
    Guard.NOT_GUARDING: ("not guarding", "bold yellow"),
}
_LEVEL = {"caution": "yellow", "warning": "dark_orange", "stop": "red", "danger": "bold red"}


class View(Protocol):
    """Shown as often as it likes; `motor` is the strongest duty since the last time, `session` as
    the caregiver's topic has it; empty: none yet."""

    def __enter__(self) -> View: ...

    def __exit__(self, *_: object) -> None: ...

    def show(
        self, now: float, frame: Frame, motor: float, alerts: Sequence[Received],
        session: Mapping[str, Any],
    ) -> None: ...  # fmt: skip


class Drawn:
    """For a terminal."""

    def __init__(self, title: str, page: str) -> None:
        self._title, self._page = title, page
        self._next = -math.inf
        self._live = Live(Text("starting …"), auto_refresh=False, transient=True)

    def __enter__(self) -> Drawn:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(
        self, now: float, frame: Frame, motor: float, alerts: Sequence[Received],
        session: Mapping[str, Any],
    ) -> None:  # fmt: skip
        if now < self._next:
            return
        self._next = now + 1 / _REDRAW
        word, style = _GUARD[Guard(frame.guard)]
        head = Text.assemble((word, style), "   ", _motor(motor))
        body = Group(
            head, _bar(frame), _figures(frame), Text(_walked(session)), table(alerts[-_SHOWN:])
        )
        foot = f"page {self._page}   Ctrl-C ends"
        panel = Panel(body, title=f"Rearguard: {self._title}", subtitle=foot, width=78)
        self._live.update(panel, refresh=True)


class Quiet:
    """For a file or a pipe: a line a second on standard error."""

    def __init__(self, title: str, page: str) -> None:
        self._next = -math.inf
        sys.stderr.write(f"{title} page {page}\n")

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(
        self, now: float, frame: Frame, motor: float, alerts: Sequence[Received],
        session: Mapping[str, Any],
    ) -> None:  # fmt: skip
        if now < self._next:
            return
        self._next = now + 1.0
        sys.stderr.write(
            f"{_GUARD[Guard(frame.guard)][0]}; {_DIRECTION[frame.direction]} "
            f"{_number(frame.speed, 'm/s')}; behind {_number(frame.distance, 'm')}; "
            f"alerts: {_newest(alerts)}; {_walked(session)}\n"
        )


def table(alerts: Sequence[Received]) -> RenderableType:
    """Alerts with what was measured of each."""
    if not alerts:
        return Text("no alert yet", style="dim")
    shown = Table(box=None, pad_edge=False)
    for title in ("event", "level", "cause → buzz", "cause → MQTT"):
        shown.add_column(title, justify="right" if "→" in title else "left")
    for alert in alerts:
        row = alert.row()
        times = (row["cause_to_buzz_ms"], row["cause_to_mqtt_ms"])
        style = _LEVEL.get(row["level"], "magenta" if row["level"] == "fault" else "")
        shown.add_row(
            row["event"],
            Text(row["level"], style=style),
            *("–" if ms is None else f"{ms:.0f} ms" for ms in times),
        )
    return shown


def print_table(alerts: Sequence[Received]) -> None:
    """The closing table, on standard output."""
    Console(highlight=False).print(table(alerts))


def _bar(frame: Frame) -> Text:
    """What is behind, to scale: the wearer stands at the left."""
    if not math.isfinite(frame.distance):
        return Text.assemble("wearer ▐", ("·" * _WIDTH, "dim"), "  nothing tracked")
    at = min(_WIDTH - 1, int(frame.distance / REACH * _WIDTH))
    style = "red" if frame.ttc < 1.2 else "dark_orange" if frame.ttc < 2.3 else "green"
    return Text.assemble(
        "wearer ▐", (" " * at + "█", style), ("·" * (_WIDTH - 1 - at), "dim"),
        f"  {frame.distance:.2f} m",
    )  # fmt: skip


def _figures(frame: Frame) -> Table:
    grid = Table.grid(padding=(0, 3))
    grid.add_row(
        f"closing {_number(frame.closing, 'm/s')}",
        f"contact in {_number(frame.ttc, 's')}",
        f"speed {_number(frame.speed, 'm/s')}",
    )
    grid.add_row(
        _DIRECTION[frame.direction],
        f"lean {_number(math.degrees(frame.lean), '°')}",
        f"cadence {_number(frame.cadence, '/min')}",
    )
    return grid


def _newest(alerts: Sequence[Received]) -> str:
    """How many there are, and what the last of them says."""
    if not alerts:
        return "0"
    record = alerts[-1].record
    return f"{len(alerts)}, newest {record['event']} {record['level']}"


def _walked(session: Mapping[str, Any]) -> str:
    """A session in a line: its phase, the dose of its goal, and how far that was."""
    totals = session.get("totals", {})
    if "dose_s" not in totals:
        return "no session"
    steps, metres = totals.get("steps", 0), totals.get("distance_m", 0.0)
    return (
        f"session: {session['phase'] or 'over'}, {totals['dose_s']:.0f} of {totals['goal_s']:.0f} s"
        f" backward, {steps:.0f} steps, {metres:.1f} m"
    )


def _motor(duty: float) -> Text:
    return Text.assemble("motor ", ("▮▮▮ buzzing", "bold cyan") if duty > 0 else ("▯▯▯", "dim"))


def _number(value: float, unit: str) -> str:
    return f"{round(value, 1) + 0.0:.1f} {unit}" if math.isfinite(value) else "–"  # never -0.0
