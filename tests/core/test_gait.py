"""Steps, direction and speed: their laws on made-up walkers, their figures on recordings.

Subjects. The networks that tell the direction and the contacts were trained on every walk there is:
what is shown here is that the core does what was trained, at any rate and however the belt sits.
What they reach on subjects left out is measured by bench/training/walk_network.py --folds and
step_network.py; device/core/README.md has it. No contact of the derived sets was used for a fit.
The constants of speed.c are fitted to the derived sets and Voisard together;
bench/training/walking_speed.py gives each subject's error without them.

The motion-capture sets are derived: a pelvis sensor computed from optical data.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.core import Core
from device.frames import Echo
from tests.core.motion import rotation, sense

BACKWARD, STILL, FORWARD, OTHER, UNKNOWN = -1, 0, 1, 2, 9
RATES = [20.0, 50.0, 95.238, 100.0, 200.0, 400.0]
COLUMNS = ("step", "step_time", "cadence", "speed", "direction")
TOLERANCE = 0.1  # s, a contact is found within this (evaluation.md)
VOISARD_FEW = ("V11", "V13", "V14", "V16", "V17", "V19")
IN_TRIAL = 8  # bit of Voisard's x_events
MOCAP_FEW = ("ACCADf1_30", "BN1_active", "BN1_feminine", "BN1_happy", "BN1_proud", "BN1_tired")


def judged(fs, acc, gyro):
    out, _ = Core(fs).run(np.arange(len(acc)) / fs, acc, gyro, columns=COLUMNS)
    return out


def vault(seconds, fs, way=1, cadence=110.0, bounce=2.0, stand=2.0):
    """An inverted pendulum that stands, then walks: acc [N,3], gyro [N,3].

    Lowest, fastest and thrown up at each contact, which are at phase 0; `way` is 1 or -1.
    """
    t = np.arange(round((stand + seconds) * fs)) / fs - stand
    phase, on = 2 * np.pi * cadence / 60 * t, t >= 0
    ahead = -way * 1.2 * np.sin(phase) * on
    push = np.stack([ahead, 0.5 * np.sin(phase / 2) * on, bounce * np.cos(phase) * on], 1)
    # pitching forward while speeding up, whichever way
    turn = rotation(1, 0.015 * np.cos(phase) * on)
    return sense(turn, push, fs)[:2]


# Laws


@given(
    seed=st.integers(0, 2**32 - 1),
    fs=st.sampled_from(RATES),
    size=st.floats(0.01, 30.0),
    smooth=st.integers(1, 60),
)
@settings(max_examples=60, deadline=None)
def test_what_holds_for_any_motion(seed, fs, size, smooth):
    noise = np.random.default_rng(seed).normal(size=(round(20 * fs) + smooth, 6))
    walked = np.cumsum(noise, axis=0)
    motion = size * (walked[smooth:] - walked[:-smooth]) / smooth**0.5
    out = judged(fs, motion[:, :3] + [0, 0, 9.81], 0.1 * motion[:, 3:])
    t, step = np.arange(len(motion)) / fs, out["step"]

    assert np.array_equal(np.isfinite(out["step_time"]), step)
    times, told = out["step_time"][step].astype(float), t[step]
    assert np.all(np.diff(times) >= 0.3 - 1e-4)
    assert np.all(times <= told)
    assert np.all(told - times <= 0.7 + 4 * 1.5)  # four faint ones that waited for one another

    cadence = out["cadence"][np.isfinite(out["cadence"])]
    assert np.all((cadence == 0) | ((cadence >= 39.9) & (cadence <= 200.1)))
    direction, speed = out["direction"], out["speed"]
    assert set(np.unique(direction)) <= {BACKWARD, STILL, FORWARD, OTHER, UNKNOWN}
    assert np.array_equal(np.isnan(speed), np.isin(direction, (OTHER, UNKNOWN)))
    known = ~np.isnan(speed)
    assert np.array_equal(np.sign(speed[known]), direction[known])


@pytest.mark.parametrize("fs", RATES)
def test_a_body_that_stands_takes_no_step(fs):
    t = np.arange(round(60 * fs)) / fs
    sway = rotation(1, 0.02 * np.sin(2 * np.pi * 0.3 * t)) @ rotation(0, 0.02 * np.sin(2 * t))
    acc, gyro, _ = sense(sway, np.zeros((len(t), 3)), fs)
    out = judged(fs, acc, gyro)
    settled = t > 1.1
    assert not out["step"].any()
    assert np.all(out["cadence"][settled] == 0)
    assert np.all(out["direction"][settled] == STILL)
    assert np.all(out["speed"][settled] == 0)


@pytest.mark.parametrize("way", [FORWARD, BACKWARD])
@pytest.mark.parametrize("fs", RATES)
def test_a_walk_is_the_same_at_every_rate(fs, way):
    cadence = 110.0
    out = judged(fs, *vault(20.0, fs, way, cadence))
    begun = np.arange(len(out["step"])) / fs > 2.0 + 2.5
    assert abs(out["step"].sum() - 20 * cadence / 60) <= 2
    assert out["cadence"][begun] == pytest.approx(cadence, rel=0.03)
    assert np.all(out["direction"][begun] == way)
    whole = out["speed"][begun]
    assert np.all(whole * way > 0)
    # the step's first throw and the slow weighing of the mean leave a few per cent
    assert np.abs(whole).mean() == pytest.approx(np.abs(speed_at_100_hz(way, cadence)), rel=0.03)
    off = (out["step_time"][out["step"]][4:] - 2.0) * cadence / 60
    assert np.ptp((off + 0.5) % 1) * 60 / cadence < 0.03  # s, the same place in each step


def speed_at_100_hz(way, cadence):
    out = judged(100.0, *vault(20.0, 100.0, way, cadence))
    return out["speed"][450:].mean()


@pytest.mark.parametrize("cadence", [55.0, 80.0, 140.0, 170.0])
def test_slow_and_quick_walks(cadence):
    out = judged(100.0, *vault(20.0, 100.0, BACKWARD, cadence))
    begun = slice(1000, None)
    assert out["cadence"][begun] == pytest.approx(cadence, rel=0.03)
    assert np.all(out["direction"][begun] == BACKWARD)


@pytest.mark.parametrize("cadence", [50.0, 65.0, 85.0])
@pytest.mark.parametrize("fs", [20.0, 100.0])
def test_whoever_hardly_bounces_is_heard_as_well(fs, cadence):
    """As at 0.2 m/s: no crest is beyond doubt. The first is told late, but when it was."""
    out = judged(fs, *vault(30.0, fs, BACKWARD, cadence, bounce=0.3))
    step = out["step"]
    assert abs(step.sum() - 30 * cadence / 60) <= 2
    assert out["step_time"][step][0] < 2.0 + 120 / cadence
    assert np.diff(out["step_time"][step]) == pytest.approx(60 / cadence, abs=0.06)
    assert np.all(out["direction"][round(8 * fs) :] == BACKWARD)
    assert np.abs(out["speed"][round(8 * fs) :]).max() < 0.4


@pytest.mark.parametrize("shifts", [1, 3])
def test_few_faint_shifts_of_weight_are_no_walk(shifts):
    out = judged(100.0, *vault(shifts * 0.7, 100.0, BACKWARD, 85.0, bounce=0.3, stand=4.0))
    assert not out["step"].any()


def test_faint_shifts_that_are_unlike_are_no_walk():
    t = np.arange(6000) / 100.0
    up = 0.3 * np.sin(2 * np.pi * (0.9 * t + 1.5 * np.sin(0.8 * t)))
    acc = np.stack([0 * t, 0 * t, 9.81 + up * (t > 2.0)], 1)
    assert not judged(100.0, acc, np.zeros_like(acc))["step"].any()


@pytest.mark.parametrize(("short", "walks"), [(0.9, True), (0.6, False)])
def test_faint_steps_must_be_alike(short, walks):
    """By turns 0.9 s, and as long or shorter."""
    fs = 100.0
    t = np.arange(round(30 * fs)) / fs - 2.0
    ends = np.concatenate([[0.0], np.cumsum([0.9, short] * 16)])
    phase, on = 2 * np.pi * np.interp(t, ends, np.arange(len(ends))), (t >= 0) & (t < ends[-1])
    push = np.stack([1.2 * np.sin(phase), 0.5 * np.sin(phase / 2), 0.3 * np.cos(phase)], 1)
    step = judged(fs, *sense(rotation(1, 0.0 * t), push * on[:, None], fs)[:2])["step"]
    assert (step.sum() > 25) if walks else not step.any()


@pytest.mark.parametrize("way", [FORWARD, BACKWARD])
def test_who_walks_from_the_first_sample_on_is_as_fast_at_once(way):
    speed = judged(100.0, *vault(10.0, 100.0, way, stand=0.0))["speed"]
    known = speed[np.isfinite(speed) & (speed != 0)]
    assert known[0] == pytest.approx(speed[-100:].mean(), rel=0.025)


def test_more_bounce_is_more_speed():
    speeds = [
        judged(100.0, *vault(10.0, 100.0, FORWARD, bounce=b))["speed"][-1] for b in (0.8, 1.6, 2.4)
    ]
    assert speeds == sorted(speeds)
    assert 0.4 < speeds[0] < speeds[-1] < 1.6


def test_a_runner_is_not_called_backward():
    """A spring is fastest when highest: the phase of walking backward, with a strong bounce."""
    out = judged(100.0, *vault(15.0, 100.0, BACKWARD, 160.0, bounce=9.0))
    assert not np.any(out["direction"] == BACKWARD)


def test_who_stops_is_still_soon():
    walking, standing = vault(10.0, 100.0), vault(0.0, 100.0, stand=6.0)
    out = judged(100.0, *(np.vstack(pair) for pair in zip(walking, standing, strict=True)))
    assert out["direction"][1190] == FORWARD
    later = slice(1200 + 300, None)
    assert 2.1 < np.argmax(out["direction"][1200:] == STILL) / 100 < 2.6  # sooner it may be a step
    assert np.all(out["direction"][later] == STILL)
    assert np.all(out["speed"][later] == 0)
    assert np.all(out["cadence"][later] == 0)


@pytest.mark.parametrize("way", [FORWARD, BACKWARD])
@pytest.mark.parametrize("cadence", [60.0, 110.0, 150.0])
@pytest.mark.parametrize("fs", RATES)
def test_a_walk_that_ends_is_slow_a_step_later(fs, cadence, way):
    """Long before the direction is still. One step later it may go on."""
    pieces = (10.0, 2.0), (0.0, 60 / cadence + 0.6), (6.0, 0.0)  # s walked, stood before
    walk = [vault(seconds, fs, way, cadence, stand=stand) for seconds, stand in pieces]
    out = judged(fs, *(np.vstack(each) for each in zip(*walk, strict=True)))
    speed, ends = np.abs(out["speed"]), 12.0
    goes_on = ends + pieces[1][1]
    walked = speed[round((ends - 1) * fs)]
    assert speed[round((ends - 3) * fs) : round(ends * fs)] == pytest.approx(walked, rel=0.05)
    assert speed[round((ends + 60 / cadence + 0.25) * fs)] < 0.1 * walked
    assert speed[round((goes_on + 3.0) * fs)] == pytest.approx(walked, rel=0.15)


@pytest.mark.parametrize(("nears", "word"), [(0.0, STILL), (0.2, UNKNOWN)])
def test_who_shuffles_towards_a_wall_stands_no_more(nears, word):
    """0.25 m/s² RMS: alone that may be sway."""
    fs = 100.0
    t = np.arange(0, 8, 1 / fs)
    sway = 0.35 * np.sin(2 * np.pi * 1.5 * t) * (t > 4)
    rng = np.random.default_rng(1)
    acc = rng.normal(0, 0.02, (t.size, 3))
    acc[:, 2] += 9.81 + sway
    sent = np.arange(0.1, 8, 0.06)
    pings = sent, 2.0 - nears * np.maximum(sent - 4, 0), np.full(sent.size, Echo.DISTANCE)
    core = Core(fs, has_ranger=1)
    out, _ = core.run(t, acc, rng.normal(0, 0.002, (t.size, 3)), pings, columns=("direction",))
    assert out["direction"][390] == STILL
    assert out["direction"][-100] == word


def test_after_a_long_gap_nothing_is_known():
    acc, gyro = vault(20.0, 100.0)
    acc[1000:1100] = np.nan
    out = judged(100.0, acc, gyro)
    lost = slice(1030, 1195)  # the gap and the second in which attitude settles anew
    assert np.all(out["direction"][lost] == UNKNOWN)
    assert np.all(np.isnan(out["cadence"][lost]))
    assert np.all(np.isnan(out["speed"][lost]))
    assert not out["step"][1000:1195].any()
    assert np.all(out["direction"][1500:] == FORWARD)


# Recordings


def read(folder, subjects=None, thin=1, codes=None, turn=None):
    """(subject, code, columns judged, x_ arrays, fs) of each trial.

    The core is given means of `thin` samples at a time, turned by `turn`; x_ arrays and fs stay
    as they are.
    """
    for file in sorted(folder.glob("*.npz")):
        if subjects is None or file.stem in subjects:
            with np.load(file) as loaded:
                data = dict(loaded)
            fs = float(np.atleast_1d(data["fs"])[0])
            for k, (start, n) in enumerate(zip(data["start"], data["n"], strict=True)):
                if codes is not None and str(data["code"][k]) not in codes:
                    continue
                rows = slice(int(start), int(start + n))
                acc, gyro = (data[c + "_q"][rows] * data[c + "_scale"] for c in ("acc", "gyro"))
                truth = {name: data[name][rows] for name in data if name.startswith("x_")}
                acc, gyro = (x[: n - n % thin].reshape(-1, thin, 3).mean(1) for x in (acc, gyro))
                if turn is not None:
                    acc, gyro = acc @ turn.T, gyro @ turn.T
                yield file.stem, str(data["code"][k]), judged(fs / thin, acc, gyro), truth, fs


def last_moving(events, fs):
    """Voisard: the last sample of each foot's moving interval, in s."""
    moving = [(events & foot) > 0 for foot in (1, 2)]
    return np.sort(np.concatenate([np.flatnonzero(m[:-1] & ~m[1:]) for m in moving])) / fs


def pair(contacts, found):
    """One to one, nearest first in order of time: (contact, found) index pairs."""
    taken, pairs = np.zeros(len(found), bool), []
    for i, contact in enumerate(contacts):
        away = np.where(taken, np.inf, np.abs(found - contact))
        if len(found) and away.min() <= TOLERANCE:
            taken[away.argmin()] = True
            pairs.append((i, int(away.argmin())))
    return pairs


def step_figures(trials):
    """Of (contacts, step_time, told) [s] a trial: F1; median and p95 |error|, p95 delay [s]."""
    nearest = [found - c[np.abs(c[:, None] - found).argmin(0)] for c, found, _ in trials]
    close = np.concatenate(nearest)
    offset = float(np.median(close[np.abs(close) < 2 * TOLERANCE]))
    hits, error, delay = 0, [], []
    for contacts, found, told in trials:
        pairs = pair(contacts, found - offset)
        hits += len(pairs)
        error += [abs(found[j] - offset - contacts[i]) for i, j in pairs]
        delay += [told[j] - contacts[i] for i, j in pairs]
    total, reported = sum(len(c) for c, _, _ in trials), sum(len(f) for _, f, _ in trials)
    f1 = 2 * hits / (total + reported)
    return f1, float(np.median(error)), np.percentile(error, 95), np.percentile(delay, 95)


def reported(out, fs):
    at = np.flatnonzero(out["step"])
    return out["step_time"][at].astype(float), at / fs


@pytest.mark.parametrize("thin", [1, 2, 5])
def test_steps_of_recorded_walkers(recordings, thin):
    """Of six, at 100, 50 and 20 Hz. In 13 of the 74 walks of the set the truth goes on for two or
    more contacts while the trunk already stands: it is out of step with the sensor there, and no
    detector can be right."""
    trials = [
        (last_moving(x["x_events"].astype(int), fs), *reported(out, fs / thin))
        for _, _, out, x, fs in read(recordings("voisard_gait"), VOISARD_FEW, thin)
    ]
    assert len(trials) >= 30
    f1, median, p95, delay = step_figures(trials)
    assert f1 >= 0.88
    assert median <= 0.020
    assert p95 <= 0.070
    assert delay <= 0.30


@pytest.mark.parametrize("way", [FORWARD, BACKWARD])
def test_steps_of_derived_walks(recordings, way):
    """Whose contacts nothing was fitted to; they are a kinematic estimate."""
    trials = []
    for _, code, out, x, fs in read(recordings("cmu_pelvis_derived")):
        at = np.flatnonzero(x["x_step"] > 0)
        sound = (x["x_dir"][at] == way) & (x["x_bad"][at] == 0) & (at > 1.5 * fs)
        contacts = at[sound] / fs
        if code == "walk" and len(contacts) > 1:
            found, told = reported(out, fs)
            near = (found > contacts[0] - 0.3) & (found < contacts[-1] + 0.3)
            trials.append((contacts, found[near], told[near]))
    f1, median, _, delay = step_figures(trials)
    assert f1 >= 0.88
    assert median <= 0.03
    assert delay <= 0.35
    off = np.concatenate([f - c[np.abs(c[:, None] - f).argmin(0)] for c, f, _ in trials])
    assert abs(np.median(off)) < 0.06, "the same moment of a step, whichever way"


def test_who_stands_sits_down_and_gets_up_takes_hardly_a_step(recordings):
    subjects, codes = ("SA06", "SA13", "SA21", "SA30"), ("D01", "D02", "D03", "D04", "D13", "D14")
    said = [out["step"] for _, _, out, _, _ in read(recordings("kfall"), subjects, 1, codes)]
    assert len(said) >= 40
    assert 6000 * np.concatenate(said).mean() < 2.0  # a minute


def direction_shares(trials):
    """trials: (judged, truth, samples that count). For truth 1 and -1: share right and wrong."""
    shares = {}
    for way in (FORWARD, BACKWARD):
        said = np.concatenate([d[counts & (truth == way)] for d, truth, counts in trials])
        right, unknown = said == way, np.isin(said, (STILL, UNKNOWN))
        shares[way] = (
            (float(right.mean()), float(1 - (right | unknown).mean())) if len(said) else None
        )
    return shares


def since(truth, fs):
    """Samples from 2.5 s after walking begins."""
    moving = np.flatnonzero(truth != 0)
    begin = moving[0] + round(2.5 * fs) if len(moving) else len(truth)
    return np.arange(len(truth)) >= begin


AWRY = rotation(2, np.array(0.14)) @ rotation(1, np.array(0.45)) @ rotation(0, np.array(-0.35))


@pytest.mark.parametrize(
    ("thin", "turn"), [(1, None), (5, None), (1, AWRY)], ids=["100 Hz", "20 Hz", "awry"]
)
def test_direction_of_recorded_forward_walks(recordings, thin, turn):
    """As recorded; at 20 Hz; with the belt tilted by 26° and 20° and turned by 8°."""
    subjects = None if thin == 1 and turn is None else VOISARD_FEW
    trials = []
    for _, _, out, x, fs in read(recordings("voisard_gait"), subjects, thin, turn=turn):
        events = x["x_events"].astype(int)
        contacts = last_moving(events, fs)
        contacts = contacts[events[np.rint(contacts * fs).astype(int)] & IN_TRIAL > 0]
        t = np.arange(len(out["direction"])) * thin / fs
        inside = (t >= contacts[0] + 2.5) & (t <= contacts[-1])
        trials.append((out["direction"], np.ones(len(t)), inside))
    right, wrong = direction_shares(trials)[FORWARD]
    assert right >= 0.97
    assert wrong <= 0.01


@pytest.mark.parametrize("turn", [None, AWRY], ids=["level", "awry"])
@pytest.mark.parametrize("name", ["cmu_pelvis_derived", "mocap_pelvis_derived"])
def test_direction_of_derived_walks(recordings, name, turn):
    subjects = None if turn is None else MOCAP_FEW
    trials = [
        (
            out["direction"],
            x["x_dir"],
            since(x["x_dir"], fs) & (x.get("x_bad", 0 * x["x_dir"]) == 0),
        )
        for _, _, out, x, fs in read(recordings(name), subjects, turn=turn)
    ]
    for right, wrong in direction_shares(trials).values():
        assert right >= 0.97
        assert wrong <= 0.01


@pytest.mark.parametrize(
    ("name", "subjects", "codes", "most"),
    [
        ("kfall", ("SA09", "SA22", "SA31"), ("D08", "D09"), 0.01),
        ("kfall", ("SA09", "SA22", "SA31"), ("D20", "D21"), 0.05),
        ("sisfall", ("SA08",), ("D03", "D04"), 0.01),
    ],
    ids=["jogging", "stairs", "jogging at the waist"],
)
def test_who_jogs_or_takes_stairs_is_hardly_called_backward(
    recordings, name, subjects, codes, most
):
    said = [out["direction"] for _, _, out, _, _ in read(recordings(name), subjects, codes=codes)]
    assert (np.concatenate(said) == BACKWARD).mean() <= most


def test_sitting_down_and_getting_up_is_hardly_walking(recordings):
    subjects, codes = ("SA06", "SA13", "SA21", "SA30"), ("D13", "D14")
    said = [out["direction"] for _, _, out, _, _ in read(recordings("kfall"), subjects, 1, codes)]
    assert len(said) >= 10
    assert np.isin(np.concatenate(said), (FORWARD, BACKWARD)).mean() < 0.25


@pytest.mark.parametrize(
    ("name", "forward", "backward"),
    [("cmu_pelvis_derived", 0.10, 0.12), ("mocap_pelvis_derived", 0.11, 0.13)],
)
def test_speed_of_derived_walks(recordings, name, forward, backward):
    errors = {FORWARD: [], BACKWARD: []}
    for _, _, out, x, fs in read(recordings(name)):
        truth, size = x["x_vel"][:, 0].astype(float), round(1.5 * fs)
        for i in range(0, len(truth) - size + 1, size):
            v, said = truth[i : i + size].mean(), out["speed"][i : i + size]
            if abs(v) <= 1.6 and np.isfinite(said).mean() > 0.5:
                errors[int(np.sign(v))].append(abs(abs(np.nanmean(said)) - abs(v)))
    assert np.mean(errors[FORWARD]) <= forward
    assert np.mean(errors[BACKWARD]) <= backward
