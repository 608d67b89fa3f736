"""Sway, risk, unsteadiness, posture and pace: laws on made-up walkers, rareness on recordings.

The limits were set by hand with the recordings used here in view; nothing is held out.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.alerts import State
from device.archive import Archive
from device.core import Core
from device.recordings import RecordingSet
from tests.core.motion import rotation, sense

RATES = [20.0, 50.0, 100.0, 200.0, 400.0]
STAND = 2.0  # s, before a walker sets off
NOTICES = ("unsteady", "posture", "pace")


def judged(fs, acc, gyro):
    """(sway and risk [N], [(event, s)] raised)."""
    t = np.arange(len(acc)) / fs
    out, events = Core(fs).run(t, acc, gyro, columns=("sway", "risk"))
    return out, [(e.event, e.t) for e in events if e.state is State.RAISED]


def notices(events):
    return {event for event, _ in events} & set(NOTICES)


def walker(fs, seconds, cadence=110.0, side=0.7, lean=0.0, uneven=0.0, up=2.5, twice=None, yaw=0.0):
    """Stands, then walks in place: acc [N,3], gyro [N,3].

    `side` [m/s²] is the amplitude of mediolateral acceleration and `lean` [rad] the trunk's; each
    is a number or a function of the time since setting off. `uneven` [s] comes and goes with the
    steps, three to the round. `up` [m/s²] is the amplitude of the vertical acceleration;
    `twice` [m/s²], a function of the number of the step, that of twice its frequency. `yaw` [rad],
    a function of the time, is where the walker faces.
    """
    t = np.arange(round((STAND + seconds) * fs)) / fs - STAND
    on = t >= 0
    period = 60.0 / cadence
    late = uneven(t) if callable(uneven) else uneven
    phase = 2 * np.pi * (t - late * np.sin(2 * np.pi * t / (3 * period))) / period
    sway = (side(t) if callable(side) else side) * np.sin(phase / 2)
    step = np.floor(phase / (2 * np.pi)).astype(int)
    rise = (up(step) if callable(up) else up) * np.cos(phase)
    if twice:
        rise = rise + twice(step) * np.sin(2 * phase)
    push = np.stack([1.2 * np.sin(phase), sway, rise], 1) * on[:, None]
    tilt = (lean(t) if callable(lean) else lean) * np.clip(t / 2.0, 0.0, 1.0)
    facing = rotation(2, (yaw(t) if callable(yaw) else yaw) + 0.0 * t)
    return sense(facing @ rotation(1, tilt), np.einsum("nij,nj->ni", facing, push), fs)[:2]


# Laws


@given(
    seed=st.integers(0, 2**32 - 1),
    fs=st.sampled_from(RATES),
    size=st.floats(0.01, 30.0),
    smooth=st.integers(1, 60),
    gap=st.floats(0.0, 3.0),
)
@settings(max_examples=60, deadline=None)
def test_what_is_known_is_in_its_range(seed, fs, size, smooth, gap):
    noise = np.random.default_rng(seed).normal(size=(round(15 * fs) + smooth, 6))
    walked = np.cumsum(noise, axis=0)
    moves = size * (walked[smooth:] - walked[:-smooth]) / np.sqrt(smooth)
    acc, gyro = moves[:, :3] + [0, 0, 9.81], 0.3 * moves[:, 3:]
    acc[int(7 * fs) : int((7 + gap) * fs)] = np.nan
    out, _ = judged(fs, acc, gyro)
    risk, sway = (out[c][np.isfinite(out[c])] for c in ("risk", "sway"))
    assert not np.isinf(out["risk"]).any()
    assert not np.isinf(out["sway"]).any()
    assert ((risk >= 0) & (risk <= 1)).all()
    assert (sway >= 0).all()


@pytest.mark.parametrize("fs", RATES)
def test_sway_is_the_rms_of_mediolateral_acceleration(fs):
    out, _ = judged(fs, *walker(fs, 20.0, side=1.5))
    late = out["sway"][int(10 * fs) :]
    assert np.mean(late) == pytest.approx(1.5 / np.sqrt(2), rel=0.05)


def test_nothing_is_known_at_first_and_in_a_gap():
    fs = 100.0
    acc, gyro = walker(fs, 10.0)
    acc[600:700] = np.nan
    out, _ = judged(fs, acc, gyro)
    assert np.isnan(out["sway"][:200]).all()
    assert np.isnan(out["risk"][:90]).all()
    assert np.isnan(out["sway"][700:800]).all()  # what was before the gap is not now
    for column in ("sway", "risk"):
        assert np.isnan(out[column][600:700]).all()
        assert np.isfinite(out[column][1100:]).all()


@pytest.mark.parametrize("fs", RATES)
def test_risk_is_of_angle_and_of_where_it_is_going(fs):
    """The same lean of 0.6 rad: going on, held, coming back."""
    t = np.arange(round(12 * fs)) / fs
    lean = 0.6 * np.clip((t - 3.0) / 0.5, 0, 1) + 0.6 * np.clip((t - 7.0) / 0.5, 0, 1)
    lean -= 1.2 * np.clip((t - 9.0) / 1.0, 0, 1)
    for axis in (0, 1):
        for sign in (1, -1):
            acc, gyro, _ = sense(rotation(axis, sign * lean), np.zeros((len(t), 3)), fs)
            risk = judged(fs, acc, gyro)[0]["risk"]
            upright, held, gone = (risk[int(s * fs)] for s in (2.5, 6.0, 8.5))
            going, back = risk[int(7.2 * fs) : int(7.4 * fs)].max(), risk[int(9.4 * fs)]
            assert upright == 0
            assert 0.15 < held < 0.35
            assert going > held + 0.3
            assert gone > 0.9
            assert back < gone - 0.3


@pytest.mark.parametrize("fs", RATES)
def test_an_even_walk_brings_no_notice(fs):
    assert not notices(judged(fs, *walker(fs, 90.0))[1])


@pytest.mark.parametrize("fs", RATES)
def test_setting_off_again_and_again_is_no_unevenness(fs):
    """Four walks with pauses; the first two steps of each are slow, as anybody's are."""
    often, step = 4, 0.54
    lasts = [3.0] + often * [step + 0.3, step + 0.1, *(40 * [step]), 4.0]
    stands = np.isin(lasts, (3.0, 4.0))
    ends = np.concatenate([[0.0], np.cumsum(lasts)])
    t = np.arange(round(ends[-1] * fs)) / fs
    now = np.searchsorted(ends, t, "right") - 1
    phase = 2 * np.pi * (now + (t - ends[now]) / np.asarray(lasts)[now])
    push = np.stack([1.2 * np.sin(phase), 0.7 * np.sin(phase / 2), 2.5 * np.cos(phase)], 1)
    acc, gyro = sense(rotation(1, 0.0 * t), push * ~stands[now, None], fs)[:2]
    assert "unsteady" not in notices(judged(fs, acc, gyro)[1])


@pytest.mark.parametrize("fs", RATES)
def test_swaying_more_than_usual_is_told(fs):
    def more(t):
        return np.where(t > 50.0, 2.1, 0.7)

    events = judged(fs, *walker(fs, 80.0, side=more))[1]
    assert notices(events) == {"unsteady"}
    told = next(t for event, t in events if event == "unsteady")
    assert STAND + 50.0 + 3.0 < told < STAND + 50.0 + 12.0


@pytest.mark.parametrize("fs", RATES)
def test_uneven_steps_are_told(fs):
    def less_even(t):
        return np.where(t > 50.0, 0.07, 0.0)

    assert "unsteady" in notices(judged(fs, *walker(fs, 90.0, uneven=less_even))[1])


@pytest.mark.parametrize("fs", RATES)
def test_steps_of_a_turn_are_no_unevenness(fs):
    """Whoever goes about a bend steps otherwise, for eight seconds."""

    def otherwise(t):
        return np.where((t > 50.0) & (t < 58.0), 0.07, 0.0)

    def bend(t):
        return 0.8 * np.clip(t - 50.0, 0.0, 8.0)

    assert "unsteady" not in notices(judged(fs, *walker(fs, 70.0, uneven=otherwise, yaw=bend))[1])
    assert "unsteady" in notices(judged(fs, *walker(fs, 70.0, uneven=otherwise))[1])


@pytest.mark.parametrize("fs", RATES)
def test_strides_unlike_each_other_are_told_and_a_limp_is_not(fs):
    """The rhythm is even: what differs is how each foot comes down."""
    drawn = np.random.default_rng(4).choice([-2.5, 2.5], 400)
    events = judged(
        fs, *walker(fs, 90.0, twice=lambda step: np.where(step > 95, drawn[step % 400], 0.0))
    )[1]
    assert "unsteady" in notices(events)
    limp = walker(fs, 90.0, twice=lambda step: np.where(step > 95, 2.5 * (-1.0) ** step, 0.0))
    assert "unsteady" not in notices(judged(fs, *limp)[1])


@pytest.mark.parametrize("fs", RATES)
def test_going_up_and_down_far_more_than_usual_is_a_notice_of_posture(fs):
    def told(times):
        events = judged(fs, *walker(fs, 75.0, up=lambda step: np.where(step > 95, times, 1) * 2.5))[
            1
        ]
        return [t for event, t in events if event == "posture"]

    assert not told(1.3)
    assert len(crouched := told(2.2)) == 1
    assert STAND + 52.0 + 4.0 < crouched[0] < STAND + 52.0 + 12.0


def session(fs, seconds, usual=(), **how):
    core = Core(fs)
    core.recall(usual or core.usual())
    acc, gyro = walker(fs, seconds, **how)
    _, events = core.run(np.arange(len(acc)) / fs, acc, gyro, columns=())
    told = [e.t for e in events if e.event == "unsteady" and e.state is State.RAISED]
    return core.usual(), told


def test_what_is_usual_is_kept_from_session_to_session():
    usual, _ = session(100.0, 60.0)
    assert usual[0].sway == pytest.approx(0.7 / np.sqrt(2), rel=0.1)
    assert usual[0].excursion == pytest.approx(2 * 2.5 / (2 * np.pi * 110 / 60) ** 2, rel=0.1)
    assert usual[0].irregularity < 0.1
    assert 60 < usual[0].steps < 110
    _, told = session(100.0, 20.0, side=2.1)
    assert not told  # a stranger: nobody knows better
    again, told = session(100.0, 20.0, usual=usual, side=2.1)
    assert told
    assert told[0] < STAND + 12.0
    assert again == usual  # what is unusual teaches nothing
    more, told = session(100.0, 60.0, usual=usual, side=0.85)
    assert not told
    assert usual[0].sway < more[0].sway < 0.85 / np.sqrt(2)


@pytest.mark.parametrize(
    "wrong", [{"sway": np.nan}, {"unevenness": -1.0}, {"excursion": np.inf}, {"steps": -1}]
)
def test_what_nobody_can_have_for_usual_is_left_out(wrong):
    usual, _ = session(100.0, 60.0)
    core = Core(100.0)
    core.recall([one._replace(**wrong) for one in usual])
    assert core.usual() == Core(100.0).usual()
    core.recall([one._replace(steps=10**6) for one in usual])
    assert core.usual()[0].steps == 1800


def test_no_baseline_no_judgement():
    def more(t):
        return np.where(t > 10.0, 2.1, 0.7)

    assert not notices(judged(100.0, *walker(100.0, 30.0, side=more))[1])


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("lean", [0.5, -0.5])
def test_leaning_for_long_is_told_and_for_a_moment_is_not(fs, lean):
    def moment(t):
        return lean * np.exp(
            -(((t - 12.0) / 1.6) ** 8)
        )  # three seconds, two of them above the limit

    assert notices(judged(fs, *walker(fs, 20.0, lean=lean))[1]) == {"posture"}
    assert not notices(judged(fs, *walker(fs, 20.0, lean=0.5 * lean))[1])
    assert not notices(judged(fs, *walker(fs, 20.0, lean=moment))[1])


@pytest.mark.parametrize("fs", RATES)
def test_hurrying_is_told(fs):
    assert "pace" in notices(judged(fs, *walker(fs, 20.0, cadence=150.0))[1])
    assert not notices(judged(fs, *walker(fs, 3.0, cadence=150.0))[1])


# Figures


def test_notices_are_rare_in_plain_walking(recordings):
    sets = {"voisard_gait": None, "sisfall": ("D01", "D02")}
    told, hours = 0, 0.0
    for name, codes in sets.items():
        index = RecordingSet(recordings(name))
        for file, entries in index.files.items():
            archive = Archive(index.folder / file)
            for entry in entries:
                if codes is not None and entry.code not in codes:
                    continue
                found = archive.trial(entry)
                events = judged(entry.fs, found.acc, found.gyro)[1]
                told += sum(event in NOTICES for event, _ in events)
                hours += entry.n / entry.fs / 3600
    assert hours > 1.4
    assert told / hours <= 3
