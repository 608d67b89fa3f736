"""Four weeks of two simulated wearers in minutes: one improves, one gets worse.

Each visit is a whole belt in virtual time (drivers, core, policy, practice, journal), on the files
that the visit before left; the real service then stores what was journalled and makes both reports.
What the belt counted is compared with what the simulated bodies did.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from device.alerts import Record, State
from device.cli import Fault
from device.cli.children import Children, python
from device.config import Config
from device.core import Core
from device.frames import Frame
from device.haptics import Haptics
from device.health import Health, table
from device.lanes import Lanes
from device.loop import Loop
from device.plan import known
from device.policy import Policy
from device.practice import Practice
from device.questions import QUESTIONS
from device.readiness import Readiness
from device.recorder import Origin, Recorder
from device.screening import Override
from device.scribe import Scribe
from device.settings import load
from device.sources.belt import assemble
from device.sources.patient import Form, Patient
from device.sources.simulated import Bench
from device.wearers import Wearers

DAY = 86400.0  # s
WEEKS, VISITS = 4, 3  # visits a week
TRIALS, GOAL_MIN = 3, 5  # of the walk test once a week; minutes of walking backward a session
RATE = 50.0  # ticks a second: half the belt's own, to be through sooner
LONGEST = 1800.0  # s of a visit
MOVES = 0.02  # m/s: a body that moves
DOSE, DISTANCE = 0.01, 0.05  # shares by which the belt may be wrong
PLAN = """title = "Short, so that four weeks are through in minutes"
goal_min = {goal_min}

[[phase]]
do = "backward"
seconds = 100

[[phase]]
do = "rest"
seconds = 20
"""


@dataclass(frozen=True, slots=True)
class Life:
    """How a wearer walks in the first week and in the last, and how hard it is (Borg CR10)."""

    name: str
    first: Form
    last: Form
    effort: tuple[float, float]

    def on(self, share: float) -> Form:
        """`share` (0..1) of the way through."""
        a, b = self.first, self.last
        return Form(a.speed + share * (b.speed - a.speed), a.uneven + share * (b.uneven - a.uneven))


LIVES = (
    Life("Ada", Form(0.55, 0.045), Form(0.72, 0.028), (5.0, 3.0)),
    Life("Bob", Form(0.62, 0.030), Form(0.47, 0.065), (3.0, 6.0)),
)


@dataclass(slots=True)
class Truth:
    """What a body did in its sessions."""

    dose_s: float = 0.0
    distance_m: float = 0.0


class _Time:
    """Virtual, and the wall clock that goes with it."""

    def __init__(self, epoch: float) -> None:
        self.t, self._epoch = 1000.0, epoch

    def now(self) -> float:
        return self.t

    def sleep_until(self, deadline: float) -> None:
        self.t = max(self.t, deadline)

    def at(self, t: float) -> tuple[float, bool]:
        return self._epoch + t, True


class _Nobody:
    """A ring and a black box that keep nothing; nothing here looks at single frames later."""

    sequence, fault = 0, ""

    def write(self, frame: Frame) -> None:
        return

    def retime(self, fs: float) -> None:
        return

    def note(self, sequence: int, core: Core) -> None:
        return

    def see(self, record: Record) -> None:
        return


class _Orders:
    """What comes over the control socket: the service's signs of life, and what is asked."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._due, self._asked = now, 0.0, list[dict[str, Any]]()

    def ask(self, command: str, **arguments: Any) -> None:
        self._asked.append({"command": command, "request": "r", "by": "page", **arguments})

    def poll(self) -> list[dict[str, Any]]:
        if self._now() >= self._due:
            self._due = self._now() + 1.0
            self.ask("consumed", segment="0")
        asked, self._asked = self._asked, []
        return asked


class Visit:
    """One wearer, one day, one belt."""

    def __init__(
        self, config: Config, clock: _Time, life: Life, share: float, number: int, trials: int
    ) -> None:  # fmt: skip
        self._clock, self._life, self._trials = clock, life, trials
        self._share = share
        self.truth = Truth()
        self.records: list[Record] = []
        self.first = number == 0
        self.patient = Patient(life.on(share), self.first, trials)
        name = f"{life.name}-{number}"
        bench = Bench(config, self.patient.script, clock, seed=sum(map(ord, name)))
        self._body = bench.world.wearer
        self._source, motor = assemble("simulated:programme", config, bench.open, bench.pins)
        self._scribe = Scribe()
        origin = Origin(config.belt.name, name, self._source.name)
        self._recorder = Recorder(
            config.journal_dir, origin, clock, clock, queue_size=512, limit_bytes=64_000_000
        )
        self._orders = _Orders(clock.now)
        policy = Policy(config.wearer, config.belt.name, name, self._source.name)
        haptics = _Felt(motor, config.motor.strength, self.patient.hear)
        wearers = Wearers(config.wearers_dir, config.wearer.name, self._scribe)
        ready = Readiness(config.session, Override(), known(config.plans_dir)[0])
        core = Core(self._source.fs, has_ranger=1.0)
        practice = Practice(
            config.session, ready, wearers, policy, core, clock, haptics.feel,
            Random(number),  # noqa: S311  repeatable on purpose
        )  # fmt: skip
        nobody = _Nobody()
        self._loop = Loop(
            clock, RATE, self._source, core, policy, practice,
            haptics, Health(table(config, self._source.fs), clock.now()),
            Lanes(nobody, _Noting(self._recorder, self.records), self._orders, nobody),
        )  # fmt: skip

    def live(self) -> None:
        """Until the session is over and its effort told. Raises Fault when that does not come."""
        self._orders.ask("profile", name=self._life.name)
        if self.first:
            self._orders.ask("screening", answers=dict.fromkeys(QUESTIONS, False))
        end, asked = self._clock.t + LONGEST, self.first
        self._run(4.0)
        if self.first:
            self._orders.ask("perception")
        while self._clock.t < end and not self._said("stop"):
            asked = self._attend(asked)
            self._run(0.1)
        if not self._said("stop"):
            last = [f"{r.event} {r.detail}" for r in self.records if r.kind != "alert"][-3:]
            raise Fault(f"{self._life.name}'s session does not end ({'; '.join(last)}); try again")
        a, b = self._life.effort
        self._orders.ask("effort", borg_cr10=round(a + self._share * (b - a), 1))
        self._run(1.0)

    def close(self) -> None:
        self._recorder.close()
        self._scribe.close()
        self._source.close()

    def _attend(self, asked: bool) -> bool:
        """Whoever stands by: asks for each trial once the wearer stands ready."""
        self.patient.tested = self.patient.tested or bool(self._said("perception"))
        self.patient.walked = bool(self._said("stop"))
        if self.patient.waits and not asked:
            self._orders.ask("walk_test")
            return True
        return asked and self.patient.waits

    def _run(self, seconds: float) -> None:
        body, clock, loop = self._body, self._clock, self._loop
        for _ in range(round(seconds * RATE)):
            clock.t += 1.0 / RATE
            before = body.x
            loop.tick(clock.t)
            if loop.policy.session and body.speed < -MOVES:
                self.truth.dose_s += 1.0 / RATE
                self.truth.distance_m += before - body.x

    def _said(self, event: str) -> list[Record]:
        return [r for r in self.records if r.kind == "session" and r.event == event]


class _Felt(Haptics):
    """Tells the patient which pattern it was."""

    def __init__(self, motor: Any, strength: float, hear: Callable[[str], None]) -> None:
        super().__init__(motor, strength)
        self._hear = hear

    def feel(self, name: str, now: float, level: Any = 0) -> float | None:
        begun = super().feel(name, now, level)
        if begun is not None:
            self._hear(name)
        return begun


class _Noting:
    """The journal's recorder, looked over its shoulder."""

    def __init__(self, recorder: Recorder, records: list[Record]) -> None:
        self._recorder, self._records, self.fault = recorder, records, ""

    def put(self, record: Record) -> None:
        self.fault = self._recorder.fault
        self._records.append(record)
        self._recorder.put(record)

    def consumed(self, segment: str) -> None:
        return


def play(
    config: Config, epoch: float, told: Callable[[str], None], weeks: int = WEEKS,
    visits: int = VISITS, trials: int = TRIALS, goal_min: int = GOAL_MIN,
) -> dict[str, Truth]:  # fmt: skip
    """Every visit; what each wearer did. `epoch`: s since 1970 of the first day. Raises Fault."""
    config.plans_dir.mkdir(parents=True, exist_ok=True)
    (config.plans_dir / "short.toml").write_text(PLAN.format(goal_min=goal_min))
    config = replace(config, session=replace(config.session, plan="short"))
    truths = {life.name: Truth() for life in LIVES}
    count = weeks * visits
    clock = _Time(epoch)
    for number in range(count):
        for hour, life in enumerate(LIVES):
            clock.t = 1000.0 + (number // visits * 7 + number % visits * 2) * DAY + hour * 7200.0
            tested = trials if number % visits == 0 else 0
            visit = Visit(config, clock, life, number / max(1, count - 1), number, tested)
            with contextlib.closing(visit):
                visit.live()
            truth = truths[life.name]
            truth.dose_s += visit.truth.dose_s
            truth.distance_m += visit.truth.distance_m
            told(f"week {number // visits + 1}, visit {number % visits + 1}: {life.name}")
    return truths


def compare(truths: dict[str, Truth], sessions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row a wearer: what the service keeps beside the truth, and whether it is near enough."""
    rows = []
    for name, truth in truths.items():
        totals = [s["totals"] for s in sessions if s["wearer"] == name]
        dose, distance = (sum(t[key] for t in totals) for key in ("dose_s", "distance_m"))
        off_dose, off_distance = dose / truth.dose_s - 1.0, distance / truth.distance_m - 1.0
        rows.append(
            {
                "wearer": name, "sessions": len(totals),
                "dose_s": round(dose, 1), "dose_off": round(off_dose, 4),
                "distance_m": round(distance, 1), "distance_off": round(off_distance, 4),
                "true": abs(off_dose) <= DOSE and abs(off_distance) <= DISTANCE,
            }
        )  # fmt: skip
    return rows


@contextlib.contextmanager
def stored(folder: Path, config: Path, port: int, count: int) -> Iterator[list[dict[str, Any]]]:
    """The sessions as the real service has them, once it has stored `count`. Raises Fault."""
    with Children(folder) as children:
        children.start("service", python("service", "--config", str(config)))
        end = time.monotonic() + 60.0
        sessions: list[dict[str, Any]] = []
        while len(sessions) < count or any(s["state"] != State.CLEARED for s in sessions):
            children.check()
            if time.monotonic() > end:
                raise Fault(
                    f"the service has stored {len(sessions)} of {count} sessions; try again"
                )
            time.sleep(0.2)
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(
                    f"http://127.0.0.1:{port}/api/v1/sessions?limit=200", timeout=5
                ) as answer,
            ):
                sessions = json.load(answer)["sessions"]
        yield sessions


def execute(folder: Path, config: Path, port: int, out: Path) -> int:
    """All of it; the reports lie in `out`. 1: what was counted is not what was walked."""
    settings = load(config)
    count = WEEKS * VISITS * len(LIVES)
    done = iter(range(1, count + 1))
    truths = play(
        settings, time.time() - (WEEKS * 7 - 1) * DAY,
        lambda visit: _told(f"{next(done)} of {count} visits: {visit}"),
    )  # fmt: skip
    with stored(folder, config, port, count) as sessions:
        rows = compare(truths, sessions)
    for row in rows:
        row["report"] = str(report(config, row["wearer"], out))
        sys.stderr.write(
            f"{row['wearer']}: {row['sessions']} sessions, {row['dose_s'] / 60:.1f} min backward "
            f"({row['dose_off']:+.2%} off the truth), {row['distance_m']:.0f} m "
            f"({row['distance_off']:+.2%}); {row['report']}\n"
        )
    sys.stdout.write(json.dumps({"wearers": rows}) + "\n")
    return 0 if all(row["true"] for row in rows) else 1


def report(config: Path, wearer: str, out: Path) -> Path:
    """The service's report of one wearer, in a file of `out`. Raises Fault."""
    file = out / f"rearguard-{wearer}.html"
    words = ["--config", str(config), "--wearer", wearer, "--out", str(file)]
    ran = subprocess.run(  # noqa: S603  our own
        python("service.offline", "report", *words), capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise Fault(f"no report could be made ({ran.stderr.strip()}); choose another folder")
    return file


def _told(line: str) -> None:
    sys.stderr.write(line + "\n")
