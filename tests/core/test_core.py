"""The core as its callers see it: one judgement whatever the way the samples come in."""

from __future__ import annotations

import math
import subprocess
import sys
import zlib

import numpy as np
import pytest
from device.core._native import ffi, lib
from hypothesis import given, settings
from hypothesis import strategies as st

from device.alerts import JUDGED, Level, State
from device.core import ALL, KINDS, PING, Core, Usual, publish
from device.frames import RING_HEADER_SIZE, SLOT_SIZE, Frame, slot_crc
from tests.core.motion import rotation, sense, walk

FIELDS = [c for c in ALL if c != "up"]


# --- what comes in -----------------------------------------------------------------------------


def story(seed: int, seconds: float, fs: float):
    """A seeded life of a belt: walking, standing, thrown about, with gaps, freezes and echoes.

    Returns t [N], acc [N,3], gyro [N,3] and pings (t, range, echo).
    """
    random = np.random.default_rng(seed)
    turn, push = walk(seconds, fs, cadence=random.uniform(70, 150))
    acc, gyro, _ = sense(turn @ rotation(1, random.uniform(-0.5, 0.5)), push, fs)
    n = len(acc)
    t = np.arange(n) / fs + random.choice([0.0, 1e5])
    for _ in range(random.integers(0, 6)):
        start, length = random.integers(0, n), random.integers(1, max(2, int(0.8 * fs)))
        rows = slice(start, start + length)
        match random.integers(0, 7):
            case 0:
                acc[rows] = np.nan
            case 1:
                gyro[rows, 1] = np.inf
            case 2:
                acc[rows], gyro[rows] = acc[start], gyro[start]
            case 3:
                acc[rows] += random.normal(0, 60, 3)
            case 4:
                acc[rows] *= 0.05
            case 5:
                t[start:] += random.uniform(0, 3)
            case 6:
                acc[rows] = 1e30
    pings = np.sort(random.uniform(t[0] - 0.1, t[-1] + 0.1, int(seconds * 20)))
    distance = np.clip(3 - 0.5 * (pings - t[0]), 0.1, 4) + random.normal(0, 0.01, len(pings))
    echo = random.choice(6, len(pings), p=[0.7, 0.1, 0.05, 0.05, 0.05, 0.05])
    return t, acc, gyro, (pings, np.where(echo == 0, distance, np.nan), echo)


def same(one, other):
    """Bit for bit, where a NaN is a NaN."""
    columns, told = one
    assert told == other[1]
    for name, column in columns.items():
        kind = column.dtype.kind
        assert np.array_equal(column, other[0][name], equal_nan=kind == "f"), name


def joined(parts):
    return (
        {c: np.concatenate([columns[c] for columns, _ in parts]) for c in parts[0][0]},
        [event for _, told in parts for event in told],
    )


def in_chunks(core, data, cuts):
    t, acc, gyro, pings = data
    parts, handed = [], 0
    for start, end in zip([0, *cuts], [*cuts, len(t)], strict=True):
        # a ping goes with the chunk that holds the first sample not older than it
        until = int(np.searchsorted(pings[0], t[end - 1], side="right")) if end > start else handed
        chunk = tuple(column[handed:until] for column in pings)
        parts.append(core.run(t[start:end], acc[start:end], gyro[start:end], chunk))
        handed = max(until, handed)
    return joined(parts)


def frame_by_frame(core, data):
    t, acc, gyro, (ping_t, distance, echo) = data
    n, ping, told = len(t), 0, []
    out = {c: np.empty((n, 3) if c == "up" else n, np.float64) for c in ALL}
    for i in range(n):
        while ping < len(ping_t) and ping_t[ping] <= t[i]:
            core.ping(ping_t[ping], distance[ping], echo[ping])
            ping += 1
        a, g = acc[i].tolist(), gyro[i].tolist()
        frame = Frame(t=t[i], ax=a[0], ay=a[1], az=a[2], gx=g[0], gy=g[1], gz=g[2])
        told += core.step(frame)
        out["up"][i] = frame.up_x, frame.up_y, frame.up_z
        for column in FIELDS:
            out[column][i] = getattr(frame, column)
    return {c: v.astype(np.float32) for c, v in out.items()}, told


# --- laws --------------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 2**32 - 1),
    fs=st.sampled_from([20.0, 47.0, 100.0, 200.0, 400.0]),
    cuts=st.lists(st.floats(0, 1), max_size=5),
)
@settings(deadline=None, max_examples=40)
def test_any_split_decides_the_same(seed, fs, cuts):
    """Whole, in chunks (empty ones too), and sample by sample: bit for bit the same."""
    data = story(seed, 800 / fs + 2, fs)
    whole = Core(fs, has_ranger=1).run(*data)
    places = sorted(round(cut * len(data[0])) for cut in cuts)
    same(whole, in_chunks(Core(fs, has_ranger=1), data, places))
    same(whole, frame_by_frame(Core(fs, has_ranger=1), data))


@given(seed=st.integers(0, 2**32 - 1), at=st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=20)
def test_a_restored_state_decides_the_same(seed, at):
    fs, data = 100.0, story(seed, 12.0, 100.0)
    t, acc, gyro, pings = data
    cut = round(at * len(t))
    first = int(np.searchsorted(pings[0], t[cut - 1], side="right"))
    core = Core(fs, has_ranger=1)
    core.run(t[:cut], acc[:cut], gyro[:cut], tuple(column[:first] for column in pings))
    saved = core.save()
    rest = t[cut:], acc[cut:], gyro[cut:], tuple(column[first:] for column in pings)
    expected = core.run(*rest)
    other = Core(50.0, body_reach=0.5)  # all of it comes from the saved state
    other.restore(saved)
    same(expected, other.run(*rest))


def documented(out):
    """Every figure within what rearguard.h says of it."""
    up = out["up"]
    known = np.isfinite(up).all(1)
    assert (known | np.isnan(up).all(1)).all()
    assert np.allclose(np.linalg.norm(up[known], axis=1), 1.0, atol=1e-5)
    assert np.isin(out["direction"], (-1, 0, 1, 2, 9)).all()
    assert np.array_equal(np.isfinite(out["step_time"]), out["step"])
    for name in ("cadence", "sway", "distance", "ttc"):
        assert not (out[name] < 0).any(), name
    for name in ("cadence", "speed", "lean", "sway", "risk", "distance", "closing"):
        assert not np.isinf(out[name]).any(), name
    assert not (np.abs(out["lean"]) > math.pi / 2 + 1e-5).any()
    assert not ((out["risk"] < 0) | (out["risk"] > 1)).any()


WILD = st.one_of(
    st.floats(width=32),
    st.floats(-100, 100, width=32),
    st.sampled_from([0.0, -0.0, 9.81, 400.0, 1e-40, 3.4e38, math.nan, math.inf, -math.inf]),
)


@given(
    fs=st.sampled_from([20.0, 33.3, 100.0, 400.0]),
    rows=st.lists(st.lists(WILD, min_size=6, max_size=6), min_size=1, max_size=12),
    times=st.lists(st.floats(), max_size=6),
    pings=st.lists(st.tuples(st.floats(), st.floats(width=32), st.integers(-9, 9)), max_size=8),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=100)
def test_nothing_that_comes_in_gives_nonsense(fs, rows, times, pings, seed):
    """Any values, any times, any pings, amid a walk: no crash, and only documented results."""
    t, acc, gyro, echoes = story(seed, 4.0, fs)
    random = np.random.default_rng(seed)
    places = random.integers(0, len(t), len(rows))
    acc[places], gyro[places] = [row[:3] for row in rows], [row[3:] for row in rows]
    for time, place in zip(times, random.integers(0, len(t), len(times)), strict=True):
        t[place] = time
    core = Core(fs, has_ranger=1)
    half = len(t) // 2
    columns, told = core.run(t[:half], acc[:half], gyro[:half], echoes)
    documented(columns)
    for ping in pings:
        core.ping(*ping)
    columns, more = core.run(t[half:], acc[half:], gyro[half:])
    documented(columns)
    told += more
    assert [e.sample for e in told] == sorted(e.sample for e in told)
    assert [e.t for e in told] == sorted(e.t for e in told)
    for kind in KINDS:
        level = Level.NONE
        for event in (e for e in told if e.event == kind):
            raised = event.state is State.RAISED
            assert event.level > level if raised else event.level == level > Level.NONE
            level = event.level if raised else Level.NONE


@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 900))
@settings(deadline=None, max_examples=20)
def test_causal(seed, cut):
    """What comes later changes nothing of what was said before."""
    t, acc, gyro, (ping_t, distance, echo) = story(seed, 10.0, 100.0)
    earlier = ping_t <= t[cut - 1]
    whole, told = Core(100.0, has_ranger=1).run(t, acc, gyro, (ping_t, distance, echo))
    pings = ping_t[earlier], distance[earlier], echo[earlier]
    part = Core(100.0, has_ranger=1).run(t[:cut], acc[:cut], gyro[:cut], pings)
    same(({c: v[:cut] for c, v in whole.items()}, [e for e in told if e.sample < cut]), part)


# --- gaps and faults of the motion sensor --------------------------------------------------------


def standing(seconds, fs=100.0):
    n = round(seconds * fs)
    acc, gyro, _ = sense(np.repeat(np.eye(3)[None], n, 0), np.zeros((n, 3)), fs)
    return np.arange(n) / fs, acc, gyro


def faults(t, acc, gyro, fs=100.0):
    _, told = Core(fs).run(t, acc, gyro)
    return [(e.state, round(e.t, 3)) for e in told if e.event == "imu_fault"]


@pytest.mark.parametrize("fs", [20.0, 100.0, 400.0])
def test_no_data_is_a_fault_after_a_tenth_of_a_second(fs):
    t, acc, gyro = standing(6, fs)
    acc[int(2 * fs) : int(3 * fs)] = np.nan
    (raised, at), (cleared, then) = faults(t, acc, gyro, fs)
    assert (raised, cleared) == (State.RAISED, State.CLEARED)
    assert 2.1 <= at <= 2.1 + 2.5 / fs
    assert 4.0 <= then <= 4.0 + 3 / fs  # a second of good data

    t, acc, gyro = standing(6, fs)
    acc[int(2 * fs) : int(2.09 * fs)] = np.nan
    assert not faults(t, acc, gyro, fs)


def test_no_data_from_the_start_is_a_fault():
    t, acc, gyro = standing(1)
    (told,) = faults(t, np.full_like(acc, np.nan), gyro)
    assert told[0] is State.RAISED
    assert told[1] < 0.13


def test_a_hole_in_time_is_a_fault_too():
    t, acc, gyro = standing(6)
    t[200:] += 0.5
    assert [state for state, _ in faults(t, acc, gyro)] == [State.RAISED, State.CLEARED]


def test_frozen_data_is_a_fault_after_half_a_second():
    t, acc, gyro = standing(6)
    acc[200:400], gyro[200:400] = acc[200], gyro[200]
    (raised, at), (cleared, _) = faults(t, acc, gyro)
    assert (raised, cleared) == (State.RAISED, State.CLEARED)
    assert at == 2.5
    out, _ = Core(100.0).run(t, acc, gyro)
    assert np.isnan(out["up"][280:400]).all()
    assert (out["direction"][280:400] == 9).all()
    assert np.isnan(out["lean"][280:400]).all()
    assert np.isfinite(out["lean"][[249, -1]]).all()


@pytest.mark.parametrize("column", ["acc", "gyro"])
def test_absurd_data_is_no_data(column):
    t, acc, gyro = standing(4)
    {"acc": acc, "gyro": gyro}[column][200:230, 0] = 1e38
    assert [state for state, _ in faults(t, acc, gyro)] == [State.RAISED, State.CLEARED]


@pytest.mark.parametrize(("column", "most"), [("acc", 400.0), ("gyro", 70.0)])
def test_what_is_beyond_belief_is_told_by_the_percent(column, most):
    t, acc, gyro = standing(4)
    signal = {"acc": acc, "gyro": gyro}[column]
    signal[200:230] = 0.0
    signal[200:230, 1] = 0.99 * most
    signal[200:230, 0] += np.random.default_rng(1).normal(0, 0.01, 30)  # not frozen
    assert not faults(t, acc, gyro)
    signal[200:230, 1] = 1.01 * most
    assert [state for state, _ in faults(t, acc, gyro)] == [State.RAISED, State.CLEARED]


@pytest.mark.parametrize("column", ["acc", "gyro"])
def test_one_of_the_two_sensors_alone_may_freeze(column):
    for fs in (20.0, 100.0, 400.0):
        t, acc, gyro = standing(6, fs)
        frozen = {"acc": acc, "gyro": gyro}[column]
        frozen[int(2 * fs) : int(4 * fs)] = frozen[int(2 * fs)]
        (raised, at), (cleared, _) = faults(t, acc, gyro, fs)
        assert (raised, cleared) == (State.RAISED, State.CLEARED)
        assert 2.5 <= at <= 2.5 + 1.5 / fs


def test_what_weighs_nothing_for_long_is_a_dead_sensor_and_no_fall():
    """Noise about zero; a leap is weightless for half as long."""
    t, acc, gyro = standing(6)
    acc[200:400] -= [0.0, 0.0, 9.81]
    core = Core(100.0)
    _, told = core.run(t, acc, gyro)
    assert [e.event for e in told] == ["imu_fault", "imu_fault"]
    assert 2.1 < told[0].t < 2.25
    t, acc, gyro = standing(6)
    acc[200:210] -= [0.0, 0.0, 9.81]
    assert not faults(t, acc, gyro)


def test_six_zeros_are_no_sample():
    t, acc, gyro = standing(6)
    acc[200:205], gyro[200:205] = 0.0, 0.0
    assert not faults(t, acc, gyro)
    acc[200:212], gyro[200:212] = 0.0, 0.0
    assert faults(t, acc, gyro)[0][0] is State.RAISED


@pytest.mark.parametrize("scale", [0.1, 0.7, 1.3])
def test_a_sensor_that_rests_far_from_g_is_a_fault(scale):
    t, acc, gyro = standing(30)
    (told,) = faults(t, acc * scale, gyro)
    assert told[0] is State.RAISED
    assert 5.0 < told[1] < 20.0
    assert not faults(t, acc * 1.05, gyro)  # SisFall's sensors rest 4 % off


def test_time_that_stands_still_or_runs_backward_is_a_fault():
    for broken in (np.full(400, 2.0), 4.0 - np.arange(400) / 100, np.full(400, np.nan)):
        t, acc, gyro = standing(4)
        t[200:] = broken[:200]
        assert faults(t, acc, gyro)[0][0] is State.RAISED
    t, acc, gyro = standing(4)
    t[200] = 1.0  # one sample out of order is dropped and nothing is made of it
    assert not faults(t, acc, gyro)


def test_a_gap_opens_and_closes_nothing_but_the_fault():
    """What the judges of motion last said stands for as long as nobody can see."""
    t, acc, gyro = standing(60)
    turn = rotation(0, np.pi * np.clip(t - 3, 0, 1))
    acc, gyro, _ = sense(turn, np.zeros_like(acc), 100.0)  # upside down from 4 s on: not_worn
    acc[3000:4500] = np.nan
    _, told = Core(100.0).run(t, acc, gyro)
    assert [e.state for e in told if e.event == "not_worn"] == [State.RAISED]
    assert [e.event for e in told if 30 <= e.t < 45] == ["imu_fault"]


def test_a_number_that_no_float_holds_is_a_gap():
    """1e300 from a broken driver: the frame is judged as one without data."""
    core, told = Core(100.0), []
    for i in range(200):
        noise = i % 2 / 100
        down = 1e300 if i > 150 else 9.81 + noise
        told += core.step(Frame(t=i / 100, ax=0.0, ay=0.0, az=down, gx=noise, gy=0.0, gz=0.0))
    assert [(e.event, e.state) for e in told] == [("imu_fault", State.RAISED)]
    assert 1.6 < told[0].t < 1.65


# --- pings -------------------------------------------------------------------------------------


def distances(pings):
    t, acc, gyro = standing(4)
    core = Core(100.0, has_ranger=1)
    return core.run(t, acc, gyro, pings, columns=("distance",))[0]["distance"]


def test_a_distance_that_cannot_be_one_is_a_glitch():
    """So is an echo of a kind that does not exist; a sound distance is taken as it is."""
    t = np.arange(0.05, 4, 0.05)
    sound = np.full(len(t), 1.5)
    seen = distances((t, sound, np.zeros(len(t))))
    assert np.allclose(seen[-100:], 1.5, atol=0.05)
    glitch = distances((t, sound * np.nan, np.full(len(t), 5)))
    for distance, echo in ((np.nan, 0), (-1.0, 0), (np.inf, 0), (1.5, 77), (1.5, -1)):
        assert np.array_equal(
            distances((t, sound * 0 + distance, np.full(len(t), echo))), glitch, equal_nan=True
        )


def test_a_ping_without_a_time_holds_up_no_other():
    t = np.arange(0.05, 4, 0.05)
    t[3] = np.nan
    assert np.isfinite(distances((t, np.full(len(t), 1.5), np.zeros(len(t))))[-100:]).all()


# --- parameters, names, ring ---------------------------------------------------------------------


@given(
    name=st.sampled_from([name for name, _ in ffi.typeof("rg_params").fields]),
    value=st.one_of(st.floats(width=32), st.just(math.nan)),
)
def test_a_parameter_is_taken_or_refused_by_name(name, value):
    low, high = ffi.new("float *"), ffi.new("float *")
    position = [n for n, _ in ffi.typeof("rg_params").fields].index(name) + 1
    lib.rg_params_bounds(position, low, high)
    given_ = {"fs": 100.0, name: value}
    if low[0] <= value <= high[0]:
        Core(**given_)
    else:
        with pytest.raises(ValueError, match=rf"^{name} = .* give {low[0]:g} to {high[0]:g}$"):
            Core(**given_)


def test_an_unknown_parameter_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"near_zon is no parameter.*near_zone"):
        Core(100.0, near_zon=0.5)


def test_every_default_is_possible():
    for fs in (20.0, 95.238, 400.0):
        assert Core(fs).run([], np.empty((0, 3)), np.empty((0, 3)))[1] == []


def test_names_are_those_of_the_alerts():
    assert (*JUDGED, "up_and_walking") == KINDS
    words = [ffi.string(lib.rg_level_name(level)).decode() for level in range(lib.RG_DANGER + 1)]
    assert words == [level.word for level in Level]
    assert ffi.string(lib.rg_kind_name(99)) == ffi.string(lib.rg_level_name(-1)) == b""


@given(sequence=st.integers(1, 2**64 - 1), payload=st.binary(max_size=SLOT_SIZE - 16))
def test_a_published_slot_is_what_readers_check(sequence, payload):
    ring = bytearray(RING_HEADER_SIZE + 3 * SLOT_SIZE)
    offset = RING_HEADER_SIZE + SLOT_SIZE
    publish(ring, offset, sequence, payload)
    slot = bytes(ring[offset : offset + 16 + len(payload)])
    number = sequence.to_bytes(8, "little")
    crc = zlib.crc32(number + payload)
    assert crc == slot_crc(sequence, payload)
    head = number + crc.to_bytes(4, "little") + len(payload).to_bytes(4, "little")
    assert slot == head + payload
    assert not any(ring[:offset])
    assert not any(ring[offset + 16 + len(payload) :])


@pytest.mark.parametrize("offset", [-8, 4, 120, 10**9])
def test_a_slot_outside_the_ring_is_refused(offset):
    with pytest.raises(ValueError, match="does not fit"):
        publish(bytearray(128), offset, 1, b"x")


def test_a_foreign_or_damaged_state_is_refused():
    core = Core(100.0)
    saved = core.save()
    for wrong, words in (
        (b"", "cut short"),
        (b"RGCORE00" + saved[8:], "another build"),
        (saved[:8] + b"\x01\0\0\0" + saved[12:], "another build"),
        (saved[:-1], "damaged"),
        (saved[:100] + bytes([saved[100] ^ 1]) + saved[101:], "damaged"),
    ):
        with pytest.raises(ValueError, match=words):
            core.restore(wrong)
    assert core.save() == saved


# --- warmth ---


@pytest.mark.parametrize("by", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_where_nothing_is_known_of_warmth_nothing_changes(by):
    t, acc, gyro, _ = story(5, 20.0, 100.0)
    told, quiet = Core(100.0), Core(100.0)
    for k in range(0, len(t), 100):
        rows = slice(k, k + 100)
        told.drift(by)
        same(told.run(t[rows], acc[rows], gyro[rows]), quiet.run(t[rows], acc[rows], gyro[rows]))
    assert told.save() == quiet.save()


def test_what_was_told_of_warmth_is_part_of_the_state():
    fs, (t, acc, gyro, _) = 100.0, story(6, 30.0, 100.0)
    cores = [Core(fs) for _ in range(3)]
    for core in cores:
        core.run(t[:2000], acc[:2000], gyro[:2000])
    cores[0].drift(0.01)
    cores[1].restore(cores[0].save())
    warm, restored, cold = (core.run(t[2000:], acc[2000:], gyro[2000:]) for core in cores)
    same(warm, restored)
    assert not np.array_equal(warm[0]["up"], cold[0]["up"], equal_nan=True)


# --- a motion sensor that comes late ---


@pytest.mark.parametrize("before", ["gaps", "another life"])
def test_another_sensor_is_judged_as_if_it_had_been_there_from_its_first_sample(before):
    """What was before leaves nothing in what only samples tell."""
    fs = 100.0
    late = Core(400.0, has_ranger=0.0)
    t, acc, gyro, _ = story(3, 10.0, 400.0)
    if before == "gaps":
        acc[:] = np.nan
    late.run(t, acc, gyro)
    late.retime(fs)
    assert late.fs == fs
    acc, gyro, _ = sense(*walk(20.0, fs), fs)
    when = t[-1] + 1.0 + np.arange(len(acc)) / fs
    out, told = late.run(when, acc, gyro)
    fresh, told_fresh = Core(fs, has_ranger=0.0).run(when, acc, gyro)
    for name in ALL:
        assert np.array_equal(out[name], fresh[name], equal_nan=True), name
    raised = [
        [(j.t, j.event) for j in each if j.state is State.RAISED] for each in (told, told_fresh)
    ]
    assert raised[0] == raised[1]


def test_a_sensor_that_comes_late_changes_nothing_that_is_open_or_behind():
    fs, core = 100.0, Core(100.0, has_ranger=1.0)
    usual = [Usual(0.5, 0.02, 0.1, 0.03, 80), Usual(0.4, 0.02, 0.1, 0.03, 80)]
    core.recall(usual)
    t = np.arange(300) / fs
    gone = np.full((300, 3), np.nan)
    pings = (np.arange(0.05, 3.0, 0.06), 3.0 - np.arange(0.05, 3.0, 0.06), np.zeros(50, int))
    out, told = core.run(t, gone, gone, pings)
    assert {j.event for j in told if j.state is State.RAISED} == {"imu_fault", "obstacle"}
    core.retime(104.0)
    assert core.usual() == [pytest.approx(one) for one in usual]
    acc, gyro, _ = sense(np.repeat(np.eye(3)[None], 300, 0), np.zeros((300, 3)), 104.0)
    after, told = core.run(3.0 + np.arange(300) / 104.0, acc, gyro)
    assert after["distance"][0] == pytest.approx(out["distance"][-1], abs=0.05)
    cleared = next(j for j in told if j.event == "imu_fault")
    assert (cleared.state, cleared.sample > 300) == (State.CLEARED, True)


def test_an_impossible_rate_is_refused_and_changes_nothing():
    core = Core(100.0)
    before = core.save()
    with pytest.raises(ValueError, match="5 samples a second are impossible"):
        core.retime(5.0)
    assert (core.save(), core.fs) == (before, 100.0)


def test_shapes_that_do_not_fit_are_refused():
    t, acc, gyro = standing(1)
    for wrong in ((t[1:], acc, gyro), (t, acc[:, :2], gyro), (t, acc, gyro.T), (0.0, acc, gyro)):
        with pytest.raises(ValueError, match="N×3"):
            Core(100.0).run(*wrong)
    with pytest.raises(ValueError, match="pings"):
        Core(100.0).run(t, acc, gyro, ([0.1, 0.2], [1.0], [0]))


def test_pings_come_as_records_too():
    data = story(5, 6.0, 100.0)
    records = np.empty(len(data[3][0]), PING)
    records["t"], records["range"], records["echo"] = data[3]
    ranging = Core(100.0, has_ranger=1), Core(100.0, has_ranger=1)
    same(ranging[0].run(*data), ranging[1].run(*data[:3], records))


def test_only_the_columns_asked_for():
    t, acc, gyro = standing(1)
    out, _ = Core(100.0).run(t, acc, gyro, columns=("risk", "up"))
    assert {c: v.shape for c, v in out.items()} == {"risk": (100,), "up": (100, 3)}


def test_more_events_than_one_call_has_room_for():
    """A sensor that comes and goes for ten minutes: every episode is told, in order."""
    t, acc, gyro = standing(600)
    for start in range(100, len(t) - 200, 200):
        acc[start : start + 30] = np.nan
    told = faults(t, acc, gyro)
    assert len(told) == len(set(told)) > 512


def test_a_gap_of_any_length_costs_no_more_than_one_sample():
    """Filling in what was lost would hold up the loop: a month of frames, or a clock that jumps."""
    script = (
        "import numpy as np\nfrom device.core import Core\n"
        "n = 600\nt = np.arange(n) / 100\n"
        "t[200:] += 30 * 86400.0\nt[400:] += 1e15\n"
        "random = np.random.default_rng(1)\n"
        "acc = random.normal((0.0, 0.0, 9.81), 0.1, (n, 3))\n"
        "gyro = random.normal(0.0, 0.01, (n, 3))\n"
        "Core(100.0).run(t, acc.astype(np.float32), gyro.astype(np.float32))\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
