"""The simulated world behind `./dev bench obstacles`: its physics, and what counts in it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from obstacle_world import approaches, echoes, faults, quiet, scores, unseen, walks, wearers
from obstacle_world.echoes import Poses, Reflector

from device.alerts import Level
from tests.conftest import ROOT


def poses(n=1, height=1.0, azimuth=0.0, elevation=0.0):
    """Standing at the origin, looking along x."""
    fill = np.zeros(n)
    return Poses(
        np.arange(n) * echoes.PERIOD, fill, fill, fill + height, fill + azimuth, fill + elevation
    )


def post(r, off=0.0, radius=0.0445):
    """A round post whose near side is at r, so far off the axis [degrees]."""
    at = (r + radius) * np.array([np.cos(np.radians(off)), np.sin(np.radians(off))])
    return Reflector(at, at, radius=radius)


def wall(r, oblique=0.0, **rest):
    along = 3.0 * np.array([-np.sin(np.radians(oblique)), np.cos(np.radians(oblique))])
    return Reflector(np.array([r, 0]) - along, np.array([r, 0]) + along, **rest)


def test_the_next_door_frame_nears_as_soon_as_the_last_is_passed():
    """The wearer walks at 0.7 m/s along a wall whose frames stand out every 2 m."""
    t = np.arange(200) * echoes.PERIOD
    still = np.zeros(t.size)
    walking = Poses(t, -0.7 * t, still, still + 1.0, still + np.pi, still)
    at = np.stack([2.0 * np.floor(walking.x / 2.0), still + 0.6], axis=1)
    frame = Reflector(at, at, radius=0.05)
    assert quiet._nears(frame, walking)[1:].all()


class TestEchoes:
    def test_a_post_of_89_mm_is_heard_where_parallax_measured_it(self):
        """28015 v2.0: lost by 2.29 m on the axis; 20 degrees to either side at 1.66 m."""
        assert not echoes.possible(post(2.35), poses())
        assert echoes.possible(post(2.25), poses())
        assert echoes.possible(post(1.66, off=18), poses())
        assert not echoes.possible(post(1.66, off=22), poses())

    def test_a_wall_is_heard_to_the_datasheets_four_metres(self):
        assert echoes.possible(wall(3.99), poses())
        assert not echoes.possible(wall(4.01), poses())

    @pytest.mark.parametrize("oblique", [0.0, 10.0, 20.0])
    def test_a_wall_mirrors_at_the_foot_of_the_perpendicular(self, oblique):
        r, _ = echoes.excess(wall(2.0, oblique), poses())
        assert r[0] == pytest.approx(2.0 * np.cos(np.radians(oblique)))

    def test_the_more_oblique_a_wall_the_weaker_its_echo(self):
        over = [echoes.excess(wall(2.0, a), poses())[1][0] for a in (0, 10, 20, 30)]
        assert over == sorted(over, reverse=True)
        assert not echoes.possible(wall(2.0, 50.0), poses())

    def test_what_ends_below_the_beam_answers_with_its_edge_alone(self):
        _, whole = echoes.excess(wall(1.0, low=0.1, high=1.5), poses())
        r, below = echoes.excess(wall(1.0, low=0.1, high=0.7), poses())
        assert below < whole - echoes.EDGE
        assert r[0] == pytest.approx(np.hypot(1.0, 0.3))

    def test_nothing_is_heard_from_behind_the_sensor(self):
        assert np.isneginf(echoes.excess(wall(1.0), poses(azimuth=np.pi))[1][0])

    def test_of_two_targets_the_nearer_is_told(self):
        rng = np.random.default_rng(1)
        kind = echoes.Air(0, 0, 0, 0)
        _, distance, echo, whose = echoes.ping(rng, poses(50), [wall(3.0), wall(1.0)], kind)
        assert (echo == echoes.DISTANCE).all()
        assert (whose == 1).all()
        assert np.abs(distance - 1.0).max() < 5 * echoes.NOISE

    def test_cloth_loses_half_its_pings(self):
        rng = np.random.default_rng(1)
        kind = echoes.Air(0, 0, 0, 0)
        _, _, echo, _ = echoes.ping(rng, poses(4000), [wall(1.0, missed=0.5)], kind)
        assert np.mean(echo == echoes.DISTANCE) == pytest.approx(0.5, abs=0.03)

    def test_an_echo_that_comes_after_the_next_ping_is_taken_for_that_ones(self):
        rng = np.random.default_rng(1)
        kind = echoes.Air(0, 0, 0, 0)
        far = echoes.PERIOD * echoes.SOUND / 2 + 1.5
        _, distance, echo, whose = echoes.ping(rng, poses(50), [wall(far, loss=-40.0)], kind)
        assert echo[0] == echoes.NOTHING
        assert np.abs(distance[1:] - 1.5).max() < 5 * echoes.NOISE
        assert (whose == -1).all(), "a wall there is none of"

    def test_leaning_back_brings_the_floor_nearer(self):
        rng = np.random.default_rng(1)
        rough = echoes.Air(0, 0, 1.0, 0)
        level = echoes.ping(rng, poses(400), [], rough)[1]
        back = echoes.ping(rng, poses(400, elevation=-np.radians(10)), [], rough)[1]
        assert np.nanmedian(level) == pytest.approx(3.9, abs=0.1)  # hardware.md, 15 degrees
        assert np.nanmedian(back) == pytest.approx(2.4, abs=0.1)

    def test_what_the_map_calls_unseen_has_no_echo_and_a_wall_has(self):
        spans = unseen.spans()
        assert spans["wall, box, parapet"][unseen.HEIGHTS.index(1.8)][0] == pytest.approx(
            4.0, abs=0.03
        )
        assert spans["wall, box, parapet"][unseen.HEIGHTS.index(0.2)] is None


@pytest.mark.parametrize("document", ["hardware.md", "SAFETY.md"])
def test_the_map_of_the_unseen_stands_in_the_documents(document):
    printed = (ROOT / document).read_text().replace("**", "")
    for line in unseen.markdown().replace("**", "").splitlines():
        assert line in printed, f"{document}: run ./dev bench obstacles --map again"


class TestWalks:
    def test_backward_walks_are_felt_as_such_by_the_core(self):
        right = []
        for seed in range(12):
            rng = np.random.default_rng(seed)
            speed = -rng.uniform(0.3, 1.0)
            walk = walks.walk(rng, walks.belt(rng), walks.setting_off(15, 2.5, speed))
            out, _ = approaches.Core(walks.FS).run(walk.t, walk.acc, walk.gyro)
            right.append(np.mean(out["direction"][walk.t > 6] == -1))
        assert np.mean(right) > 0.8

    def test_the_belt_comes_as_far_as_its_speed_says(self):
        rng = np.random.default_rng(3)
        walk = walks.walk(rng, walks.belt(rng), walks.setting_off(12, 2.0, -0.5))
        assert walk.x[-1] == pytest.approx(-0.5 * (10 - walks.STARTING / 2), abs=0.08)


class TestWhatCounts:
    def test_a_wearer_needs_onset_reaction_and_stopping(self):
        slow, quick = wearers.Wearer(0.73, 0.8), wearers.Wearer(0.25, 0.4)
        assert slow.needs == pytest.approx(0.05 + 0.73 + 0.8)
        assert slow.in_time == pytest.approx(slow.needs + 0.5)
        assert quick.in_time == 2.0

    def test_who_is_cued_too_late_does_not_stop(self):
        rng = np.random.default_rng(1)
        person = wearers.Wearer(0.5, 0.5)
        assert not any(wearers.stops(person, [1.0], 2.0, rng) for _ in range(50))
        stopped = [wearers.stops(person, [0.9], 2.0, rng) for _ in range(2000)]
        assert np.mean(stopped) == pytest.approx(1 - wearers.MISSED, abs=0.015)

    def test_caution_alone_stops_nobody(self):
        assert wearers.felt([(1.0, Level.CAUTION)], 9.0) == []
        assert wearers.felt([(1.0, Level.CAUTION), (2.0, Level.STOP)], 2.5) == [2.0]

    def test_no_tracker_is_better_than_one_that_knows_the_truth(self):
        """But for luck with missed cues, and with a false cue before there was anything to hear."""
        found = [approaches.approach(s, kind) for kind in approaches.KINDS for s in range(14)]
        honest = [a for a in found if a.warnable and not a.warned > a.entered]
        assert len(honest) > 50
        assert sum(a.best for a in honest) + 2 >= sum(a.stopped for a in honest)
        assert all(a.entered > 0 for a in honest)

    def test_the_same_seed_gives_the_same_approach(self):
        assert approaches.approach(5, "person") == approaches.approach(5, "person")

    def test_a_wall_met_slowly_is_warnable_and_a_box_on_the_floor_is_not(self):
        walls = [approaches.approach(seed, "wall") for seed in range(10)]
        boxes = [approaches.approach(seed, "low box") for seed in range(10)]
        assert all(a.warnable for a in walls)
        assert sum(a.warnable for a in boxes) <= 2

    def test_scenes_without_danger_hold_five_minutes_each(self):
        found = quiet.quiet(1, "open space")
        assert found.seconds == 300
        assert set(found.cues) <= {"obstacle", "unsteady", "posture", "pace", "rear_blind"}

    def test_the_table_has_every_key_and_counts(self):
        walked = [approaches.approach(s, k) for k in ("wall", "cloth") for s in range(6)]
        rested = [quiet.Quiet("open space", 1, 1800.0, {"obstacle": 5, "rear_blind": 1}, 3)]
        broken = [faults.Fault("stuck", s, 0.3, False) for s in range(4)]
        found = scores.figures(walked, rested, broken)
        assert set(scores.GOALS) <= set(found)
        assert found["unjustified_per_30min"].value == 3.0
        assert found["with_what_is_passed_per_30min"].value == 6.0
        assert found["false_blind_per_30min"].value == 1.0
        assert found["blind_electrical_p99_s"].value == 0.3
        assert found["warned_in_time_hard"].n == 6
        assert scores.reached("unjustified_per_30min", found["unjustified_per_30min"]).endswith(
            "NOT REACHED"
        )


def test_the_bench_runs_and_writes_its_keys(tmp_path):
    out = tmp_path / "figures.json"
    bench = [sys.executable, ROOT / "bench/obstacles.py", "--quick"]
    told = [*bench, "--json", out, "--report", tmp_path]
    subprocess.run(told, check=True, capture_output=True)
    written = json.loads(out.read_text())
    assert set(scores.GOALS) <= set(written)
    assert 0.5 < written["could_stop_hard"] <= 1.0
    assert len(list(tmp_path.glob("*.png"))) == 3
