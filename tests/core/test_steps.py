"""What steps.c makes of the odds of a contact, told here in place of the networks."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.conftest import driven

DRIVER = """
#include "steps.h"
static float told;
#define rg_steps_init begin_steps
#define rg_steps_step step_steps
#define rg_step_network_init(network) ((void)(network))
#define rg_step_network_step(network, frame) ((void)(network), (void)(frame), told)
#define rg_step_network_limit() 0.0f
#define rg_step_network_lag() 0.2f
#include "steps.c"

void walk(int n, const float *odds, const float *up, double *time, float *cadence, uint8_t *walking,
          uint8_t *faint)
{
    rg_steps steps;
    rg_gait gait = {0};
    begin_steps(&steps);
    for (int k = 0; k < n; k++) {
        rg_body body = {.t = k / 25.0, .dt = 1.0f / 25.0f, .settled = true};
        rg_walk_frames frames = {.n = 1, .t = {k / 25.0}};
        frames.frame[0][2] = RG_WALK_PER_ACC * up[k];
        told = odds[k];
        gait.step = 0;
        step_steps(&steps, &body, &frames, &gait);
        time[k] = gait.step ? gait.step_time : NAN;
        cadence[k] = gait.cadence;
        walking[k] = gait.walking;
        faint[k] = gait.faint;
    }
}
"""
DECLARED = (
    "void walk(int n, const float *odds, const float *up, double *time, float *cadence,"
    " uint8_t *walking, uint8_t *faint);"
)
RATE, LAG = 25.0, 0.2
# log odds, where the limit is 0, and −3 for a faint walk's next one where it is due
SURE, DOUBTED, UNHEARD, NONE = 2.0, -2.0, -4.0, -9.0


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    ffi, lib = driven(tmp_path_factory.mktemp("steps"), DRIVER, DECLARED)

    def run(contacts, swing=4.0, end=None):
        """Contacts [(t, odds), …] make parabolas of odds, `swing` [m/s²] the body's bounce.

        Returns the frames' times, contacts told and when, cadence, walking, faint.
        """
        end = (contacts[-1][0] if end is None else end) + 1.0
        t = np.arange(round(end * RATE)) / RATE
        odds = np.full(len(t), NONE, np.float32)
        for at, top in contacts:
            odds = np.maximum(odds, top - 300 * (t - at - LAG) ** 2)
        odds = odds.astype(np.float32)
        up = (swing / 2 * np.sin(2 * np.pi * 2 * t)).astype(np.float32)
        time, cadence = np.empty(len(t)), np.empty(len(t), np.float32)
        walking, faint = np.zeros(len(t), np.uint8), np.zeros(len(t), np.uint8)
        lib.walk(
            len(t),
            *(
                ffi.cast(kind, each.ctypes.data)
                for kind, each in (
                    ("float *", odds), ("float *", up), ("double *", time),
                    ("float *", cadence), ("uint8_t *", walking), ("uint8_t *", faint),
                )
            ),
        )  # fmt: skip
        step = np.isfinite(time)
        return t, time[step], t[step], cadence, walking, faint

    return run


def even(n, every, odds=SURE, start=1.0):
    return [(start + k * every, odds) for k in range(n)]


def test_a_contact_is_told_a_frame_after_the_top_with_its_time_between_frames(walk):
    contacts = even(12, 0.53)
    _, times, told, *_ = walk(contacts)
    assert times == pytest.approx([at for at, _ in contacts], abs=1e-4)
    delay = told - times
    assert delay.min() > LAG
    assert delay.max() < LAG + 1.5 / RATE + 1e-6


@pytest.mark.parametrize(("odds", "heard"), [(0.2, 8), (-0.1, 0)])
def test_odds_under_the_limit_are_no_contact(walk, odds, heard):
    assert len(walk(even(8, 0.52, odds))[1]) == heard


@pytest.mark.parametrize(("after", "count"), [(0.26, 5), (0.36, 6)])
def test_no_two_contacts_within_0_3_s(walk, after, count):
    contacts = even(5, 0.8)
    assert len(walk([*contacts, (contacts[-1][0] + after, SURE)])[1]) == count


@pytest.mark.parametrize(("pause", "goes_on"), [(1.3, True), (1.8, False)])
def test_a_walk_ends_1_5_s_after_its_last_contact(walk, pause, goes_on):
    first = even(5, 0.6)
    again = first[-1][0] + pause
    t, _, told, cadence, walking, _ = walk([*first, (again, SURE)], end=again + 3)
    assert walking[t < told[-1]][-1] == goes_on
    assert (cadence[t < told[-1]][-1] > 0) == goes_on
    assert not walking[-1]
    assert cadence[-1] == 0


def test_cadence_follows_the_intervals(walk):
    *_, cadence, _, _ = walk(even(20, 0.6))
    assert cadence[-20] == pytest.approx(100, abs=0.1)
    quick = even(6, 0.6) + even(20, 0.4, start=4.4)
    *_, cadence, _, _ = walk(quick)
    assert cadence[-20] == pytest.approx(150, abs=1)


# --- faint: the body hardly swings ---


def test_four_faint_ones_that_are_alike_are_a_walk_and_all_are_told(walk):
    contacts = even(6, 1.0)
    t, times, told, _, walking, faint = walk(contacts, swing=0.8)
    assert times == pytest.approx([at for at, _ in contacts], abs=1e-4)
    assert told[0] > contacts[3][0]  # it waited for the fourth
    assert faint[t >= told[3]].all()
    assert walking[t >= told[3]].all()
    assert len(walk(contacts[:3], swing=0.8)[1]) == 0


@pytest.mark.parametrize(("late", "told"), [(0.2, 5), (0.3, 0)])
def test_faint_ones_that_are_not_alike_are_no_walk(walk, late, told):
    """Each second interval is longer than the one before it by that share."""
    at = np.cumsum([1.0, 1.0, 1.0 + late, 1.0, 1.0 + late])
    assert len(walk([(t, SURE) for t in at], swing=0.8)[1]) == told


@pytest.mark.parametrize(
    ("after", "odds", "heard"),
    [
        (1.0, DOUBTED, True),
        (0.8, DOUBTED, True),
        (1.2, DOUBTED, True),
        (0.7, DOUBTED, False),  # not due yet
        (1.3, DOUBTED, False),  # no more
        (1.0, UNHEARD, False),
        (0.7, SURE, True),
    ],
)
def test_a_faint_walks_next_one_is_taken_with_less_odds_where_it_is_due(walk, after, odds, heard):
    contacts = even(6, 1.0)
    last = contacts[-1][0] + after
    assert len(walk([*contacts, (last, odds)], swing=0.8)[1]) == 6 + heard


def test_no_other_walks_next_one_is(walk):
    contacts = even(6, 1.0)
    assert len(walk([*contacts, (contacts[-1][0] + 1.0, DOUBTED)])[1]) == 6
