"""Freshness judged outside the readings: nothing silent ever counts as guarding."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.alerts import EVENTS, Level, State
from device.config import Config, Ranger
from device.frames import Guard
from device.health import START_S, Health, table
from tests.conftest import ROOT

TABLE = table(Config(), 100.0)
GUARDS_ON = ("imu", "ranger", "loop")


def described() -> str:
    """The table as device/README.md shows it."""
    lines = [
        "| row | late, a fault after | guarding meanwhile | told as | felt | over after |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in TABLE.items():
        times = "it says so" if math.isnan(row.period) else f"{row.late:.2g} s, {row.stale:.2g} s"
        felt = EVENTS[row.event].felt[Level.FAULT] if row.event else None
        lines.append(
            f"| {name} | {times} | {row.stage.name.lower()} | {row.event or 'the technician only'} "
            f"| {felt or ''} | {row.recover:g} s |"
        )
    return "\n".join(lines)


def test_the_readme_shows_the_table() -> None:
    assert described() in (ROOT / "device" / "README.md").read_text()


def never(event: str) -> bool:
    return False


silences = st.fixed_dictionaries(
    {name: st.lists(st.tuples(st.floats(0, 20), st.floats(0.05, 3)), max_size=3) for name in TABLE}
)


def silent(spans: list[tuple[float, float]], t: float) -> bool:
    return any(begin <= t < begin + length for begin, length in spans)


@given(silences)
@settings(max_examples=30, deadline=None)  # 20 s of ticks each
def test_full_guarding_means_fresh_data_on_every_stream(quiet: dict) -> None:
    health = Health(TABLE, 0.0)
    seen = dict.fromkeys(TABLE, 0.0)
    open_faults: set[str] = set()
    for tick in range(2000):
        t = tick * 0.01
        for found in health.check(t, never):
            assert found.event in EVENTS
            assert (found.event in open_faults) == (found.state is State.CLEARED)
            open_faults ^= {found.event}
        stale = [name for name in GUARDS_ON if t - seen[name] > TABLE[name].stale]
        if health.guard is Guard.FULL:
            assert stale == []
        if health.guard is Guard.NOT_GUARDING and t >= START_S:
            assert "not_guarding" in open_faults
        for name, row in TABLE.items():
            if not silent(quiet[name], t) and t - seen[name] >= row.period - 0.005:
                health.see(name, t)
                seen[name] = t


def run(health: Health, begin: float, end: float, *names: str) -> None:
    for tick in range(round(begin * 100), round(end * 100)):
        for name in ("service", *names):
            health.see(name, tick * 0.01)
        health.check(tick * 0.01, never)


@pytest.mark.parametrize(
    ("lost", "stage"),
    [("imu", Guard.NO_IMU), ("ranger", Guard.NO_REAR), ("loop", Guard.NOT_GUARDING)],
)
def test_each_stream_has_its_stage_and_comes_back_only_when_steady(lost: str, stage: Guard) -> None:
    health = Health(TABLE, 0.0)
    run(health, 0.0, 2.0, *GUARDS_ON)
    assert health.guard is Guard.FULL
    others = [name for name in GUARDS_ON if name != lost]
    run(health, 2.0, 3.0, *others)
    assert health.guard is stage
    run(health, 3.0, 3.0 + 0.9 * TABLE[lost].recover, *GUARDS_ON)
    assert health.guard is stage, "one reading is no recovery"
    run(health, 3.0 + 0.9 * TABLE[lost].recover, 3.1 + TABLE[lost].recover, *GUARDS_ON)
    assert health.guard is Guard.FULL


@pytest.mark.parametrize(
    ("event", "stage"),
    [
        ("imu_fault", Guard.NO_IMU),
        ("rear_blind", Guard.NO_REAR),
        ("not_worn", Guard.NOT_GUARDING),
    ],
)
def test_what_the_core_holds_for_faulty_does_not_guard(event: str, stage: Guard) -> None:
    health = Health(TABLE, 0.0)
    run(health, 0.0, 2.0, *GUARDS_ON)
    health.check(2.0, lambda asked: asked == event)
    assert health.guard is stage


def test_a_belt_without_a_rear_sensor_says_so_all_the_time_and_calls_it_no_fault() -> None:
    health = Health(table(Config(ranger=Ranger(driver="none")), 100.0), 0.0)
    run(health, 0.0, 4.0, "imu", "loop")
    assert health.guard is Guard.NO_REAR
    assert "ranger" not in health.ages(4.0)
