"""Two wearers' four weeks: the device's practice, journal, store, course, report; virtual time.

What the core would say of each moment is made up (tests/device/gym.py): how well it says so is
measured elsewhere (`rearguard evaluate`). What is shown here is what becomes of it from there on.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from device.alerts import Level
from device.recorder import Origin, Recorder
from service.dossier import Dossier, gather
from service.intake import Intake
from service.moment import Moment
from service.notes import note
from service.own import OwnRecords
from service.report import report
from service.store import Store
from service.walks import Walks
from tests.device.gym import Gym
from tests.device.virtual import DAY, SAFE, Clock, Shelf, Wall

WEEKS, DAYS = 4, (0, 2, 4, 6)  # of a week on which they walk
CHUNK_S = 5.0  # s for which a wearer keeps one pace
BELT = "belt"
DOSE_WITHIN, DISTANCE_WITHIN = 0.01, 0.05  # shares of the truth


@dataclass(frozen=True, slots=True)
class Habit:
    """How somebody walks in a week."""

    speed: float  # m/s backward
    step_s: float
    uneven: float  # share by which every other pair of steps differs
    borg: float


@dataclass(slots=True)
class Walk:
    """One session: what happened, and what the history says of it."""

    session: str
    dose_s: float = 0.0  # s that were really walked backward
    distance_m: float = 0.0


@dataclass(slots=True)
class Life:
    """What a wearer's weeks came to."""

    name: str
    walks: list[Walk] = field(default_factory=list)
    goals: list[float] = field(default_factory=list)  # of each week, and of the one after
    refused: str = ""  # why the last start was refused; empty: none was
    dossier: Dossier | None = None
    page: str = ""


def better(week: int) -> Habit:
    return Habit(0.45 + 0.05 * week, 0.60 - 0.015 * week, 0.05 - 0.01 * week, 3.0)


def worse(week: int) -> Habit:
    return Habit(0.48 - 0.03 * week, 0.60, 0.04 + 0.03 * week, 4.0)


def lived(name: str, habit: Callable[[int], Habit], folder: Path, *, falls: bool) -> Life:
    """Four weeks of the four-week programme; `falls`: in the last one, and is screened again."""
    life, rng = Life(name), random.Random(name)
    wall = Wall()
    gym = Gym(folder, desk=Shelf(), wall=wall, t=1000.0)
    wearer = gym.practice._wearers.current.name
    ledger = _Ledger(folder, gym, wall)
    gym.ask("screening", answers=SAFE)
    ledger.choose(wearer, "four-weeks")
    for week in range(WEEKS):
        gym.t = _at(week, 0)
        life.goals.append(ledger.tell_goal(wearer))
        for day in DAYS:
            gym.t = _at(week, day)
            gym.haptics.update(gym.t)
            gym.do("still", 1.0)
            if falls and week == WEEKS - 1 and day == DAYS[2]:
                gym.ask("screening", answers=SAFE | {"fall_recent": True})
            if gym.ask("start", plan="intervals")[-1].state == "cancelled":
                life.refused = gym.last("refused").detail
                ledger.keep()
                continue
            fall_after = 120.0 if falls and week == WEEKS - 1 and day == DAYS[1] else 1e9
            life.walks.append(_walked(gym, habit(week), rng, fall_after))
            gym.ask("effort", borg_cr10=habit(week).borg)
            ledger.keep()
    gym.t = _at(WEEKS, 0)
    life.goals.append(ledger.tell_goal(wearer))
    life.dossier = ledger.dossier(wearer)
    life.page = report(life.dossier, BELT)
    ledger.close()
    return life


def _at(week: int, day: int) -> float:
    """When a walk begins, s, monotonic: the belt stays on between."""
    return 1000.0 + (7 * week + day) * DAY + 3600.0


def _walked(gym: Gym, habit: Habit, rng: random.Random, fall_after: float) -> Walk:
    """A session to its end: the wearer does what was felt last."""
    gym.do("still", 3.0, hand=True)
    begun = gym.last("start")
    walk, told = Walk(begun.session), len(gym.records)

    def ended() -> bool:
        return any(record.event == "stop" for record in gym.records[told:])

    def over(before: float) -> bool:
        """Whether the session has ended, or something was felt since."""
        return ended() or gym.felt[-1][0] > before

    while not ended():
        felt = (name for _, name in reversed(gym.felt))
        due = next(name for name in felt if name in ("backward", "forward", "rest"))
        speed = habit.speed * rng.uniform(0.9, 1.1)
        before = gym.t
        gym.do(
            {"rest": "still"}.get(due, due), CHUNK_S, step_s=habit.step_s * rng.uniform(0.99, 1.01),
            uneven=habit.uneven, speed=speed if due == "backward" else 1.1,
            until=partial(over, before),
        )  # fmt: skip
        if due == "backward":
            walk.dose_s += gym.t - before
            walk.distance_m += speed * (gym.t - before)
        if walk.dose_s >= fall_after:
            gym.judged("fall", Level.DANGER)
    return walk


class _Ledger:
    """The way of a record from the device's practice to the report."""

    def __init__(self, folder: Path, gym: Gym, wall: Wall) -> None:
        self._folder, self._gym, self._wall = folder, gym, wall
        self._store = Store(folder / "store.sqlite")
        self._own = OwnRecords(BELT, "boot", "1")
        self._walks = Walks(folder / "store.sqlite")
        self._kept = self._runs = 0

    def keep(self) -> None:
        """What was told since, journalled by a run of the device and taken in by the service."""
        self._runs += 1
        clock = Clock()
        clock.t = self._gym.t
        origin = Origin(BELT, f"run{self._runs}", "simulated:programme")
        recorder = Recorder(
            self._folder / "journal", origin, clock, self._wall,
            queue_size=100_000, limit_bytes=1 << 26,
        )  # fmt: skip
        for record in self._gym.records[self._kept :]:
            recorder.put(record)
        self._kept = len(self._gym.records)
        recorder.close(60.0)
        intake = Intake(
            self._folder / "journal", self._store, self._own, lambda _: None, keep_bytes=1 << 26
        )
        while intake.poll(self._moment()):
            pass

    def choose(self, wearer: str, name: str) -> None:
        said = {"wearer": wearer, "name": name}
        made = self._store.work(
            lambda db: note(db, self._own, self._moment(), "programme", "test", said)
        )
        self._store.take([made])
        self.keep()

    def tell_goal(self, wearer: str) -> float:
        """What the history makes of the week, told to the device as asked.py does [min]."""
        self.keep()
        course = self.dossier(wearer).course
        minutes = course.goal.minutes if course else 0.0
        self._gym.ask("goal", name=wearer, minutes=minutes)
        return minutes

    def dossier(self, wearer: str) -> Dossier:
        now = datetime.fromtimestamp(self._moment().wall + 60, UTC).astimezone()
        return gather(self._walks, wearer, now)

    def close(self) -> None:
        self._walks.close()
        self._store.close()

    def _moment(self) -> Moment:
        return Moment(self._gym.t, self._wall.at(self._gym.t)[0])


def judged(life: Life) -> dict[str, Any]:
    """The figures of a life, and whether they are as they must be."""
    assert life.dossier is not None
    kept = {s["session"]: s for s in life.dossier.sessions}
    dose, distance = [], []
    for walk in life.walks:
        totals = kept[walk.session]["totals"]
        dose.append(abs(totals["dose_s"] / walk.dose_s - 1))
        distance.append(abs(totals["distance_m"] / walk.distance_m - 1))
    goals = life.goals
    fell = bool(life.dossier.falls)
    trends = {name: life.dossier.trends[name].clear for name in ("speed_m_s", "step_time_cv")}
    as_expected = (
        goals[-1] == 0 and "fall" in life.refused and trends["step_time_cv"] == 1
        and all(b <= a for a, b in pairwise(goals[1:]))
        if fell
        else goals == sorted(goals) and goals[-1] == 15 and trends["speed_m_s"] == 1
    )  # fmt: skip
    return {
        "walks": len(life.walks),
        "dose_error": max(dose),
        "distance_error": max(distance),
        "goals_min": goals,
        "trends": trends,
        "refused": life.refused,
        "holds": as_expected and max(dose) <= DOSE_WITHIN and max(distance) <= DISTANCE_WITHIN,
    }
