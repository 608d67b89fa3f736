"""What is behind: warned in time, never by a lone spike, never blind without saying so."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from device.alerts import Level
from device.core import PING, Core
from device.frames import Echo
from tests.core.tracker_harness import Tracker

STILL, FORWARD, BACKWARD, OTHER, UNKNOWN = 0, 1, -1, 2, 9
PERIOD = 0.06  # s
REACH = 0.35  # m, body_reach's default


@pytest.fixture(scope="module")
def track(tmp_path_factory):
    return Tracker(tmp_path_factory.mktemp("tracker"))


def times(end, period=PERIOD, start=0.03):
    return np.arange(start, end, period)


def echoes(t, distance):
    """Clean echoes at `distance` [m], a number or one a time."""
    return [
        (a, d, Echo.DISTANCE) for a, d in zip(t, np.broadcast_to(distance, len(t)), strict=True)
    ]


def said(t, echo):
    """Pings without a distance."""
    return [(a, math.nan, echo) for a in t]


def first(found, t):
    """The time of the first true, infinity when there is none."""
    return t[np.argmax(found)] if found.any() else math.inf


class TestApproach:
    @settings(max_examples=60, deadline=None)
    @given(
        speed=st.floats(0.2, 1.2),
        period=st.floats(0.05, 0.12),
        fs=st.sampled_from([20.0, 50.0, 100.0, 200.0, 400.0]),
        body=st.sampled_from([STILL, FORWARD, BACKWARD, OTHER, UNKNOWN]),
        legs=st.booleans(),
    )
    def test_is_warned_with_the_time_this_wearer_needs(self, track, speed, period, fs, body, legs):
        t = times((4.0 - REACH) / speed, period)
        seen = track(
            echoes(t, 4.0 - speed * t),
            t[-1],
            fs=fs,
            direction=body,
            speed=-speed if legs and body == BACKWARD else np.nan,
        )
        warned = first(seen.obstacle >= Level.WARNING, seen.t)
        left = (4.0 - REACH) / speed - warned
        assert left >= 2.0
        assert left <= 2.0 + 0.6  # and no earlier than its margin and a long ping

    @pytest.mark.parametrize(("body", "fastest"), [(BACKWARD, 1.15), (UNKNOWN, 0.97)])
    @settings(max_examples=30, deadline=None)
    @given(reaction=st.floats(0.2, 1.0), stopping=st.floats(0.2, 1.2), share=st.floats(0.0, 1.0))
    @example(reaction=1.0, stopping=1.2, share=1.0)
    def test_a_slower_wearer_is_warned_earlier(
        self, track, body, fastest, reaction, stopping, share
    ):
        """Faster, the slowest who can be told has up to 0.05 s too few: what may be the floor, on
        from 3.6 m, must first come 0.4 m nearer, or 1 m while the direction is unknown."""
        speed = 0.2 + share * (fastest - 0.2)
        t = times((4.0 - REACH) / speed)
        seen = track(
            echoes(t, 4.0 - speed * t), t[-1], reaction=reaction, stopping=stopping,
            direction=body, speed=-speed if body == BACKWARD else np.nan,
        )  # fmt: skip
        left = (4.0 - REACH) / speed - first(seen.obstacle >= Level.WARNING, seen.t)
        assert left >= max(2.0, reaction + stopping + 0.5)

    @settings(max_examples=30, deadline=None)
    @given(speed=st.floats(0.2, 1.0), body=st.sampled_from([BACKWARD, UNKNOWN]))
    def test_caution_comes_before_warning_before_stop(self, track, speed, body):
        t = times((4.0 - REACH) / speed)
        seen = track(echoes(t, 4.0 - speed * t), t[-1], direction=body)
        asked = seen.obstacle[seen.obstacle > 0]
        assert asked[0] == Level.CAUTION
        assert np.all(np.diff(asked) >= 0)
        assert asked[-1] == Level.STOP

    def test_who_nears_is_the_target_though_something_that_stays_is_nearer(self, track):
        """A wall walked along at 0.9 m is heard every other time."""
        t = times(2.4)
        far = 2.8 - 0.7 * t
        mixed = np.where(np.arange(len(t)) % 2, 0.9, far)
        seen = track(echoes(t, mixed), 2.4, direction=BACKWARD, speed=-0.7)
        k = np.argmax(seen.obstacle >= Level.WARNING)
        assert seen.distance[k] == pytest.approx(2.8 - 0.7 * seen.t[k], abs=0.05)

    def test_distance_closing_and_time_left_are_those_of_the_target(self, track):
        t = times(6)
        seen = track(echoes(t, 4.0 - 0.5 * t), 6, direction=BACKWARD, speed=-0.5)
        late = seen.t > 2
        true = 4.0 - 0.5 * seen.t
        assert np.abs(seen.distance - true)[late].max() < 0.01
        assert np.abs(seen.closing - 0.5)[late].max() < 0.02
        assert np.abs(seen.ttc - (true - REACH) / 0.5)[late].max() < 0.3

    @settings(max_examples=20, deadline=None)
    @given(seed=st.integers(0, 999), speed=st.floats(0.2, 0.8))
    def test_cloth_that_loses_half_its_echoes_is_warned_of(self, track, seed, speed):
        rng = np.random.default_rng(seed)
        t = times((4.0 - REACH) / speed)
        d = 4.0 - speed * t + 0.01 * rng.normal(size=len(t))
        lost = rng.random(len(t)) < 0.5
        pings = sorted(echoes(t[~lost], d[~lost]) + said(t[lost], Echo.NOTHING_IN_RANGE))
        seen = track(pings, t[-1], direction=BACKWARD, speed=-speed)
        left = (4.0 - REACH) / speed - first(seen.obstacle >= Level.WARNING, seen.t)
        assert left >= 1.5  # half a second less than clean: nobody made these echoes easy

    def test_who_steps_in_is_told_at_the_second_echo(self, track):
        t = times(6)
        open_space, there = t[t < 3], t[t >= 3]
        person = echoes(there, np.maximum(1.5 - 0.7 * (there - there[0]), 0.1))
        pings = said(open_space, Echo.NOTHING_IN_RANGE) + person
        seen = track(pings, 4.5, direction=BACKWARD, speed=-0.7)
        assert 0 <= first(seen.obstacle >= Level.WARNING, seen.t) - there[1] <= 0.02

    def test_who_steps_in_before_a_wall_that_is_heard_in_between(self, track):
        """Every other echo is the wall's: what is known does not hide what comes."""
        t = times(6)
        wall = 3.9 - 0.3 * t
        person = np.where(t > 3, 1.2 - 0.6 * (t - 3), np.inf)
        mixed = np.where(np.arange(len(t)) % 2, wall, np.minimum(wall, person))
        seen = track(echoes(t, mixed), 4.5, direction=BACKWARD, speed=-0.5)
        assert first(seen.obstacle >= Level.WARNING, seen.t) <= 3.0 + 4 * PERIOD + 0.02

    @pytest.mark.parametrize("second", [1.97, 1.87])
    def test_who_hurries_in_from_the_side_is_told_at_the_second_echo(self, track, second):
        """Sideways too, or slowly, as noise may have it: nearer by 0.06 to 0.16 m in 0.11 s."""
        pings = [(3.0, 2.03, Echo.DISTANCE), (3.11, second, Echo.DISTANCE)]
        before = said(times(2.99), Echo.NOTHING_IN_RANGE)
        seen = track(before + pings, 3.3, direction=BACKWARD, speed=-0.78)
        assert 0 <= first(seen.obstacle >= Level.WARNING, seen.t) - 3.11 <= 0.02

    @pytest.mark.parametrize(("between", "first_at", "second_at"), [
        ([(3.0, 1.27)], (3.22, 1.24), (3.27, 1.19)),  # another's echo, and the first seems its next
        ([(3.05, 2.11)], (3.0, 2.0), (3.1, 1.91)),  # what stands behind, heard after the first
        ([], (3.0, 0.52), (3.045, 0.48)),  # so near that nobody stops any more
    ])  # fmt: skip
    def test_two_echoes_of_one_target_are_told_of(self, track, between, first_at, second_at):
        heard = [*between, first_at, second_at]
        pings = said(times(2.9), Echo.NOTHING_IN_RANGE)
        pings += [(t, d, Echo.DISTANCE) for t, d in sorted(heard)]
        seen = track(pings, 3.5, direction=BACKWARD, speed=-0.8)
        assert 0 <= first(seen.obstacle >= Level.WARNING, seen.t) - second_at[0] <= 0.02

    @pytest.mark.parametrize("floor", [False, True])
    def test_two_echoes_that_begin_where_a_floor_may_answer(self, track, floor):
        """Leaning back by 10° it may from 2.1 m on; heard there a second ago it makes the first."""
        t = times(7.9)
        rng = np.random.default_rng(6)
        heard = (rng.random(len(t)) < 0.4) & floor & (t > 1) & (t < 7)
        d = 2.18 + np.abs(rng.normal(0, 0.05, len(t)))
        pings = echoes(t[heard], d[heard]) + said(t[~heard], Echo.NOTHING_IN_RANGE)
        pings += [(8.0, 2.2, Echo.DISTANCE), (8.2, 2.03, Echo.DISTANCE)]
        lean = -np.deg2rad(10)
        seen = track(sorted(pings), 8.4, direction=BACKWARD, speed=-0.8, lean=lean)
        assert (seen.obstacle[seen.t > 7.9] >= Level.WARNING).any() != floor

    @pytest.mark.parametrize(
        ("apart", "second", "told"),
        [
            (0.6, 1.92, True),
            (0.6, 2.0, True),
            (0.6, 2.1, False),
            (0.6, 1.6, False),
            (0.9, 1.68, False),
        ],
    )
    def test_two_echoes_far_apart_agree_where_the_legs_foretell(self, track, apart, second, told):
        """All between is lost; 0.8 m/s backward leads from 2.4 to 1.92 m in 0.6 s."""
        lost = [a for a in times(3 + apart) if abs(a - 3.0) > 0.05]
        pings = [(3.0, 2.4, Echo.DISTANCE), (3.0 + apart, second, Echo.DISTANCE)]
        pings = sorted(pings + said(lost, Echo.NOTHING_IN_RANGE))
        seen = track(pings, 3.2 + apart, direction=BACKWARD, speed=-0.8)
        after = first(seen.obstacle >= Level.WARNING, seen.t) - 3.0 - apart
        assert 0 <= after <= 0.02 if told else np.isinf(after)

    def test_who_sets_off_is_taken_to_get_faster(self, track):
        """From standing 1 m before it to 0.3 m/s: the legs say only late that they go."""
        fs, off = 100.0, 3.0
        at = np.arange(0, 8, 1 / fs)
        way = np.cumsum(0.3 * np.clip((at - off) / 0.9, 0, 1)) / fs
        t = times(8)
        d = 1.15 - np.interp(t, at, way)
        contact = at[np.argmax(1.15 - way <= REACH)]
        legs = np.where(at < off + 0.6, STILL, UNKNOWN)
        seen = track(echoes(t, d), 8, fs=fs, direction=legs)
        assert contact - first(seen.obstacle >= Level.WARNING, seen.t) >= 2.0
        steady = track(echoes(t, d), 8, fs=fs, direction=UNKNOWN)
        late = contact - first(steady.obstacle >= Level.WARNING, steady.t)
        assert late < contact - first(seen.obstacle >= Level.WARNING, seen.t)

    @pytest.mark.parametrize(("legs", "turn", "nearer", "told"), [
        (BACKWARD, 0.0, 0.015, True), (BACKWARD, 0.25, 0.015, False),
        (BACKWARD, -0.25, 0.015, False), (BACKWARD, 0.25, 0.04, True),
        (BACKWARD, 0.13, 0.015, True), (UNKNOWN, 0.13, 0.015, False), (UNKNOWN, 0.0, 0.03, True),
    ])  # fmt: skip
    def test_two_echoes_of_what_a_turn_sweeps_over_must_near_for_sure(
        self, track, legs, turn, nearer, told
    ):
        """The two nearest that a wall is to a turning beam differ by noise and a centimetre."""
        pings = said(times(4.98), Echo.NOTHING_IN_RANGE)
        pings += [(5.0, 1.2, Echo.DISTANCE), (5.045, 1.2 - nearer, Echo.DISTANCE)]
        seen = track(pings, 5.2, direction=legs, speed=-0.5, turn=turn)
        assert (seen.obstacle[seen.t > 5.0] >= Level.WARNING).any() == told

    def test_who_follows_is_not_taken_to_get_faster(self, track):
        """A companion who sways by 0.09 m/s behind a wearer who sets off, 0.9 m before."""
        t = times(6)
        legs = np.where(np.arange(420) < 300, STILL, UNKNOWN)
        seen = track(echoes(t, 0.95 - 0.09 * np.maximum(t - 2.5, 0)), 4.2, direction=legs)
        assert np.nanmax(seen.closing) == pytest.approx(0.09, abs=0.02)
        assert not seen.obstacle.any()

    def test_a_known_wall_never_begins_with_a_stop(self, track):
        """Standing within reach of a wall, then backing into it."""
        t = times(4)
        d = np.minimum(0.75, 0.75 - 0.4 * (t - 3))
        fs = 100
        moving = np.arange(0, 4, 1 / fs) >= 3
        seen = track(
            echoes(t, d),
            4,
            fs=fs,
            direction=np.where(moving, BACKWARD, STILL),
            speed=np.where(moving, -0.4, 0),
        )
        asked = seen.obstacle[seen.obstacle > 0]
        assert asked[0] < Level.STOP
        assert asked[-1] == Level.STOP

    def test_the_imu_in_a_gap_leaves_the_echoes_believed(self, track):
        t = times((4.0 - REACH) / 0.8)
        seen = track(echoes(t, 4.0 - 0.8 * t), t[-1], direction=STILL, speed=0.0, gap=1)
        left = (4.0 - REACH) / 0.8 - first(seen.obstacle >= Level.WARNING, seen.t)
        assert left >= 2.0

    @pytest.mark.parametrize(("left", "told"), [(3.8, Level.NONE), (2.6, Level.WARNING)])
    def test_what_is_foretold_may_bring_a_warning_but_no_caution(self, track, left, told):
        """Last heard when `left` seconds were left: a caution comes at 3.6, a warning at 2.4."""
        t = times(10 - left)
        seen = track(echoes(t, REACH + 0.6 * (10 - t)), 10, direction=BACKWARD, speed=-0.6)
        assert seen.obstacle[seen.t > t[-1] + 0.02].max() == told

    def test_a_target_that_has_left_is_soon_forgotten(self, track):
        t = times(5)
        there = t < 4
        pings = echoes(t[there], 3.0 - 0.5 * t[there]) + said(t[~there], Echo.NOTHING_IN_RANGE)
        seen = track(pings, 5, direction=BACKWARD, speed=-0.5)
        assert seen.obstacle[seen.t < 4].max() >= Level.WARNING
        assert not seen.obstacle[seen.t > 4.6].any()
        assert np.isnan(seen.distance[seen.t > 4.6]).all()


class TestQuiet:
    @settings(max_examples=80, deadline=None)
    @given(
        at=st.integers(5, 90),
        spike=st.floats(0.02, 4.0),
        behind=st.one_of(st.none(), st.floats(1.5, 4.0)),
        body=st.sampled_from([STILL, FORWARD, BACKWARD, OTHER, UNKNOWN]),
        speed=st.floats(0.2, 1.2),
    )
    def test_a_lone_spike_asks_for_nothing(self, track, at, spike, behind, body, speed):
        t = times(6)
        pings = said(t, Echo.NOTHING_IN_RANGE) if behind is None else echoes(t, behind)
        pings[at] = (t[at], spike, Echo.DISTANCE)
        legs = {STILL: 0.0, FORWARD: speed, BACKWARD: -speed}.get(body, np.nan)
        seen = track(pings, 6, direction=body, speed=legs)
        if behind is None:
            assert not seen.obstacle.any()
        else:  # a wall alongside that suddenly is there may be told at first sight
            assert not seen.obstacle[seen.t > t[at] - 0.01].any()

    @settings(max_examples=40, deadline=None)
    @given(
        wall=st.floats(0.4, 4.0),
        sway=st.floats(0, 0.03),
        beat=st.floats(0.2, 1.0),
        seed=st.integers(0, 99),
    )
    def test_standing_before_a_wall(self, track, wall, sway, beat, seed):
        t = times(60)
        noise = 0.01 * np.random.default_rng(seed).normal(size=len(t))
        seen = track(
            echoes(t, wall + sway * np.sin(2 * np.pi * beat * t) + noise),
            60,
            direction=STILL,
            speed=0.0,
        )
        assert not seen.obstacle.any()

    def test_walking_forward_away_from_a_wall(self, track):
        t = times(5)
        seen = track(echoes(t, 0.5 + 0.6 * t), 5, direction=FORWARD, speed=0.6)
        assert not seen.obstacle.any()
        assert np.isinf(seen.ttc[seen.t > 1]).all()

    def test_what_is_foretold_proves_nothing(self, track):
        """Four echoes come nearer by 0.36 m, then silence: the rest was never heard."""
        t = times(5)
        pings = said(t, Echo.NOTHING_IN_RANGE)
        pings[40:44] = echoes(t[40:44], 3.0 - 0.12 * np.arange(4))
        seen = track(pings, 5, direction=FORWARD, speed=0.6)
        assert np.nanmin(seen.distance) < 2.4  # it is foretold for a while
        assert not seen.obstacle.any()

    @pytest.mark.parametrize("wall", [0.7, 1.0, 1.4])
    def test_sitting_down_before_a_wall(self, track, wall):
        """A quarter of a metre back in a second, bent forward, no step."""
        fs = 100.0
        at = np.arange(0, 8, 1 / fs)
        down = np.clip(at - 3, 0, 1)
        lean = 0.5 * np.sin(np.pi * np.clip((at - 2.8) / 1.4, 0, 1))
        t = times(8)
        d = wall - 0.25 * np.interp(t, at, down)
        body = np.where((down > 0) & (down < 1), UNKNOWN, STILL)
        seen = track(echoes(t, d), 8, fs=fs, direction=body, lean=lean)
        assert not seen.obstacle.any()

    def test_a_rough_floor_that_a_slipped_belt_sees_nearer_than_it_should(self, track):
        """Three echoes in ten, two metres before where the floor ought to begin."""
        rng = np.random.default_rng(5)
        t = times(300)
        heard = rng.random(len(t)) < 0.3
        d = 3.3 + 0.1 * rng.normal(size=len(t))
        pings = sorted(echoes(t[heard], d[heard]) + said(t[~heard], Echo.NOTHING_IN_RANGE))
        seen = track(pings, 300, direction=BACKWARD, speed=-0.6, ranger_pitch=np.radians(5))
        onsets = np.flatnonzero((seen.obstacle[1:] > 0) & (seen.obstacle[:-1] == 0))
        assert len(onsets) <= 3  # until it is learnt

    def test_a_follower_who_closes_in_is_told_all_the_same(self, track):
        t = times(5)
        seen = track(echoes(t, 3.8 - 0.7 * t), 5, direction=FORWARD, speed=0.6)
        assert first(seen.obstacle >= Level.WARNING, seen.t) < (3.8 - REACH) / 0.7 - 2.0

    def test_the_floor_that_a_leaning_trunk_brings_nearer(self, track):
        """Leaning back by 12° in 1.5 s brings the floor from 3.9 to 2.2 m at more than 1 m/s."""
        fs = 100.0
        lean = -np.deg2rad(12) * np.clip((np.arange(0, 12, 1 / fs) - 3) / 1.5, 0, 1)
        t = times(12)
        at = np.interp(t, np.arange(0, 12, 1 / fs), lean)
        floor = 1.0 / np.sin(0.26 - at)
        seen = track(echoes(t, floor), 12, fs=fs, direction=BACKWARD, speed=-0.6, lean=lean)
        assert not seen.obstacle[seen.t > 1.0].any()  # in the first second it could be a wall

    @staticmethod
    def leaning_into_a_walk(fs=100.0):
        """Lean [rad], the legs' word and speed [m/s] of who stands 6 s and sets off, 12° back.

        In the first second nothing is known of the body yet."""
        at = np.arange(0, 12, 1 / fs)
        lean = -np.deg2rad(12) * np.clip((at - 6) / 1.0, 0, 1)
        legs = np.select([at < 1, at < 6.2, at < 7.7], [UNKNOWN, STILL, UNKNOWN], BACKWARD)
        return at, lean, legs, np.where(legs == BACKWARD, -0.6, np.nan)

    def test_a_rough_floor_keeps_its_angle_while_the_trunk_leans(self, track):
        """A belt that sits 6° lower than told: 3.5 m standing, 2.1 m leaning, in a second."""
        at, lean, legs, speed = self.leaning_into_a_walk()
        rng = np.random.default_rng(3)
        t = times(12)
        d = 1.0 / np.sin(0.29 - np.interp(t, at, lean)) + np.abs(rng.normal(0, 0.05, len(t)))
        heard = rng.random(len(t)) < 0.4
        pings = sorted(echoes(t[heard], d[heard]) + said(t[~heard], Echo.NOTHING_IN_RANGE))
        seen = track(pings, 12, direction=legs, speed=speed, lean=lean, ranger_pitch=np.radians(5))
        assert not seen.obstacle.any()

    @pytest.mark.parametrize("pace", [0.6, 1.1])
    def test_a_wall_one_stood_before_is_not_taken_for_it(self, track, pace):
        """It answers evenly, from the first ping on; the trunk leans all the same."""
        at, lean, legs, speed = self.leaning_into_a_walk()
        t = times(12)
        way = np.cumsum(pace * np.clip((at - 6) / 0.9, 0, 1)) / 100
        rng = np.random.default_rng(4)
        d = np.maximum(3.6 - np.interp(t, at, way) + 0.003 * rng.normal(size=len(t)), 0.1)
        contact = at[np.argmax(3.6 - way <= REACH)]
        seen = track(
            echoes(t, d), 12, direction=legs, speed=speed * pace / 0.6, lean=lean,
            ranger_pitch=np.radians(5),
        )  # fmt: skip
        assert contact - first(seen.obstacle >= Level.WARNING, seen.t) >= 2.0

    def test_the_floor_that_comes_near_before_the_lean_is_known(self, track):
        """The first second of a walk: what nears beyond 3.1 m may be it."""
        t = times(4)
        legs = np.where(np.arange(0, 4, 0.01) < 3, STILL, UNKNOWN)
        pings = said(t[t < 3], Echo.NOTHING_IN_RANGE)
        pings += echoes(t[t >= 3], 3.95 - 0.85 * (t[t >= 3] - 3))
        assert not track(pings, 4, direction=legs).obstacle.any()

    def test_nor_is_it_a_target_once_the_direction_is_known(self, track):
        t = times(4)
        t = t[t < 3.9]
        at = np.arange(0, 4.2, 0.01)
        legs = np.select([at < 3, at < 3.9], [STILL, UNKNOWN], BACKWARD)
        pings = said(t[t < 3], Echo.NOTHING_IN_RANGE)
        pings += echoes(t[t >= 3], 3.95 - 0.85 * (t[t >= 3] - 3))
        assert not track(pings, 4.2, direction=legs, speed=-0.7).obstacle.any()

    def test_who_has_just_sat_down_settles(self, track):
        """Upright again for a second, still moving, 0.1 m back."""
        at = np.arange(0, 7, 0.01)
        lean = np.where((at > 2) & (at < 3), 0.2, 0.0)
        t = times(7)
        d = 0.6 - 0.1 * np.clip((t - 3.7) / 0.7, 0, 1)
        assert not track(echoes(t, d), 7, lean=lean).obstacle.any()

    @pytest.mark.parametrize("pace", [0.7, 1.05])
    def test_a_wall_beyond_where_the_floor_begins_is_warned_of(self, track, pace):
        """Leaning back by 10°, the floor may answer from 2.1 m on."""
        t = times(4.0 / pace - 0.1)
        seen = track(
            echoes(t, 4.0 - pace * t), 5, direction=BACKWARD, speed=-pace, lean=-np.deg2rad(10)
        )
        left = (4.0 - REACH) / pace - first(seen.obstacle >= Level.WARNING, seen.t)
        assert left >= 2.0

    def test_no_ranger_no_event_whatever_is_told(self):
        core = Core(100.0, has_ranger=0)
        n = 300
        pings = np.zeros(50, PING)
        pings["t"] = np.linspace(0.1, 2.9, 50)
        pings["range"] = np.linspace(2.0, 0.3, 50)
        out, events = core.run(
            np.arange(n) / 100, np.tile([0, 0, 9.81], (n, 1)), np.zeros((n, 3)), pings
        )
        assert not [e for e in events if e.event in ("obstacle", "rear_blind")]
        for column in ("distance", "closing", "ttc"):
            assert np.isnan(out[column]).all()


class TestSecondBelt:
    """Where its echoes are heard, two may agree by chance."""

    def strays(self, end, every):
        """A lone near echo in so many pings, none that goes on where another was."""
        t, rng = times(end), np.random.default_rng(1)
        near = np.where(np.arange(len(t)) // every % 2, 0.3, 1.2) + rng.uniform(-0.15, 0.15, len(t))
        return [
            (a, math.nan, Echo.NOTHING_IN_RANGE) if k % every else (a, d, Echo.DISTANCE)
            for k, (a, d) in enumerate(zip(t, near, strict=True))
        ]

    def warned(self, track, before, n, closing=0.7):
        """Seconds after the n-th echo of who has stepped in that the warning comes."""
        t = before[-1][0] + PERIOD * np.arange(1, n + 1)
        seen = track(
            before + echoes(t, 1.54 - closing * PERIOD * np.arange(1, n + 1)),
            t[-1] + 0.3, direction=BACKWARD, speed=-0.7,
        )  # fmt: skip
        later = seen.t > 1  # it must have been heard
        assert not seen.obstacle[later & (seen.t < t[0])].any()
        return first((seen.obstacle >= Level.WARNING) & later, seen.t) - t[-1]

    @pytest.mark.parametrize("every", [5, 9, 40])
    def test_two_that_agree_are_not_told_of_and_three_are(self, track, every):
        heard = self.strays(15, every)
        assert math.isinf(self.warned(track, heard, 2))
        assert 0 <= self.warned(track, heard, 3) <= 0.02

    def test_three_that_near_as_no_walker_does_are_not(self, track):
        assert math.isinf(self.warned(track, self.strays(15, every=9), 3, closing=1.9))

    def test_what_stays_vouches_for_no_echo_nearer(self, track):
        """A wall walked along at 1.7 m, ten echoes long, and two that take it for theirs."""
        heard = self.strays(15, every=3)
        t = 15.0 + PERIOD * np.arange(13)
        d = np.append(np.full(10, 1.7), [1.65, 1.59, 1.53])
        seen = track(heard + echoes(t, d), t[-1] + 0.1, direction=BACKWARD, speed=-0.7)
        assert not seen.obstacle[seen.t > 14.9].any()

    def test_few_lone_echoes_are_no_belt(self, track):
        assert 0 <= self.warned(track, self.strays(15, every=120), 2) <= 0.02

    def test_in_the_thick_of_it_eight_are_no_chance(self, track):
        heard = self.strays(15, every=3)
        assert math.isinf(self.warned(track, heard, 3))
        assert self.warned(track, heard, 8) <= 0.02

    def test_it_is_remembered_for_a_while_and_forgotten_in_minutes(self, track):
        heard, quiet = self.strays(15, every=9), times(300, start=15.05)
        silent = said(quiet, Echo.NOTHING_IN_RANGE)
        assert math.isinf(self.warned(track, heard + silent[:300], 2))
        assert 0 <= self.warned(track, heard + silent, 2) <= 0.02

    def test_what_others_follow_is_no_stray(self, track):
        """A friend comes to 1.3 m and goes again, ten times."""
        t = times(30)
        there = t % 3 < 1.5
        pings = sorted(echoes(t[there], 1.3) + said(t[~there], Echo.NOTHING_IN_RANGE))
        quiet = said(times(32, start=t[-1] + PERIOD), Echo.NOTHING_IN_RANGE)
        assert 0 <= self.warned(track, pings + quiet, 2) <= 0.02

    @pytest.mark.parametrize("floor", [0.0, 0.4])
    def test_half_an_hour_beside_one(self, track, floor):
        """Its bursts arrive when they do; a third of those are heard; over a rough floor or not."""
        rng = np.random.default_rng(3)
        mine, theirs = (np.cumsum(rng.uniform(0.05, 0.06, 33_000)) for _ in range(2))
        mine = mine[mine < 1800]
        d = (theirs[np.searchsorted(theirs, mine)] - mine) * 343.4 / 2
        heard = (rng.random(len(mine)) < 0.33) & (d < 4.0)
        rough = (rng.random(len(mine)) < floor) & ~(heard & (d < 3.5))
        d[rough] = 3.5 + np.abs(rng.normal(0, 0.05, rough.sum()))
        heard |= rough
        pings = sorted(echoes(mine[heard], d[heard]) + said(mine[~heard], Echo.NOTHING_IN_RANGE))
        seen = track(pings, 1800, fs=50.0, direction=BACKWARD, speed=-0.7)
        onsets = np.flatnonzero((seen.obstacle[1:] > 0) & (seen.obstacle[:-1] == 0))
        assert len(onsets) <= 5  # some agree by chance


class TestNonsense:
    anything = st.tuples(
        st.floats(-1, 4) | st.sampled_from([math.nan, math.inf, -math.inf]),
        st.floats(width=32, allow_nan=True, allow_infinity=True),
        st.integers(-3, 9),
    )

    @settings(max_examples=150, deadline=None)
    @given(pings=st.lists(anything, max_size=60), end=st.floats(0.5, 4.0))
    def test_estimates_stay_known_or_unknown(self, track, pings, end):
        seen = track(pings, end)
        none = np.isnan(seen.distance)
        assert np.isfinite(seen.distance[~none]).all()
        assert (seen.distance[~none] >= 0).all()
        assert np.isfinite(seen.closing[~none]).all()
        assert (seen.ttc[~none] >= 0).all()  # infinity is, NaN is not
        assert np.isnan(seen.closing[none]).all()
        assert np.isnan(seen.ttc[none]).all()

    @pytest.mark.parametrize("range_m", [math.nan, 0.0, 0.019, -1.0, math.inf, -math.inf])
    def test_an_absurd_distance_is_a_glitch(self, track, range_m):
        t = times(6)
        seen = track([(a, range_m, Echo.DISTANCE) for a in t], 6)
        assert np.isnan(seen.distance).all()
        assert first(seen.blind > 0, seen.t) <= 5.0

    def test_beyond_its_range_there_is_nothing(self, track):
        t = times(20)
        seen = track(echoes(t, 4.5), 20)
        assert np.isnan(seen.distance).all()
        assert not seen.blind.any()

    def test_a_ping_told_twice_counts_once(self, track):
        t = times(3)
        pings = said(t, Echo.NOTHING_IN_RANGE)
        pings[20] = (t[20], 0.8, Echo.DISTANCE)
        pings.insert(21, pings[20])
        seen = track(pings, 3, direction=BACKWARD, speed=-0.8)
        assert not seen.obstacle.any()


class TestBlind:
    @pytest.mark.parametrize("echo", [Echo.NO_PULSE, Echo.STUCK, Echo.NAK])
    @pytest.mark.parametrize("fs", [20.0, 100.0])
    def test_electrical_failure_is_told_within_half_a_second(self, track, echo, fs):
        t = times(6)
        good = t < 3
        seen = track(said(t[good], Echo.NOTHING_IN_RANGE) + said(t[~good], echo), 6, fs=fs)
        assert not seen.blind[seen.t < 3.2].any()
        assert first(seen.blind > 0, seen.t) - 3.0 <= 0.5
        assert seen.blind[-1] == Level.FAULT

    def test_silence_is_told(self, track):
        t = times(3)
        seen = track(echoes(t, 2.0), 6)
        assert 0.45 < first(seen.blind > 0, seen.t) - t[-1] < 0.6

    def test_a_ranger_never_heard_of_is_told(self, track):
        seen = track([], 3)
        assert 0.4 < first(seen.blind > 0, seen.t) < 0.6

    def test_a_slow_ranger_is_not_a_silent_one(self, track):
        """MB1242 and kin: 0.1 s; the slowest that may be configured: 1 s."""
        assert not track(echoes(times(20, 0.1), 2.0), 20).blind.any()
        slow = track(echoes(times(60, 1.0), 2.0), 60)
        assert not slow.blind[slow.t > 15].any()  # its pace must first be learnt

    def test_few_failures_among_good_pings_are_borne(self, track):
        rng = np.random.default_rng(4)
        t = times(120)
        bad = rng.random(len(t)) < 0.15
        pings = sorted(echoes(t[~bad], 2.0) + said(t[bad], Echo.NO_PULSE))
        assert not track(pings, 120).blind.any()

    @settings(max_examples=10, deadline=None)
    @given(seed=st.integers(0, 999))
    def test_garbage_is_told_within_five_seconds(self, track, seed):
        t = times(10)
        seen = track(echoes(t, np.random.default_rng(seed).uniform(0.2, 4.0, len(t))), 10)
        assert first(seen.blind > 0, seen.t) <= 5.0

    def test_glitches_are_told_within_five_seconds(self, track):
        seen = track(said(times(6), Echo.GLITCH), 6)
        assert 0.5 < first(seen.blind > 0, seen.t) <= 5.0

    def test_a_cover_is_told_within_five_seconds(self, track):
        """Clothing over the sensor."""
        rng = np.random.default_rng(1)
        t = times(10)
        d = np.where(t < 4, 2.0, 0.06) + 0.003 * rng.normal(size=len(t))
        seen = track(echoes(t, d), 10)
        assert 0 < first(seen.blind > 0, seen.t) - 4.0 <= 5.0

    def test_a_held_value_while_walking_is_told(self, track):
        t = times(10)
        held = track(echoes(t, 1.7312), 10, direction=BACKWARD, speed=-0.6)
        assert first(held.blind > 0, held.t) <= 5.0
        standing = track(echoes(t, 1.7312), 10, direction=STILL, speed=0.0)
        assert not standing.blind.any()

    @pytest.mark.parametrize("body", [FORWARD, UNKNOWN])
    def test_walls_that_are_left_one_after_another_are_no_garbage(self, track, body):
        """At 1.4 m/s forward, each from 0.4 to 3.9 m."""
        t = times(30, 0.045)
        seen = track(echoes(t, 0.4 + (1.4 * t) % 3.5), 30, direction=body, speed=1.4)
        assert not seen.blind.any()

    def test_open_space_is_never_blind(self, track):
        """Half an hour of it, with a spurious echo in fifty."""
        rng = np.random.default_rng(2)
        t = times(1800)
        stray = rng.random(len(t)) < 0.02
        pings = sorted(
            said(t[~stray], Echo.NOTHING_IN_RANGE)
            + echoes(t[stray], rng.uniform(0.2, 4.0, stray.sum()))
        )
        seen = track(pings, 1800, fs=20.0, direction=BACKWARD, speed=-0.6)
        assert not seen.blind.any()

    def test_it_clears_when_the_ranger_is_back(self, track):
        t = times(8)
        good = (t < 2) | (t > 4)
        pings = sorted(echoes(t[good], 2.0) + said(t[~good], Echo.NO_PULSE))
        seen = track(pings, 8)
        assert seen.blind[(seen.t > 3) & (seen.t < 4)].all()
        assert not seen.blind[seen.t > 4.2].any()


class TestRecorded:
    """Real sonars with their real spikes (UCI 194; a public HC-SR04 log)."""

    CEILING = 4.99  # m: the robot's sonars say 5 m for nothing

    def pings(self, t, range_m):
        return [
            (a, d, Echo.DISTANCE) if d < self.CEILING else (a, math.nan, Echo.NOTHING_IN_RANGE)
            for a, d in zip(t, range_m, strict=True)
        ]

    @pytest.mark.parametrize("body", [BACKWARD, UNKNOWN, STILL])
    def test_no_warning_rests_on_a_lone_spike(self, track, recordings, body):
        data = np.load(recordings("sonar") / "scitos_wall_following.npz")
        t = 0.05 + np.arange(len(data["range_m"])) / float(data["fs"])
        spikes = warnings = 0
        for x in data["range_m"].T:
            near = np.lib.stride_tricks.sliding_window_view(np.pad(x, 9, mode="reflect"), 19)
            others = np.delete(near, 9, axis=1)  # a second either way
            lone = (np.abs(others - x[:, None]) > 0.3).all(axis=1) & (x < self.CEILING)
            seen = track(self.pings(t, x), t[-1], direction=body, speed=-0.3, max_range=5.0)
            asked = seen.obstacle >= Level.WARNING
            onset = np.flatnonzero(asked[1:] & ~asked[:-1]) + 1
            newest = np.searchsorted(t, seen.t[onset] + 1e-9) - 1
            assert not lone[newest].any()
            assert not seen.blind.any()  # real rooms are no garbage
            spikes += lone.sum()
            warnings += len(onset)
        assert spikes > 100
        assert warnings > 10  # the test would be empty otherwise

    def test_no_approach_is_lost(self, track, recordings):
        """Wherever a sonar nears by half a metre and more in echo after echo to within 0.8 m."""
        data = np.load(recordings("sonar") / "scitos_wall_following.npz")
        t = 0.05 + np.arange(len(data["range_m"])) / float(data["fs"])
        found = lost = 0
        for x in data["range_m"].T:
            seen = track(self.pings(t, x), t[-1], max_range=5.0)
            step = np.diff(x)
            start = 0
            for i in range(len(step) + 1):
                if i < len(step) and -0.15 < step[i] < -0.005:
                    continue
                if x[start] - x[i] >= 0.5 and x[i] < 0.8:
                    found += 1
                    during = (seen.t > t[start]) & (seen.t < t[i] + 0.15)
                    lost += not (seen.obstacle[during] >= Level.CAUTION).any()
                start = i + 1
        assert found >= 5
        assert lost == 0

    def test_a_hand_before_an_hc_sr04(self, track, recordings):
        data = np.load(recordings("sonar") / "hcsr04_log.npz")
        pings = [
            (a, math.nan, Echo.NOTHING_IN_RANGE) if bad else (a, d, Echo.DISTANCE)
            for a, d, bad in zip(data["t"], data["range_m"], data["invalid"], strict=True)
        ]
        seen = track(pings, float(data["t"][-1]), direction=STILL, speed=0.0)
        assert not seen.obstacle[seen.t < 2.6].any()  # the wall at 1 m, before the hand comes
        assert np.nanmin(seen.distance) < 0.2  # the hand is seen


def test_samples_that_stand_still_are_not_the_rangers_silence():
    """A starved loop of 0.8 s, twice; then a ranger that truly goes silent."""
    core = Core(100.0, has_ranger=1)
    t = np.concatenate([np.arange(0, 2, 0.01), np.arange(2.8, 4, 0.01), np.arange(4.8, 8, 0.01)])
    at = np.array([a for a in times(6) if not (2 <= a < 2.8 or 4 <= a < 4.8)])
    pings = np.zeros(len(at), PING)
    pings["t"], pings["range"], pings["echo"] = at, np.nan, Echo.NOTHING_IN_RANGE
    still = np.tile([0, 0, 9.81], (len(t), 1))
    _, events = core.run(t, still, np.zeros((len(t), 3)), pings)
    (blind,) = [e for e in events if e.event == "rear_blind"]
    assert 0.45 < blind.t - at[-1] < 0.6


def test_through_the_core_without_an_imu():
    """All samples gaps: no second witness; an approach is warned of and silence is told."""
    core = Core(100.0, has_ranger=1)
    n = 1000
    t = np.arange(n) / 100
    pings = np.zeros(100, PING)
    pings["t"] = 0.03 + PERIOD * np.arange(100)
    pings["range"] = 3.9 - 0.6 * pings["t"]
    out, events = core.run(t, np.full((n, 3), np.nan), np.full((n, 3), np.nan), pings)
    warned = next(e for e in events if e.event == "obstacle" and e.level >= Level.WARNING)
    assert (3.9 - REACH) / 0.6 - warned.t >= 2.0
    blind = next(e for e in events if e.event == "rear_blind")
    assert 0.4 < blind.t - pings["t"][-1] < 0.6
    assert np.nanmin(out["distance"]) > 0
