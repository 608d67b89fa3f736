"""Walks to test the history with: the records that a device would journal of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from device.alerts import Record

START = datetime.fromisoformat("2026-03-02T10:00:00.000+00:00")  # a Monday


def record(
    event: str, at: datetime, number: int, *, kind: str = "session", run: str = "run-1", **more: Any
) -> dict[str, Any]:
    """One line of the journal."""
    made = Record(
        kind,
        event,
        state="raised" if kind == "alert" else "confirmed",
        t=float(number),
        wearer="anna",
        source="simulated:test",
    )
    return {
        "id": f"belt:{run}:{number}",
        "belt": "belt",
        "boot": run,
        "raised_at": at.isoformat(timespec="milliseconds"),
        "clock_synchronised": True,
        **made.to_dict(),
        **more,
    }


def walk(
    session: str, at: datetime, *, dose_s: float = 900.0, minutes: float = 20.0, every_s: float = 0,
    reason: str = "dose", first: int = 1, borg: float | None = None, **totals: float,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """The records of one session: start, progress every so often (0: none), stop, effort."""
    number = first
    yield record("start", at, number, session=session, run=session, state="raised")
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
                "measured_m": share * dose_s * speed,
                "speed_m_s": speed, "cadence_steps_min": 90.0, "step_length_m": speed / 1.5,
                "lean_rad": -0.05, "sway_m_s2": 0.5, "step_time_cv": 0.05, "cues": 4.0, **totals,
            },
        )  # fmt: skip
    if borg is not None:
        yield record(
            "effort", at + timedelta(seconds=last + 60), number + 1, run=session, session=session,
            state="confirmed", measurements={"borg_cr10": borg},
        )  # fmt: skip


def year(weeks: int = 52, *, better: bool = True, seed: int = 1) -> Iterator[dict[str, Any]]:
    """A wearer's weeks: five walks each, a test of three trials each month, what else happens."""
    rng = random.Random(seed)
    way = 1 if better else -1
    yield record("screening", START - timedelta(days=1), 1, run="r0", state="confirmed",
                 detail="allow: nothing speaks against it")  # fmt: skip
    yield record("perception", START - timedelta(days=1), 2, run="r0", state="confirmed",
                 measurements={"felt": 10, "of": 10})  # fmt: skip
    yield record("programme", START, 3, run="r0", detail="four-weeks")
    number = 10
    for week in range(weeks):
        grown = way * min(week, 12) / 12  # what training brings levels off
        for day in (0, 1, 3, 4, 6):
            at = START + timedelta(weeks=week, days=day, hours=rng.uniform(0, 6))
            if rng.random() < 0.1:
                continue
            number += 10
            dose = 60 * (12 + 3 * grown) * rng.uniform(0.7, 1.1)
            speed = 0.52 + 0.1 * grown + rng.gauss(0, 0.03)
            yield from walk(
                f"w{week}-{day}", at, dose_s=dose, minutes=dose / 42, every_s=0, first=number,
                borg=rng.choice([None, 3.0, 3.0, 4.0]), speed_m_s=speed,
                cadence_steps_min=92 + 6 * grown + rng.gauss(0, 3),
                step_time_cv=max(0.01, 0.055 - 0.012 * grown + rng.gauss(0, 0.004)),
                sway_m_s2=max(0.1, 0.62 - 0.1 * grown + rng.gauss(0, 0.05)),
                cues=float(rng.randint(0, 12)),
            )  # fmt: skip
            if rng.random() < 0.2:
                yield record("obstacle", at + timedelta(minutes=3), number + 8, kind="alert",
                             level="warning", state="cleared", alert_id=f"o{number}")  # fmt: skip
            if rng.random() < 0.02 if better else rng.random() < 0.08:
                yield record("stumble", at + timedelta(minutes=4), number + 9, kind="alert",
                             level="warning", state="cleared", alert_id=f"s{number}")  # fmt: skip
        if week % 4 == 0:
            for trial in range(3):
                number += 10
                yield record(
                    "walk_test", START + timedelta(weeks=week, minutes=trial), number,
                    state="confirmed", detail="4.1 s: neither; on the wall all the way",
                    measurements={"time_s": 4.9 - 0.8 * grown + rng.gauss(0, 0.2),
                                  "distance_m": 3.0, "steps": 7, "trial": trial + 1},
                )  # fmt: skip
