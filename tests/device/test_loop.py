"""The loop in virtual time: a scripted belt, the real core, the real lanes."""

from __future__ import annotations

import gc
import itertools
import logging
import math
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device import commands, journal
from device.alerts import Level, State
from device.blackbox import BlackBox
from device.clock import SystemWallClock
from device.config import Config, Wearer
from device.control import ControlServer
from device.core import Core, Judgement
from device.frames import Echo, Frame, Gap, Guard, RingReader
from device.haptics import PATTERNS, Haptics
from device.health import STUCK_S, Health, table
from device.lanes import Lanes
from device.lateness import Lateness
from device.loop import Loop
from device.policy import Policy
from device.reach import NOBODY_S
from device.recorder import Origin, Recorder
from device.ring import RingWriter
from tests.device.test_haptics import Motor
from tests.device.virtual import practice

FS = 100.0
NOISE = np.random.default_rng(7).normal(0.0, 0.02, (997, 6))


class VirtualClock:
    """Time passes when somebody waits, and overshoots when told to."""

    def __init__(self) -> None:
        self.t = 1000.0
        self.overshoot: dict[int, float] = {}  # number of the wait → s too long
        self.waits = itertools.count(1)

    def now(self) -> float:
        return self.t

    def sleep_until(self, deadline: float) -> None:
        self.t = max(self.t, deadline) + self.overshoot.get(next(self.waits), 0.0)


class Stander:
    """Somebody who stands in the open; parts of the belt fail when told to."""

    name, fs = "simulated:test", FS

    def __init__(self) -> None:
        self.button, self.gap, self.ranger, self.error = 0, Gap.NONE, True, ""
        self.broken: dict[str, str] = {}
        self.pings_due = 0.0
        self.reads = 0

    def read(self, now: float) -> list[Frame]:
        if self.error:
            raise OSError(self.error)
        self.reads += 1
        frame = Frame(t=now - 0.001, gap=self.gap, button=self.button)
        if self.gap == Gap.NONE:
            a, b, c, d, e, f = NOISE[self.reads % len(NOISE)]
            frame.ax, frame.ay, frame.az, frame.gx, frame.gy, frame.gz = a, b, 9.81 + c, d, e, f
        if self.ranger and now >= self.pings_due:
            self.pings_due = now + 0.06
            frame.ping_t, frame.ping_echo = now - 0.002, Echo.NOTHING_IN_RANGE
        return [frame]

    def faults(self) -> dict[str, str]:
        return self.broken

    def parts(self) -> str:
        return "one who stands"

    def close(self) -> None:
        return


class Belt:
    """Everything `device/__main__.py` puts together, in a folder of its own."""

    def __init__(self, folder: Path, ring: type[RingWriter] = RingWriter) -> None:
        self.folder, self.clock, self.source, self.motor = (
            folder,
            VirtualClock(),
            Stander(),
            Motor(),
        )
        self.ring = ring(folder / "frames", 4096, FS, self.source.name)
        self.recorder = Recorder(
            folder / "journal", Origin("belt", "run1", self.source.name), self.clock,
            SystemWallClock(), queue_size=512, limit_bytes=1 << 20,
        )  # fmt: skip
        self.control = ControlServer(folder / "control")
        self.box = BlackBox(
            folder / "recordings", folder / "frames", "belt", FS, self.clock, SystemWallClock(), 30
        )
        policy = Policy(Wearer(), "belt", "run1", self.source.name)
        haptics = Haptics(self.motor, 1.0)
        self.loop = Loop(
            self.clock, 100.0, self.source, Core(FS, has_ranger=1.0), policy,
            practice(policy, haptics, folder), haptics,
            Health(table(Config(), FS), self.clock.now()),
            Lanes(self.ring, self.recorder, self.control, self.box),
        )  # fmt: skip
        self.felt: list[float] = []  # duty after each tick

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Tick on time for `seconds`, or until it is so."""
        deadline = self.clock.now()
        end = deadline + seconds
        while deadline < end and not until():
            self.clock.sleep_until(deadline)
            self.loop.tick(deadline)
            self.felt.append(self.motor.duty)
            deadline += 0.01

    def told(self) -> list[dict[str, Any]]:
        """Ends the recorder; everything journalled."""
        self.recorder.close()
        entries = journal.read(self.folder / "journal", journal.Cursor(), 10_000)
        return [entry.record for entry in entries if entry.record]

    def close(self) -> None:
        self.control.close()
        self.ring.close()


@pytest.fixture
def belt(tmp_path: Path) -> Iterator[Belt]:
    it = Belt(tmp_path)
    yield it
    it.close()


def alerts(records: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(record["event"], record["state"]) for record in records if record["kind"] == "alert"]


def ask(belt: Belt, command: str, **arguments: str) -> dict[str, Any]:
    """Send a command from a thread, as the service does, while the belt goes on."""
    answers: list[dict[str, Any]] = []
    path = belt.folder / "control"
    sender = threading.Thread(
        target=lambda: answers.append(
            commands.send(path, command, "Grace", timeout=10.0, **arguments)
        )
    )
    sender.start()
    while sender.is_alive():
        belt.clock.t += 0.01  # `run` begins where the last tick was
        belt.run(0.01)
        sender.join(0.0005)
    return answers[0]


def test_it_guards_within_two_seconds_and_the_wearer_feels_it(belt: Belt) -> None:
    belt.run(2.0)
    assert belt.loop.health.guard is Guard.FULL
    assert max(belt.felt) == PATTERNS["guarding"].duty
    reader = RingReader(belt.folder / "frames")
    newest = reader.newest()
    assert newest is not None
    assert newest[0] == len(belt.felt)
    assert (newest[1].guard, newest[1].lateness) == (Guard.FULL, 0.0)
    assert belt.told() == []


def test_a_late_tick_is_recorded_and_missed_deadlines_are_skipped(belt: Belt) -> None:
    belt.clock.overshoot = {50: 0.035}
    ends = belt.clock.now() + 1.0
    belt.loop.run(lambda: belt.clock.now() >= ends)
    reader = RingReader(belt.folder / "frames")
    frames = [frame for n in range(1, belt.ring.sequence + 1) if (frame := reader.read(n))]
    late = [frame for frame in frames if frame.lateness > 0.011]
    assert [round(frame.lateness, 3) for frame in late] == [0.035]
    assert belt.loop.skipped == 3
    steps = np.diff([frame.tick for frame in frames])
    assert sorted(set(np.round(steps, 6))) == [0.01, 0.04]
    apart = np.diff([frame.tick + frame.lateness for frame in frames])
    assert min(apart) > 0.004, "no burst"


def test_a_starved_loop_is_told_and_guards_again_when_it_has_recovered(belt: Belt) -> None:
    belt.run(2.0)
    belt.clock.t += 5.0
    belt.run(0.02)
    assert belt.loop.health.guard is Guard.NOT_GUARDING
    belt.run(2.0)
    assert belt.loop.health.guard is Guard.FULL
    told = [one for one in alerts(belt.told()) if one[0] in ("loop_late", "not_guarding")]
    assert told == [
        ("loop_late", "raised"), ("not_guarding", "raised"),
        ("loop_late", "cleared"), ("not_guarding", "cleared"),
    ]  # fmt: skip


def test_a_dead_motion_sensor_is_felt_and_told_with_the_last_good_time(belt: Belt) -> None:
    belt.run(2.0)
    last_good = belt.clock.now() - 0.001
    belt.source.gap = Gap.BUS
    belt.run(1.0)
    assert belt.loop.health.guard is Guard.NO_IMU
    record = next(record for record in belt.told() if record["event"] == "imu_fault")
    assert record["cause_t"] == pytest.approx(last_good, abs=0.001)
    assert record["buzz_t"] == record["t"]


def test_both_sensors_gone_is_not_guarding(belt: Belt) -> None:
    belt.run(2.0)
    belt.source.gap, belt.source.ranger = Gap.BUS, False
    belt.run(1.0)
    assert belt.loop.health.guard is Guard.NOT_GUARDING
    record = next(record for record in belt.told() if record["event"] == "not_guarding")
    assert record["detail"] == "no motion sensor, no rear sensor"


def test_a_belt_that_never_gets_data_says_so(belt: Belt) -> None:
    belt.source.gap, belt.source.ranger = Gap.NO_DATA, False
    belt.run(4.0)
    assert ("not_guarding", "raised") in alerts(belt.told())


class BrokenRing(RingWriter):
    def write(self, frame: Frame) -> None:
        raise OSError(28, "No space left on device")


def test_a_ring_that_fails_is_told_and_guarding_goes_on(tmp_path: Path) -> None:
    belt = Belt(tmp_path, BrokenRing)
    belt.run(3.0)
    assert belt.loop.health.guard is Guard.FULL
    records = belt.told()
    belt.close()
    assert alerts(records) == [("storage_fault", "raised")]
    assert "frame ring: OSError" in records[0]["detail"]


def test_a_lane_that_works_again_is_told_once_it_stays_so(belt: Belt) -> None:
    write = belt.ring.write
    belt.ring.write = BrokenRing.write.__get__(belt.ring)
    belt.run(2.0)
    belt.ring.write = write
    belt.run(7.0)
    told = [one for one in alerts(belt.told()) if one[0] == "storage_fault"]
    assert told == [("storage_fault", "raised"), ("storage_fault", "cleared")]


def test_what_fails_in_guarding_ends_the_loop_with_the_motor_off(belt: Belt) -> None:
    belt.run(1.3)
    belt.loop.haptics.feel("danger", belt.clock.now())
    belt.source.error = "the bus is gone"
    with pytest.raises(OSError, match="the bus is gone"):
        belt.loop.run(lambda: False)
    assert belt.motor.duty == 0.0
    assert gc.isenabled()


def test_collection_rests_while_guarding(belt: Belt) -> None:
    seen: list[bool] = []
    belt.loop.run(lambda: bool(seen.append(gc.isenabled()) or len(seen) > 3))
    assert seen == [False] * 4
    assert gc.isenabled()


def test_a_clean_end_is_felt_and_leaves_the_motor_off(belt: Belt) -> None:
    belt.loop.run(lambda: belt.source.reads >= 10)
    ended = belt.clock.now() - 1000.0
    assert ended == pytest.approx(0.1 + PATTERNS["not_guarding"].length, abs=0.03)
    assert belt.motor.duty == 0.0


def test_silence_of_the_service_is_felt_and_its_return_told(belt: Belt) -> None:
    belt.run(11.0)
    assert belt.loop.health.guard is Guard.FULL, "guarding goes on"
    assert max(belt.felt[900:]) == PATTERNS["fault"].duty
    ask(belt, "consumed", segment="00000001-run1.journal")
    belt.run(0.05)
    told = alerts(belt.told())
    assert told == [("service_lost", "raised"), ("service_lost", "cleared")]


def test_the_button_calls_for_help_and_a_caregiver_answers(belt: Belt) -> None:
    belt.run(2.0)
    belt.source.button = 1
    belt.run(2.2)
    assert belt.motor.duty == PATTERNS["danger"].duty
    belt.source.button = 0
    belt.run(3.0)
    ask(belt, "ack", alert_id="belt:run1:a1")
    belt.run(0.01)
    assert belt.motor.duty == PATTERNS["told"].duty
    records = belt.told()
    assert alerts(records) == [("sos", "raised"), ("sos", "acknowledged"), ("sos", "cleared")]
    assert records[0]["buzz_t"] is not None
    assert records[1]["by"] == "Grace"


def test_the_log_tells_faults_and_nothing_of_the_body(
    belt: Belt, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "device")
    belt.run(2.0)
    belt.source.button = 1
    belt.run(STUCK_S + 1.0)
    told = {one for one, _ in alerts(belt.told())}
    assert {"sos", "button_fault"} <= told
    shown = {r.getMessage().split()[0] for r in caplog.records if r.levelno >= logging.INFO}
    assert "button_fault" in shown
    assert "sos" not in shown
    assert "sos raised: " in [r.getMessage() for r in caplog.records], "at debug it is there"


def test_help_has_been_told_is_felt_while_the_call_is_open(belt: Belt) -> None:
    belt.run(2.0)
    ask(belt, "told", alert_id="belt:run1:a1")  # of an alert nobody has raised
    belt.run(0.01)
    assert belt.motor.duty == 0.0
    belt.source.button = 1
    belt.run(2.2)
    belt.source.button = 0
    belt.run(3.0)
    ask(belt, "told", alert_id="belt:run1:a1")
    belt.run(0.01)
    assert belt.motor.duty == PATTERNS["told"].duty
    assert alerts(belt.told()) == [("sos", "raised")]


def test_called_nobody_reached_told_and_coming_are_felt_in_turn(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    felt: list[str] = []
    feel = belt.loop.haptics.feel

    def noted(name: str, *when: Any) -> float | None:
        at = feel(name, *when)
        felt.extend([name] if at is not None else [])
        return at

    monkeypatch.setattr(belt.loop.haptics, "feel", noted)
    belt.run(2.0)
    belt.source.button = 1
    belt.run(2.2)
    belt.source.button = 0
    belt.run(NOBODY_S - 0.5)
    help_ = ("danger", "nobody", "told", "coming")
    assert [name for name in felt if name in help_] == ["danger"]
    belt.run(30.0)
    assert [name for name in felt if name in help_] == ["danger", "nobody", "nobody"]
    ask(belt, "told", alert_id="belt:run1:a1")
    belt.run(30.0)  # the call is said, and felt, again
    ask(belt, "ack", alert_id="belt:run1:a1")
    belt.run(3.0)
    assert [name for name in felt if name in help_][3:] == ["told", "danger", "coming"]


def test_each_gesture_is_answered_by_a_buzz(belt: Belt) -> None:
    belt.run(3.0)
    for presses, pulses in ([0.1], 1), ([0.1, 0.1], 2):
        belt.felt.clear()
        for held in presses:
            belt.source.button = 1
            belt.run(held)
            belt.source.button = 0
            belt.run(0.1)
        belt.run(0.8)
        on = np.array(belt.felt) > 0
        assert np.sum(on[1:] & ~on[:-1]) == pulses


def test_the_technician_is_answered_through_the_journal(belt: Belt) -> None:
    belt.run(3.0)
    test = ask(belt, "test")
    belt.run(2.0)
    asked = [
        ask(belt, "play", pattern="fault"), ask(belt, "play", pattern="waltz"),
        ask(belt, "doctor", question="health"), ask(belt, "doctor", question="why"),
        ask(belt, "profile", name="wearer"), ask(belt, "start"),
    ]  # fmt: skip
    belt.run(0.1)
    results = {r["request"]: r for r in belt.told() if r["kind"] == "result"}
    played = results[test["request"]]
    assert (played["test"], played["by"], played["state"]) == (True, "Grace", "confirmed")
    assert played["buzz_t"] is not None
    states = [results[answer["request"]]["state"] for answer in asked]
    assert states == [
        "confirmed", "cancelled", "confirmed", "cancelled", "confirmed", "confirmed",
    ]  # fmt: skip
    health = results[asked[2]["request"]]
    assert health["detail"].startswith("full; imu fresh")
    assert health["measurements"]["imu_age_s"] < 0.05


def test_nothing_is_felt_while_falling_whatever_lies_behind(belt: Belt) -> None:
    belt.run(3.0)
    now, policy = belt.clock.now(), belt.loop.policy
    behind = Judgement(now, 300, "obstacle", Level.STOP, State.RAISED)
    falling = Judgement(now, 300, "fall_imminent", Level.DANGER, State.RAISED)
    belt.loop.tell(policy.judge(now, 300, [behind], Frame(t=now)))
    assert belt.motor.duty == PATTERNS["stop"].duty
    belt.loop.tell(policy.judge(now, 300, [falling], Frame(t=now)))
    belt.felt.clear()
    belt.run(1.4)
    assert set(belt.felt) == {0.0}
    belt.run(1.0)
    assert max(belt.felt) == PATTERNS["stop"].duty, "a fall that does not come mutes nothing"


def test_under_overload_telemetry_is_shed_and_guarding_is_not(belt: Belt) -> None:
    belt.run(2.0)
    before, judged = belt.ring.sequence, belt.loop.sample
    read = belt.source.read

    def slow(now: float) -> list[Frame]:
        frames = read(now)
        belt.clock.t += 0.015
        return frames

    belt.source.read = slow
    for _ in range(100):
        belt.loop.tick(belt.clock.now())
    assert belt.loop.sample - judged == 100
    assert 20 <= belt.ring.sequence - before <= 35
    assert "overload: too slow" in belt.loop.health.words()
    belt.source.read = read
    belt.run(7.0)
    assert "overload" not in belt.loop.health.words()
    assert belt.ring.sequence - before > 500


def test_lateness_is_a_histogram_with_honest_edges() -> None:
    lateness = Lateness()
    for late in (*[0.00005] * 990, *[0.004] * 9, 2.0):
        lateness.note(late)
    assert [lateness.at_most(s) for s in (0.5, 0.99, 0.995, 1.0)] == [0.1, 0.1, 5.0, math.inf]
    assert "worst 2000.0 ms" in lateness.words()


def test_what_the_system_refuses_is_said() -> None:
    """In a process of its own: limits cannot be raised again."""
    code = (
        "import resource as r, os; from device.realtime import *; small_stacks();"
        "r.setrlimit(r.RLIMIT_RTPRIO, (0, 0)); r.setrlimit(r.RLIMIT_MEMLOCK, (0, 0));"
        "os.getuid() or os.setuid(65534); print(real_time(10), lock_memory(), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    scheduling, memory = done.stdout.splitlines()
    assert "no real-time scheduling" in scheduling
    assert "LimitRTPRIO" in scheduling
    assert "memory is not locked" in memory
    assert "LimitMEMLOCK" in memory


def test_a_stuck_button_is_told_after_half_a_minute(belt: Belt) -> None:
    belt.run(2.0)
    belt.source.button = 1
    belt.run(31.0)
    belt.source.button = 0
    belt.run(2.0)
    told = [one for one in alerts(belt.told()) if one[0] in ("sos", "button_fault")]
    assert told == [("sos", "raised"), ("button_fault", "raised"), ("button_fault", "cleared")]


def test_a_motor_that_cannot_be_felt_does_not_guard(belt: Belt) -> None:
    belt.run(2.0)
    belt.source.broken = {"motor": "open: no motor answers"}
    belt.run(0.1)
    assert belt.loop.health.guard is Guard.NOT_GUARDING
    belt.source.broken = {"motor": ""}
    belt.run(2.0)
    assert belt.loop.health.guard is Guard.FULL
    told = alerts(belt.told())
    assert told[:2] == [("motor_fault", "raised"), ("not_guarding", "raised")]
    assert ("motor_fault", "cleared") in told


class Signs:
    """A supervisor that counts."""

    def __init__(self) -> None:
        self.lives, self.words = 0, ""

    def alive(self, now: float) -> None:
        self.lives += 1

    def status(self, words: str) -> None:
        self.words = words


def test_a_sign_of_life_is_a_decision_on_fresh_data(belt: Belt) -> None:
    belt.loop.supervisor = signs = Signs()
    belt.run(3.0)
    assert signs.lives == belt.loop.ticks
    assert signs.words.startswith("full")
    belt.source.gap = Gap.BUS
    belt.run(1.0)
    assert signs.words.startswith("no_imu")
    with_pings = signs.lives
    assert 10 < with_pings - 300 < 30, "the rear sensor's pings are still judged, 16 a second"
    belt.source.ranger = False
    belt.run(3.0)
    assert signs.lives <= with_pings + 1, "the loop runs, but on nothing"
    assert signs.words.startswith("not_guarding")
    belt.source.gap = Gap.NONE
    belt.run(0.1)
    assert signs.lives >= with_pings + 9
