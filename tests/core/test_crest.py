"""crest.c by itself: where crests of a swinging signal lie, and how high they rose."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def crests(inner):
    """Of a signal at `fs`: [(s, swing, s when it was told)]."""
    ffi, lib = inner

    def run(signal, fs, enough=1.0, longest=0.5):
        state, found, before = ffi.new("rg_crest *"), [], float(signal[0])
        for n, now in enumerate(signal):
            if lib.rg_crest_step(state, n / fs, 1 / fs, before, now, enough, longest):
                found.append((state.t, state.swing, n / fs))
            before = now
        return np.array(found).reshape(-1, 3)

    return run


def swings(t, size=1.0, hz=1.0):
    return -size * np.cos(2 * np.pi * hz * t)


# Times are those of the sample before the newest, as attitude tells it: one sample earlier.


@pytest.mark.parametrize("fs", [20.0, 33.0, 100.0])
def test_crests_are_found_between_samples(crests, fs):
    t = np.arange(round(10 * fs)) / fs
    found = crests(swings(t - 0.013), fs)
    assert len(found) == 10
    off = found[:, 0] - (np.arange(10) + 0.513)
    assert abs(off - off.mean()).max() < 0.05 / fs, "to a part of a sample"
    assert found[1:, 1] == pytest.approx(2.0, abs=12.0 / fs**2 * 2)


def test_a_swing_must_rise_and_fall_by_enough(crests):
    t = np.arange(1000) / 100.0
    assert len(crests(swings(t, 0.495), 100.0)) == 0
    assert len(crests(swings(t, 0.505), 100.0, longest=9.0)) == 10
    ripple = swings(t) + 0.3 * np.sin(2 * np.pi * 5 * t)
    assert len(crests(ripple, 100.0)) == 10, "ripples on it are none"


def test_it_is_told_as_soon_as_it_is_sure(crests):
    t = np.arange(300) / 100.0
    ((at, swing, told), *_) = crests(swings(t), 100.0, longest=9.0)
    assert at == pytest.approx(0.5, abs=0.011)
    assert told == pytest.approx(0.75, abs=0.021), "when it has fallen by 1 of its 2"
    assert swing == pytest.approx(2.0, abs=0.01)


def test_what_rises_and_stays_is_a_crest_after_a_while(crests):
    t = np.arange(300) / 100.0
    held = np.where(t < 1.0, 0.0, 2.0)
    found = crests(held, 100.0, longest=0.5)
    assert len(found) == 1
    at, swing, told = found[0]
    assert at == pytest.approx(1.0, abs=0.011)
    assert swing == pytest.approx(2.0)
    assert told - at == pytest.approx(0.5, abs=0.021)
