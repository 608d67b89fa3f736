"""Replay decides as the loop does, and never from what has not happened yet."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.alerts import Level, Record, State
from device.archive import Archive
from device.config import Wearer
from device.core import PING, Core, Judgement
from device.policy import Policy
from device.recordings import Recording, RecordingSet
from device.replay import ESTIMATES, Judged, Signals, averaged, decide, frame_at, line_of, replay
from tests.replay.sets import judged, recording


def lines(found: Judged) -> list[str]:
    return [json.dumps(line_of(record, "it")) for record in found.records]


def cut(whole: Recording, n: int) -> Recording:
    """Its first n samples, as if the rest had not happened."""
    pings = whole.pings
    return replace(
        whole,
        entry=replace(whole.entry, n=n),
        t=whole.t[:n],
        acc=whole.acc[:n],
        gyro=whole.gyro[:n],
        pings=None if pings is None else pings[pings["t"] <= whole.t[n - 1]],
    )


def as_the_loop(whole: Recording) -> list[Record]:
    """One sample at a time through core and policy, the policy asked at every sample."""
    core = Core(whole.entry.fs, has_ranger=float(whole.pings is not None))
    trial = whole.entry.trial
    policy = Policy(Wearer(), "replay", trial, f"replayed:{trial}")
    pings = [] if whole.pings is None else whole.pings.tolist()
    signals = judged(whole).signals
    blank = judged(whole, distance=signals.t, closing=signals.t, ttc=signals.t).estimates
    records = []
    for k, t in enumerate(whole.t.tolist()):
        while pings and pings[0][0] <= t:
            core.ping(*pings.pop(0))
        frame = frame_at(signals, blank, k)
        judgements = core.step(frame)
        records += policy.judge(t, k, judgements, frame)
    return records


def approach(n: int, fs: float = 100.0) -> np.ndarray:
    """Pings [PING] of something that comes nearer at 0.8 m/s, then no answer at all."""
    t = np.arange(0.03, n / fs, 0.06)
    pings = np.zeros(len(t), PING)
    pings["t"], pings["range"] = t, np.maximum(3.5 - 0.8 * t, 0.3)
    silent = t > 0.7 * t[-1]
    pings["range"][silent], pings["echo"][silent] = np.nan, 2
    return pings


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ranger", [False, True])
def test_replay_is_the_loop(seed: int, ranger: bool) -> None:
    whole = recording(1500, tumble=seed, pings=approach(1500) if ranger else None)
    theirs = [json.dumps(line_of(record, "it")) for record in as_the_loop(whole)]
    assert lines(replay(whole)) == theirs


@given(seed=st.integers(0, 30), share=st.floats(0, 1), rate=st.sampled_from([None, 20.0, 47.0]))
@settings(max_examples=60, deadline=None)
def test_nothing_depends_on_a_later_sample(seed: int, share: float, rate: float | None) -> None:
    whole = recording(1200, tumble=seed, pings=approach(1200))
    n = 10 + int(share * 1190)
    all_of_it, part = replay(whole, rate), replay(cut(whole, n), rate)
    rows = len(part.signals.t)
    for name in ESTIMATES:
        np.testing.assert_array_equal(part.estimates[name], all_of_it.estimates[name][:rows])
    last = part.signals.newest[-1]
    seen = [line for line, r in zip(lines(all_of_it), all_of_it.records, strict=True)
            if r.sample <= last]  # fmt: skip
    assert lines(part) == seen


def test_real_falls_replay_as_the_loop_and_causally(recordings: Callable[[str], Path]) -> None:
    folder = recordings("kfall")
    known = RecordingSet(folder)
    entries = next(iter(known.files.values()))
    archive = Archive(folder / entries[0].file)
    events = 0
    for entry in [e for e in entries if e.fall][:3] + [e for e in entries if e.code == "D06"][:1]:
        whole = archive.trial(entry)
        told = lines(replay(whole))
        assert told == [json.dumps(line_of(record, "it")) for record in as_the_loop(whole)]
        part = replay(cut(whole, entry.n // 2))
        assert lines(part) == [x for x in told if json.loads(x)["sample"] < entry.n // 2]
        events += len(told)
    assert events, "three falls and nothing was said: this test shows nothing"


def test_the_policys_own_time_is_kept_between_judgements() -> None:
    """A fall with no answer becomes a long lie by the passing of time, at the same samples."""
    whole = recording(20000, fs=100.0)
    fall = [Judgement(5.0, 500, "fall", Level.DANGER, State.RAISED)]
    columns = dict.fromkeys(("distance", "closing", "ttc"), whole.t)
    found = judged(whole, **columns)
    records = decide(Policy(Wearer(), "b", "r", "s"), found.signals, found.estimates, fall)

    policy, step_by_step = Policy(Wearer(), "b", "r", "s"), []
    for k, t in enumerate(whole.t.tolist()):
        frame = frame_at(found.signals, found.estimates, k)
        step_by_step += policy.judge(t, k, [j for j in fall if j.sample == k], frame)
    assert records == step_by_step
    assert [(r.event, r.state) for r in records] == [
        ("fall", "raised"), ("long_lie", "raised"), ("long_lie", "confirmed"),
        ("long_lie", "confirmed"),
    ]  # fmt: skip
    assert records[1].t == pytest.approx(5.0 + Wearer().cancel_s, abs=0.011)
    assert len({r.alert_id for r in records}) == 1


def test_walking_on_is_the_policys_business_and_no_event() -> None:
    whole = recording(1000)
    happened = [
        Judgement(1.0, 100, "up_and_walking", Level.INFO, State.RAISED),
        Judgement(2.0, 200, "fall", Level.DANGER, State.RAISED),
        Judgement(5.0, 500, "up_and_walking", Level.INFO, State.RAISED),
    ]
    found = judged(whole, **dict.fromkeys(("distance", "closing", "ttc"), whole.t))
    records = decide(Policy(Wearer(), "b", "r", "s"), found.signals, found.estimates, happened)
    assert [(r.event, r.state, r.by) for r in records] == [
        ("fall", "raised", ""), ("fall_cancelled", "cancelled", "walking"),
    ]  # fmt: skip


def test_a_set_without_ranger_has_no_rear_events() -> None:
    for seed in range(4):
        told = {record.event for record in replay(recording(1000, tumble=seed)).records}
        assert not told & {"obstacle", "rear_blind"}


def test_a_ranger_that_never_answers_is_blind() -> None:
    none = np.empty(0, PING)
    assert "rear_blind" in {r.event for r in replay(recording(1000, pings=none)).records}


@pytest.mark.parametrize(("fs", "rate"), [(100, 20), (200, 20), (95.2381, 20), (100, 30)])
def test_averaging_looks_at_nothing_later(fs: float, rate: float) -> None:
    n = 1000
    t = np.arange(n) / fs
    ramp = np.repeat(t[:, None], 3, axis=1).astype(np.float32)
    found = averaged(Signals(fs, np.arange(n), t, ramp, ramp), rate)
    assert found.fs == rate
    assert len(found.t) == pytest.approx(n * rate / fs, abs=1)
    np.testing.assert_array_equal(found.t, t[found.newest])
    # each block is all samples since the block before: its mean lies half a block back
    starts = np.concatenate([[0], found.newest[:-1] + 1])
    np.testing.assert_allclose(found.acc[:, 0], (t[starts] + found.t) / 2, atol=1e-5)
    # … and ends within one sample before its time is up
    due = np.arange(1, len(found.t) + 1) / rate
    assert (found.t < due + 1e-9).all()
    assert (due - found.t <= 1 / fs + 1e-9).all()


def test_averaging_keeps_gaps_and_refuses_to_invent() -> None:
    whole = recording(100)
    whole.acc[40], whole.gyro[40] = math.nan, math.nan
    signals = judged(whole).signals
    assert np.flatnonzero(np.isnan(averaged(signals, 20).acc[:, 0])).tolist() == [8]
    with pytest.raises(ValueError, match="can't be had"):
        averaged(signals, 101)
    with pytest.raises(ValueError, match="too few"):
        averaged(judged(recording(4)).signals, 20)
