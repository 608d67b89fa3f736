"""The 3-metre backward walk test: its time against the truth, and each way it can go wrong."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any

import pytest

from device.cut_offs import words
from device.frames import Echo, Frame
from device.sources.targets import wall
from device.sources.wearer import Act
from device.sources.world import World
from device.stride import Stride
from device.walk_test import WalkTest
from tests.device.walker import Trial, Walker

ERROR_S = 0.10  # of a time, against what a referee's watch would have shown
OFF_M = 6.0  # from the wall, as the belt advises


def taught(folder: Path, speed: float, seed: int) -> Trial:
    """A first walk, to a wall within reach: too near for a time, but steps are learnt on it."""
    first = Trial(folder, speed, 3.8, seed)
    record = first.walk()
    assert record.state == "cancelled", record
    assert "your steps are learnt" in record.detail
    assert "stand 6 m from it" in record.detail
    return first


@pytest.mark.parametrize("seed", range(20))
def test_the_time_is_true_whoever_walks(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    speed = random.uniform(0.4, 1.2)
    first = taught(tmp_path, speed * random.uniform(0.97, 1.03), 10 * seed)
    timed = Trial(tmp_path, speed, OFF_M, 10 * seed + 1, first.walker)
    record = timed.walk()
    assert record.state == "confirmed", record
    assert record.event == "walk_test"
    assert record.measurements["time_s"] == pytest.approx(timed.truth, abs=ERROR_S)
    assert record.measurements["distance_m"] == 3.0
    assert record.measurements["trial"] == 1.0
    assert 0.0 < record.measurements["uncertain_s"] < 0.25
    assert 0.0 < record.measurements["on_wall_m"] < 3.0
    assert "learnt on a wall, the rest on the wall" in record.detail


def test_where_the_sensor_reaches_far_enough_the_wall_alone_decides() -> None:
    """As with an MB1242, which sees 7 m: 6 m from the wall, 0.6 m/s, off after 0.4 s."""
    begun: list[float] = []
    walk = WalkTest(0.0, Stride(), math.nan, Random(1), lambda _, now: begun.append(now) or now)
    trial, t, step = None, 0.0, 0
    while trial is None and t < 60.0:
        t += 0.01
        going = max(0.0, t - begun[0] - 0.4) if begun else 0.0
        shake = 2.0 * math.sin(11.4 * t) if going else 0.0
        frame = Frame(t=t, ax=0.0, ay=0.0, az=9.81 + shake, direction=-1 if going > 1.0 else 0)
        if going // 0.55 > step:
            step += 1
            frame.step, frame.step_time = 1, t
        if round(t * 100) % 6 == 0:
            frame.ping_t, frame.ping_echo = t, Echo.DISTANCE
            frame.ping_range = 6.0 - 0.6 * going
        trial = walk.step(t, [frame], False)
    assert trial is not None
    assert trial.time_s == pytest.approx(5.4, abs=0.02)
    assert (trial.distance_m, trial.how) == (3.0, "on the wall all the way")
    assert len(begun) == 2, "the finish is felt as well"


def test_without_learnt_steps_a_wall_out_of_reach_is_refused(tmp_path: Path) -> None:
    record = Trial(tmp_path, 0.6, 8.0, 1).walk()
    assert record.state == "cancelled"
    assert "steps were not learnt yet: stand 3 to 4 m from a wall" in record.detail


def test_too_near_a_wall_is_refused(tmp_path: Path) -> None:
    record = Trial(tmp_path, 0.6, 1.5, 1).walk()
    assert record.state == "cancelled"
    assert "the wall is 1.5 m behind: stand 3 to 4 m from it" in record.detail


def test_where_no_wall_comes_there_is_a_buzz_to_stop_and_no_time(tmp_path: Path) -> None:
    first = taught(tmp_path, 0.6, 210)
    afar = Trial(tmp_path, 0.6, 12.0, 211, first.walker)
    record = afar.walk()
    assert record.state == "cancelled"
    assert "time_s" not in record.measurements
    assert record.detail.startswith("no wall came within reach in time: stand 6 m from one")
    assert 2.5 < afar.start - afar.walker.bench.world.wearer.x < 4.5, "stopped where 3 m may be"


def test_a_wall_that_is_lost_on_the_way_has_taught_the_steps(tmp_path: Path) -> None:
    timed = Trial(tmp_path, 0.4, 3.9, 3)
    body, scene = timed.walker.bench.world.wearer, timed.walker.bench.world.scene
    step = timed.walker.practice.step

    def past_the_wall(now: float, frames: Any, guard: Any) -> Any:
        if body.x < timed.start - 1.7:
            scene.targets = []
        return step(now, frames, guard)

    timed.walker.practice.step = past_the_wall  # type: ignore[method-assign]
    record = timed.walk()
    said = record.measurements
    assert record.state == "confirmed", record
    assert said["on_wall_m"] == pytest.approx(1.7, abs=0.1)
    assert said["time_s"] == pytest.approx(timed.truth, abs=0.15)
    assert "1.7 m on the wall, the rest by steps calibrated on it" in record.detail


def test_nobody_who_stands_still_is_timed(tmp_path: Path) -> None:
    trial = Trial(tmp_path, 0.6, 3.8, 2)

    def stay(world: World) -> Act:
        world.scene.targets = [wall(world.wearer.x - 3.8)]
        while True:
            yield from world.wearer.stand(60.0)

    trial.walker = Walker(tmp_path, stay, 2)
    record = trial.walk()
    assert record.state == "cancelled"
    assert "nobody walked" in record.detail


def test_three_trials_are_a_test_and_say_how_well_they_repeat(tmp_path: Path) -> None:
    walker = taught(tmp_path, 0.6, 7).walker
    trials, times = walker.practice._trials, []
    for number in range(3):
        timed = Trial(tmp_path, 0.6, OFF_M, 70 + number, walker)
        timed.walker.practice._trials._times = trials._times
        timed.walker.practice._trials._of = trials._of
        record = timed.walk()
        trials = timed.walker.practice._trials
        times.append(record.measurements["time_s"])
        assert record.measurements["trial"] == number + 1
    mean = sum(times) / 3
    assert record.measurements["mean_s"] == pytest.approx(mean, abs=0.002)
    spread = math.sqrt(sum((t - mean) ** 2 for t in times) / 2)
    assert record.measurements["sd_s"] == pytest.approx(spread, abs=0.002)
    assert "three trials:" in record.detail


def test_it_can_be_broken_off_and_nothing_else_begins_beside_it(tmp_path: Path) -> None:
    trial = Trial(tmp_path, 0.6, 3.8, 1)
    trial.walker.run(3.0)
    trial.walker.ask("walk_test")
    assert "the walk test is under way" in trial.walker.ask("start").detail
    assert trial.walker.ask("stop").state == "confirmed"
    assert trial.walker.records[-1].detail == "broken off"


@pytest.mark.parametrize(
    ("time", "off", "carter", "other"),
    [
        (2.9, 0.0, "2.90 s; Carter below 3.0 s: low risk", "not above 5.5 s"),
        (3.0, 0.0, "between 3.0 and 4.5 s: neither", "not above 5.5 s"),
        (4.6, 0.05, "4.60 s; Carter above 4.5 s: high risk", "not above 5.5 s"),
        (5.6, 0.0, "above 4.5 s: high risk", "above 5.5 s"),
        (4.6, 0.3, "about 4.6 s (4.3 to 4.9); Carter too near 4.5 s to tell", "not above 5.5 s"),
        (5.6, 0.3, "above 4.5 s: high risk", "too near 5.5 s to tell"),
        (3.8, 0.9, "too near 3.0 and 4.5 s to tell", "not above 5.5 s"),
    ],
)
def test_both_cut_offs_are_said_and_on_which_side_it_is(
    time: float, off: float, carter: str, other: str
) -> None:
    said = words(time, off)
    assert carter in said
    assert f"n = 483 (area under the curve 0.655): {other}" in said
    assert said.endswith("a screening figure, no diagnosis")
