"""The map of where the floor answers, by itself: what it learns, what it does not take for one."""

from __future__ import annotations

import numpy as np
import pytest

from device.core.build import HERE
from tests.core.conftest import driven

PERIOD = 0.05  # s between pings
_HEAR = (
    "void hear(float period, int n, const float *heard, float lean,"
    " int asked, const float *at, unsigned char *may, float *rate)"
)
_DRIVER = (
    '#include "floor.h"\n'
    + _HEAR
    + """
{
    rg_params params;
    rg_floor floor;
    rg_params_default(&params, 100.0f);
    params.ranger_height = 1.0f;
    params.ranger_pitch = 0.6f;     /* above the floor: only what is learnt counts */
    rg_floor_init(&floor);
    rg_floor_step(&floor, &params, 0.0f, RG_NO_FLOOR, 0.01f);
    for (int i = 0; i < n; i++) {
        rg_floor_ping(&floor, period);
        if (heard[i] > 0.0f)
            rg_floor_echo(&floor, heard[i]);
    }
    rg_floor_step(&floor, &params, lean, RG_NO_FLOOR, 0.01f);
    for (int i = 0; i < asked; i++) {
        may[i] = rg_floor_may_answer(&floor, at[i]);
        rate[i] = rg_floor_rate(&floor, at[i]);
    }
}
"""
)


@pytest.fixture(scope="module")
def hear(tmp_path_factory):
    """`hear(ranges of pings, 0: no answer; at; lean)`: may it answer there; how often, 1/(m s)."""
    parts = [str(HERE / name) for name in ("floor.c", "params.c")]
    ffi, lib = driven(tmp_path_factory.mktemp("floor"), _DRIVER, _HEAR + ";", parts)

    def said(heard, at, lean=0.0):
        heard, at = (np.ascontiguousarray(x, "f4") for x in (heard, at))
        may, rate = np.zeros(len(at), "u1"), np.zeros(len(at), "f4")
        lib.hear(
            PERIOD, len(heard), ffi.from_buffer("float[]", heard), lean, len(at),
            ffi.from_buffer("float[]", at), ffi.from_buffer("unsigned char[]", may),
            ffi.from_buffer("float[]", rate),
        )  # fmt: skip
        return may.astype(bool), rate

    return said


def rough(at):
    """Three pings in ten answered from about `at` [m], for 20 s."""
    rng = np.random.default_rng(2)
    n = round(20 / PERIOD)
    return np.where(rng.random(n) < 0.3, at + 0.05 * rng.normal(size=n), 0.0)


def even():
    """Every ping answered for 20 s, as evenly over 4 m as can be: a second belt."""
    return 4.0 * (np.arange(round(20 / PERIOD)) * 0.6180339887 % 1.0)  # the golden ratio's


def test_it_is_where_it_answers(hear):
    may, rate = hear(rough(3.0), [2.0, 2.4, 3.0, 3.8])
    assert may.tolist() == [False, False, True, False]
    assert rate[2] > 1.0
    assert not rate[:2].any()


def test_it_keeps_its_angle_below_the_trunk(hear):
    """Leaning back by 6° brings it from 3.0 m to where the beam now meets it."""
    near = 1.0 / np.sin(np.arcsin(1.0 / 3.0) + 0.1)  # m; the ranger hangs 1 m high
    may, _ = hear(rough(3.0), [near, 3.0], lean=-0.1)
    assert may.tolist() == [True, False]


def test_a_second_belt_is_no_floor(hear):
    """However often it is heard everywhere, nowhere more than elsewhere."""
    may, _ = hear(even(), np.arange(1.6, 4.0, 0.05))
    assert not may.any()


def test_a_floor_beside_a_second_belt(hear):
    """It must stand out from what is heard everywhere."""
    floor = rough(3.0)
    may, _ = hear(np.where(floor > 0, floor, even()), [2.0, 2.4, 3.0])
    assert may.tolist() == [False, False, True]


def test_what_is_heard_everywhere_is_heard_as_often_everywhere(hear):
    """20 echoes a second over 4 m are 5 a metre and second, wherever one asks."""
    _, rate = hear(even(), np.arange(1.65, 3.6, 0.1))
    assert rate == pytest.approx(5.0, rel=0.25)


def test_near_by_there_is_none(hear):
    may, rate = hear(rough(1.5), [1.4, 1.5, 1.59])
    assert not may.any()
    assert not rate.any()


def test_it_is_forgotten_within_seconds(hear):
    for silent, remembered in ((8.0, True), (13.0, False)):
        may, _ = hear(np.concatenate([rough(3.0), np.zeros(round(silent / PERIOD))]), [3.0])
        assert may[0] == remembered


def test_echoes_of_the_last_half_second_may_be_the_targets_own(hear):
    for answered, known in ((0.4, False), (0.7, True)):
        may, _ = hear(np.full(round(answered / PERIOD), 3.0), [3.0])
        assert may[0] == known
