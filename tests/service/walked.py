"""Walks to test the history with: the records that a device would journal of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

START = datetime.fromisoformat("2026-03-02T10:00:00.000+00:00")  # a Monday


def record(
    event: str, at: datetime, number: int, *, kind: str = "session", run: str = "run-1", **more: Any
) -> dict[str, Any]:
    """One line of the journal."""
    return {
        "id": f"belt:{run}:{number}", "kind": kind, "event": event, "level": "info",
        "state": "raised", "alert_id": "", "boot": run, "t": float(number), "detail": "",
        "raised_at": at.isoformat(timespec="milliseconds"), "clock_synchronised": True,
        "wearer": "anna", "session": "", "source": "simulated:test", "measurements": {}, **more,
    }  # fmt: skip


def walk(
    session: str, at: datetime, *, dose_s: float = 900.0, minutes: float = 20.0, every_s: float = 0,
    reason: str = "dose", first: int = 1, borg: float | None = None, **totals: float,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """The records of one session: start, progress every so often (0: none), stop, effort."""
    number = first
    yield record("start", at, number, session=session, run=session)
    speed = totals.get("speed_m_s", 0.5)
    last = minutes * 60
    for share in [*(s / last for s in range(10, int(last), int(every_s) or 10**9)), 1.0]:
        number += 1
        end = share == 1.0
        yield record(
            "stop" if end else "progress",
            at + timedelta(seconds=share * last),
            number,
            run=session,
            session=session,
            state="cleared" if end else "raised",
            detail=reason if end else "backward",
            measurements={
                "elapsed_s": share * last, "dose_s": share * dose_s, "goal_s": 900.0,
                "forward_s": share * (last - dose_s) / 2,
                "standing_s": share * (last - dose_s) / 2,
                "steps": round(share * dose_s * 1.5), "distance_m": share * dose_s * speed,
                "speed_m_s": speed, "cadence_steps_min": 90.0, "step_length_m": speed / 1.5,
                "lean_rad": -0.05, "sway_m_s2": 0.5, "step_time_cv": 0.05, "cues": 4.0, **totals,
            },
        )  # fmt: skip
    if borg is not None:
        yield record(
            "effort", at + timedelta(seconds=last + 60), number + 1, run=session, session=session,
            state="confirmed", measurements={"borg_cr10": borg},
        )  # fmt: skip
