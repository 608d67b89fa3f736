"""impact.c by itself: a hard jolt, then lying at rest; its limits, and getting up again."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.conftest import driven

FS = 100.0
DRIVER = """#include "impact.h"
void run(int n, const float *beyond, const float *tilt, const float *turning, const float *odds,
         const signed char *imminent, const signed char *settled, const int *steps,
         const signed char *faint, signed char *fall, signed char *well)
{
    static rg_falls falls;
    rg_impact s;
    rg_params params;
    rg_params_default(&params, 100.0);
    rg_impact_init(&s, &params);
    for (int i = 0; i < n; i++) {
        rg_demand demand = {.most = 0};
        rg_body body = {.dt = 0.01f, .acc_norm = 9.81f + beyond[i], .tilt = tilt[i]};
        rg_gait gait = {.steps = steps[i], .walking = true, .faint = faint[i]};
        body.gyro[1] = turning[i];
        body.settled = settled[i];
        falls.odds.fallen = odds[i];
        if (imminent[i])
            rg_demand_ask(&demand, RG_FALL_IMMINENT, RG_DANGER);
        rg_impact_step(&s, &body, &gait, &falls, &demand);
        fall[i] = demand.level[RG_FALL] > 0;
        well[i] = demand.level[RG_UP_AND_WALKING] > 0;
    }
}
"""
DECLARED = (
    "void run(int, float *, float *, float *, float *, signed char *, signed char *, int *,"
    " signed char *, signed char *, signed char *);"
)
KINDS = {"beyond": "f4", "tilt": "f4", "turning": "f4", "odds": "f4", "imminent": "i1",
         "settled": "i1", "steps": "i4", "faint": "i1"}  # fmt: skip
C = {"f4": "float[]", "i1": "signed char[]", "i4": "int[]"}
HIT = 10.0  # s


@pytest.fixture(scope="module")
def lies(tmp_path_factory):
    """Functions of time, or numbers, to (s that a fall is asked for, s of being well again)."""
    ffi, lib = driven(tmp_path_factory.mktemp("impact"), DRIVER, DECLARED)
    t = np.arange(4000) / FS

    def run(**given):
        usual = {"beyond": jolt(0.9), "tilt": down(), "turning": 0.0, "odds": 0.0,
                 "imminent": 0, "settled": 1, "steps": 0, "faint": 0} | given  # fmt: skip
        arrays = [
            (usual[name](t) if callable(usual[name]) else np.full(len(t), usual[name])).astype(kind)
            for name, kind in KINDS.items()
        ]
        out = [np.zeros(len(t), "i1") for _ in range(2)]
        kinds = [*KINDS.values(), "i1", "i1"]
        lib.run(
            len(t), *(ffi.from_buffer(C[k], a) for k, a in zip(kinds, [*arrays, *out], strict=True))
        )
        return t[out[0] > 0], t[out[1] > 0]

    return run


def jolt(*much, apart=1):
    """m/s at HIT, a sample each, so many samples apart."""

    def beyond(t):
        made = np.zeros(len(t))
        for k, one in enumerate(much):
            made[round(HIT * FS) + k * apart] = one * FS
        return made

    return beyond


def down(tilt=1.2, begin=HIT + 0.2, end=99.0):
    """Upright; from `begin` to `end` tilted."""
    return lambda t: np.where((t >= begin) & (t < end), tilt, 0.0)


def at(value, begin, end=99.0, other=0.0):
    return lambda t: np.where((t >= begin - 1e-6) & (t < end - 1e-6), value, other)


def test_who_hits_hard_and_lies_at_rest_for_a_second_has_fallen(lies):
    fallen, well = lies()
    assert fallen[0] == pytest.approx(HIT + 1.2, abs=0.02)
    assert fallen[-1] > 39.0, "and goes on lying"
    assert len(well) == 0
    assert len(lies(beyond=0.0)[0]) == len(lies(tilt=0.0)[0]) == 0


@pytest.mark.parametrize(("much", "told"), [((0.88,), 1), ((0.82,), 0)])
@pytest.mark.parametrize("as_well", [{}, {"imminent": at(1, HIT - 2.2, HIT - 2.1)}])
def test_how_hard_is_hard(lies, much, told, as_well):
    assert (len(lies(beyond=jolt(*much), **as_well)[0]) > 0) == told


@pytest.mark.parametrize(("much", "told"), [((0.58,), 1), ((0.52,), 0)])
def test_what_was_seen_coming_need_not_be_so_hard(lies, much, told):
    seen = at(1, HIT - 1.95, HIT - 1.9)
    assert (len(lies(beyond=jolt(*much), imminent=seen)[0]) > 0) == told


def test_jolts_add_up_for_a_tenth_of_a_second(lies):
    assert len(lies(beyond=jolt(0.5, 0.5, apart=3))[0]) > 0
    assert len(lies(beyond=jolt(0.5, 0.5, apart=5))[0]) == 0


def test_who_lay_before_has_not_fallen(lies):
    """Turning over in bed: tilted for two time constants and a little is lying."""
    for tilt, since, told in ((1.0, 9.0, 1), (1.1, 9.0, 0), (1.5, 2.2, 1), (1.5, 2.6, 0)):
        fallen, _ = lies(tilt=down(tilt, HIT - since), turning=at(1.0, 0.0, HIT))
        assert (len(fallen) > 0) == told, (tilt, since)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"tilt": down(0.72)}, 1),
        ({"tilt": down(0.68)}, 0),
        ({"turning": 0.58}, 1),
        ({"turning": 0.62}, 0),
        ({"tilt": down(begin=HIT + 4.95)}, 1),
        ({"tilt": down(begin=HIT + 5.05)}, 0),
        ({"tilt": down(begin=HIT + 0.2, end=HIT + 1.15)}, 0),
        ({"settled": at(0, HIT + 1.1, HIT + 1.15, 1)}, 1),
    ],
)
def test_lying_is_far_over_and_still_and_soon_after(lies, how, told):
    assert (len(lies(**how)[0]) > 0) == told


def test_a_hole_in_the_data_begins_the_rest_anew(lies):
    fallen, _ = lies(settled=at(0, HIT + 1.1, HIT + 1.15, 1))
    assert fallen[0] == pytest.approx(HIT + 2.15, abs=0.02)
    hit = lies(beyond=jolt(0.5, 0.5, apart=3), settled=at(0, HIT + 0.01, HIT + 0.02, 1))
    assert len(hit[0]) == 0, "nor is a jolt carried over it"


@pytest.mark.parametrize(("odds", "after"), [(-2.9, 1.0), (-3.1, 15.0)])
def test_where_the_network_rules_it_out_lying_must_be_long(lies, odds, after):
    fallen, _ = lies(odds=odds)
    assert fallen[0] == pytest.approx(HIT + 0.2 + after, abs=0.02)
    before = lies(odds=at(0.0, 0.0, HIT - 0.5, odds))[0]
    assert before[0] == fallen[0], "what it said before the impact does not count"
    since = lies(odds=at(0.0, HIT + 0.5, HIT + 0.6, odds))[0]
    assert since[0] == pytest.approx(HIT + 1.2, abs=0.02), "once is enough"


def test_who_walks_upright_is_well_again(lies):
    up = HIT + 5.0

    def walks(t):
        return np.floor(np.clip(t - up - 0.5, 0.0, 30.0)).astype(int) + 7

    def rises(tilt):
        return lambda t: np.where(t < up, down()(t), tilt)

    fallen, well = lies(tilt=rises(0.48), steps=walks)
    assert fallen[-1] == pytest.approx(up, abs=0.02)
    assert well == pytest.approx([up + 4.5], abs=0.02), "at the fourth step, once"
    fallen, well = lies(tilt=rises(0.52), steps=walks)
    assert (fallen[-1] > 39.0, len(well)) == (True, 0), "not who is still bent over"
    assert len(lies(tilt=rises(0.0), steps=walks, faint=1)[1]) == 0, "nor who rocks"
    assert len(lies(tilt=rises(0.0), steps=walks, faint=at(1, 0.0, up + 3.0))[1]) == 1
