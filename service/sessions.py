"""Sessions: what each walk came to. Pure; the store keeps what it makes.

The device counts from the session's start and says the totals again and again, under one session
id also after a restart; so nothing is ever added up here. A session is the join of its records: the
totals of the record that is furthest on, the start that is known best, the effort said last. In
whatever order they come, however often, with whatever missing, the same comes of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from device.alerts import State

BEGUN, ENDED = "start", "stop"
COUNTED = (BEGUN, "progress", ENDED)  # the records that carry totals
_NOT_COUNTED = 1e9  # s; ranks a record without totals behind all others for the start
_ABSURD = 1e9  # no total of a walk comes near it

# The totals and their units, as the device names them; what else it may say is not kept.
TOTALS = (
    "elapsed_s", "dose_s", "forward_s", "standing_s", "steps", "distance_m", "measured_m",
    "speed_m_s", "cadence_steps_min", "step_length_m", "lean_rad", "sway_m_s2", "step_time_cv",
    "cues", "goal_s",
)  # fmt: skip


def by_own_steps(totals: Mapping[str, float]) -> bool:
    """Whether the distance was told by steps of this wearer that a wall had measured."""
    return totals.get("measured_m", 0.0) >= 0.9 * totals.get("distance_m", 0.0)


def joined(known: dict[str, Any] | None, record: dict[str, Any]) -> dict[str, Any]:
    """A session with one more of its records; `known` None: it is the first.

    Idempotent, free of order. The keys: `session`, `wearer`, `source`; `started_at` (ISO 8601, UTC)
    and `clock_synchronised`, whether to believe that; `changed_at`; `phase`, and `ended` (why,
    empty while it has not); `totals` (names carry their unit); `borg_cr10` or None. Keys with an
    underscore say which record a value came from, for the next join.
    """
    made = dict(known) if known else _blank(record)
    counted = record["event"] in COUNTED
    elapsed = (_number(record, "elapsed_s") or 0.0) if counted else _NOT_COUNTED
    believed = bool(record.get("clock_synchronised")) and counted
    _take(
        made,
        "_start",
        [believed, -elapsed, *_said_at(record)],
        started_at=_earlier(_text(record, "raised_at"), elapsed if counted else 0.0),
        clock_synchronised=believed,
        source=_text(record, "source"),
        wearer=_text(record, "wearer"),
    )
    if record["event"] == "effort":
        _take(made, "_effort", _said_at(record), borg_cr10=_number(record, "borg_cr10"))
    if counted:
        last = record["event"] == ENDED
        _take(
            made,
            "_totals",
            [last, elapsed, *_said_at(record)],
            totals={name: v for name in TOTALS if (v := _number(record, name)) is not None},
            phase="" if last else str(record.get("detail", "")),
            ended=(str(record.get("detail", "")) or "no reason given") if last else "",
            changed_at=_text(record, "raised_at"),
            boot=_text(record, "boot"),
        )
    return made


def public(session: dict[str, Any]) -> dict[str, Any]:
    """A session without the marks of where its values came from."""
    return {name: value for name, value in session.items() if not name.startswith("_")}


def state(session: dict[str, Any], device_run: str) -> str:
    """`ended`, `running`, or `interrupted`: its run of the device did not live to end it."""
    if session["ended"]:
        return "ended"
    return "running" if session["boot"] == device_run else "interrupted"


def wire(session: dict[str, Any], device_run: str) -> dict[str, Any]:
    """A session as MQTT's retained topic and the API give it."""
    how = state(session, device_run)
    shown = public(session)
    del shown["boot"]
    return {
        **shown,
        "event": ENDED if how == "ended" else "progress",
        "state": {"ended": State.CLEARED, "running": State.RAISED}.get(how, State.CANCELLED).value,
        "detail": session["ended"] or (
            session["phase"] if how == "running" else "the device restarted in its midst"
        ),
        "measurements": session["totals"],
    }  # fmt: skip


def _blank(record: dict[str, Any]) -> dict[str, Any]:
    nothing = {"changed_at": "", "phase": "", "ended": "", "boot": "", "totals": {}}
    return {"session": record["session"], **nothing, "borg_cr10": None}


def _take(made: dict[str, Any], mark: str, rank: list[Any], **values: Any) -> None:
    """Put `values` in when they outrank what is there."""
    if mark not in made or rank > made[mark]:
        made[mark] = rank
        made.update(values)


def _said_at(record: dict[str, Any]) -> list[str]:
    """What decides between two records that are equally far on."""
    return [_text(record, "raised_at"), str(record["id"])]


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _number(record: dict[str, Any], name: str) -> float | None:
    measurements = record.get("measurements")
    value = measurements.get(name) if isinstance(measurements, dict) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > _ABSURD:
        return None
    return float(value) if math.isfinite(value) else None


def _earlier(written: str, seconds: float) -> str:
    """An instant so many seconds before a written one; the written one when it cannot be read."""
    try:
        then = datetime.fromisoformat(written) - timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return written
    return then.isoformat(timespec="milliseconds")
