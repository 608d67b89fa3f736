"""The figures, on truth made by hand whose answers are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.alerts import Record
from device.figures import attitude, falls, motion, steps
from device.figures.falls import Alarms
from device.figures.figure import an_hour, over_subjects, share, wilson
from device.figures.steps import match
from tests.replay.sets import judged, recording


def alarms(
    subject: str = "A", *, raised: dict[str, list[float]] | None = None, **given: Any
) -> Alarms:
    plain: dict[str, Any] = {
        "subject": subject, "activity": "Fall", "fall": True, "hours": 0.01, "onset": 5.0,
        "impact": 6.0, "raised": raised or {}, "walk": False, "plain": False,
    }  # fmt: skip
    return Alarms(**plain | given)


def test_wilson_is_wilson() -> None:
    # Newcombe 1998 (Stat. Med. 17, 857), table I, method 3
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors(counts: tuple[int, int]) -> None:
    hits, n = counts
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    assert wilson(n - hits, n) == pytest.approx((1 - high, 1 - low))


def test_a_bootstrap_is_over_subjects_and_repeats() -> None:
    pairs = [("A", 1.0)] * 50 + [("B", 3.0)] * 50
    found = over_subjects(pairs, lambda seen: float(np.mean(seen)), "s", 100, "things")
    assert (found.value, found.low, found.high) == (2.0, 1.0, 3.0)
    assert found == over_subjects(pairs, lambda seen: float(np.mean(seen)), "s", 100, "things")
    alone = over_subjects(pairs[:50], lambda seen: float(np.mean(seen)), "s", 50, "things")
    assert (alone.value, alone.low) == (1.0, None)


def test_events_an_hour() -> None:
    found = an_hour([("A", 2, 1.0), ("A", 0, 0.5), ("B", 0, 0.5)], "trials")
    assert (found.value, found.hits, found.hours, found.n) == (1.0, 2, 2.0, 3)
    assert found.low == 0.0
    assert found.high == pytest.approx(2 / 1.5)
    none = an_hour([("A", 0, 1.0), ("B", 0, 1.0)], "trials")
    assert none.value == 0
    assert none.high == pytest.approx(3.689 / 2, abs=1e-3)  # Poisson's exact limit for no event


def test_no_number_that_json_does_not_know() -> None:
    empty = share(0, 0, "trials").to_dict()
    assert empty["value"] is None
    assert empty["hits"] == 0
    assert over_subjects([("A", 1.0)], lambda _: math.nan, "s", 1, "things").value is None


@pytest.mark.parametrize(
    ("t", "onset", "hit", "early"),
    [
        (4.79, 5.0, False, True), (4.8, 5.0, True, False), (5.99, 5.0, True, False),
        (6.0, 5.0, False, False), (4.49, None, False, True), (4.5, None, True, False),
    ],
)  # fmt: skip
def test_the_window_of_a_prediction(t: float, onset: float | None, hit: bool, early: bool) -> None:
    trial = alarms(raised={"fall_imminent": [t]}, onset=onset)
    assert (trial.predicted is not None, trial.early) == (hit, early)


def test_only_the_first_prediction_counts() -> None:
    assert alarms(raised={"fall_imminent": [2.0, 5.5]}).predicted is None
    assert alarms(raised={"fall_imminent": [5.4, 5.5]}).predicted == 5.4


@pytest.mark.parametrize(
    ("t", "hit"), [(5.89, False), (5.9, True), (6.0, True), (16.0, True), (16.01, False)]
)
def test_the_window_of_a_detection(t: float, hit: bool) -> None:
    assert alarms(raised={"fall": [t]}).detected is hit
    assert alarms(raised={"fall": [1.0, t]}).detected is hit


def test_figures_of_falls() -> None:
    adl = {"fall": False, "onset": None, "impact": math.nan, "hours": 0.5}
    found = falls.figures(
        [
            alarms("A", raised={"fall_imminent": [5.5], "fall": [6.5]}),
            alarms("B", raised={"fall_imminent": [5.8]}, activity="Backward fall"),
            alarms("B", raised={"fall_imminent": [1.0], "fall": [7.0]}),
            alarms("C"),
            alarms("A", **adl, activity="Sit"),
            alarms("B", **adl, activity="Walk", raised={"fall_imminent": [3.0, 4.0]}),
            alarms("C", **adl, activity="Stumble while walking", raised={"stumble": [2.0]}),
            alarms("C", **adl, activity="Stumble while walking",
                   raised={"stumble": [2.0], "fall": [3.0]}),
        ]
    )  # fmt: skip
    assert found["prediction_sensitivity"] == share(2, 4, "fall trials")
    assert found["prediction_early"] == share(1, 4, "fall trials")
    assert found["prediction_specificity"] == share(3, 4, "ADL trials")
    assert found["detection_sensitivity"] == share(2, 4, "fall trials")
    assert found["detection_specificity"] == share(3, 4, "ADL trials")
    assert found["backward_prediction_sensitivity"] == share(1, 1, "fall trials")
    assert found["backward_detection_sensitivity"] == share(0, 1, "fall trials")
    assert found["stumble_sensitivity"] == share(1, 2, "stumble trials")
    assert found["lead_time_median"].value == pytest.approx(0.35)
    assert found["lead_time_p10"].value == pytest.approx(0.23)
    assert found["lead_time_p1"].value == pytest.approx(0.203)
    assert found["lead_time_median"].n == 2
    assert (found["prediction_false_alarms"].value, found["prediction_false_alarms"].hours) == (
        1,
        2,
    )
    assert (found["detection_false_alarms"].value, found["detection_false_alarms"].hits) == (0.5, 1)


def test_figures_of_walking() -> None:
    adl = {"fall": False, "onset": None, "impact": math.nan, "hours": 0.5, "walk": True}
    found = falls.walking(
        [
            alarms("A", **adl, plain=True, raised={"pace": [1.0, 2.0]}),
            alarms("B", **adl, plain=False, raised={"stumble": [1.0], "pace": [1.0]}),
        ]
    )
    assert found["stumble_in_walking_and_jogging"].value == 1
    assert found["pace_in_plain_walking"].value == 4
    assert (
        found["fall_in_plain_walking"].value == found["fall_imminent_in_plain_walking"].value == 0
    )


@pytest.mark.parametrize(
    ("given", "walk", "plain"),
    [
        ({"activity": "Walking slowly", "direction": "forward"}, True, True),
        ({"activity": "WalkBackwards", "direction": "backward"}, True, True),
        ({"activity": "Jog normally with turn", "direction": "forward"}, True, False),
        ({"activity": "RunBackwards", "direction": "backward"}, True, False),
        ({"activity": "Walking upstairs", "direction": ""}, False, False),
        ({"activity": "Fall", "direction": "forward", "fall": True, "impact": 9}, False, False),
    ],
)
def test_what_counts_as_walking(given: dict[str, Any], walk: bool, plain: bool) -> None:
    whole = recording(100, **given)
    seen = falls.observe(whole, judged(whole))
    assert (seen.walk, seen.plain) == (walk, plain)


def test_what_is_observed_of_a_fall() -> None:
    whole = recording(1000, fall=True, onset=300, impact=400)
    found = judged(whole)
    found.records.append(Record("alert", "fall_imminent", "danger", "raised", sample=350))
    found.records.append(Record("alert", "fall_imminent", "danger", "cleared", sample=900))
    seen = falls.observe(whole, found)
    assert (seen.onset, seen.impact, seen.raised) == (3.0, 4.0, {"fall_imminent": [3.5]})
    assert seen.hours == pytest.approx(10 / 3600)
    # an onset that was derived from labels a sample is not one to measure from
    labelled = recording(1000, fall=True, onset=300, impact=400, truth={"x_label": np.zeros(1000)})
    assert falls.observe(labelled, found).onset is None
    # without an impact it is the peak of |acc|, gaps aside
    unmarked = recording(1000, fall=True)
    unmarked.acc[700] = (0, 60, 0)
    unmarked.acc[10] = np.nan
    assert falls.observe(unmarked, found).impact == 7.0


times = st.lists(st.floats(0, 5), max_size=7).map(sorted).map(np.array)


@given(times, times)
def test_the_matching_is_one_to_one_and_the_largest(reported: Any, true: Any) -> None:
    mine, theirs = match(reported, true, 0.1)
    assert len(set(mine)) == len(mine) == len(theirs) == len(set(theirs))
    assert all(abs(reported[i] - true[k]) <= 0.1 + 1e-9 for i, k in zip(mine, theirs, strict=True))
    assert len(mine) == largest(list(reported), list(true))


def largest(reported: list[float], true: list[float]) -> int:
    """The most pairs there can be, by trying them all."""
    if not reported:
        return 0
    first, rest = reported[0], reported[1:]
    options = [largest(rest, true)]
    for k, other in enumerate(true):
        if abs(first - other) <= 0.1 + 1e-9:
            options.append(1 + largest(rest, true[:k] + true[k + 1 :]))
    return max(options)


def test_contacts_of_voisard_are_where_a_foot_stops() -> None:
    events = np.zeros(20, np.int8)
    events[2:5] |= 1
    events[4:8] |= 2
    events[18:] |= 1  # still moving at the end: no contact was seen
    events[:] |= 8
    assert steps.true_contacts(events).tolist() == [4, 7]


def walked(shift: float, late: int, *, bouts: bool) -> tuple[Any, Any]:
    """Ten contacts 0.5 s apart from 1 s on; the report misses the last and invents one at 9.2 s."""
    contacts = 100 + 50 * np.arange(10)
    events = np.zeros(1000, np.int8)
    events[contacts] |= 1
    events[50:700] |= 4 if bouts else 8
    if bouts:
        events[950] |= 2  # a contact that lies in no bout
    found = np.append(contacts[:9], 920)
    whole = recording(1000, truth={"x_events": events})
    times = np.full(1000, np.nan, np.float32)
    reported = np.zeros(1000, bool)
    reported[found + late] = True
    times[found + late] = whole.t[found] + shift
    return whole, judged(whole, step=reported, step_time=times)


@pytest.mark.parametrize("bouts", [False, True])
def test_figures_of_steps(bouts: bool) -> None:
    seen = steps.observe(*walked(0.07, 20, bouts=bouts))
    assert seen is not None
    found = steps.figures([seen])
    reports = 9 if bouts else 10  # what is reported outside a bout can't be judged
    assert found["sensitivity"] == share(9, 10, "true contacts")
    assert found["positive_predictive_value"] == share(9, reports, "reported steps")
    assert found["f1"].value == pytest.approx(18 / (10 + reports))
    assert found["offset"].value == pytest.approx(0.07, abs=1e-6)
    assert found["time_error_p95"].value == pytest.approx(0, abs=1e-6)
    assert found["report_delay_median"].value == pytest.approx(0.20)
    true, mine = 60 * 9 / 4.5, 60 * 8 / 4.0 if bouts else 60 * 9 / 8.2
    assert found["cadence_error"].value == pytest.approx(abs(true - mine), abs=1e-3)
    assert found["cadence_error"].n == 1


def test_steps_never_reported() -> None:
    whole, _ = walked(0, 0, bouts=False)
    seen = steps.observe(whole, judged(whole))
    assert seen is not None
    found = steps.figures([seen])
    assert found["sensitivity"] == share(0, 10, "true contacts")
    assert found["positive_predictive_value"].value is None
    assert found["time_error_median"].value is None
    assert "1 bouts without" in found["cadence_error"].note


def test_direction_is_judged_from_2_5_s_after_walking_begins() -> None:
    truth = np.zeros(1000, np.int8)
    truth[100:600], truth[600:900] = -1, 1
    guess = np.full(1000, 9, np.int8)
    guess[350:450] = -1  # right for 1 s
    guess[450:500] = 1  # wrong for 0.5 s, and unknown for the second that follows
    guess[600:700], guess[700:750] = 1, 2
    guess[750:800] = 0
    whole = recording(1000, truth={"x_dir": truth, "x_bad": np.arange(1000) >= 850})
    seen = motion.observe(whole, judged(whole, direction=guess))
    assert seen is not None
    assert seen.ways[-1].tolist() == [100, 100, 50]
    assert seen.ways[1].tolist() == [100, 100, 50]  # the last 50 of 300 are bad
    found = motion.figures([seen])
    assert found["backward_wrong"].value == pytest.approx(0.2)
    assert found["forward_right"].n == 250


def test_a_clip_that_begins_in_mid_walk_and_voisards_walks() -> None:
    whole = recording(400, truth={"x_dir": np.ones(400, np.int8)})
    seen = motion.observe(whole, judged(whole, direction=np.ones(400, np.int8)))
    assert seen is not None
    assert seen.ways[1].tolist() == [150, 0, 0]
    events = np.full(1000, 8, np.int8)
    events[[100, 900]] |= 1
    events[950] = 1  # out of the trial
    gait = recording(1000, truth={"x_events": events}, direction="forward")
    seen = motion.observe(gait, judged(gait))
    assert seen is not None
    assert seen.ways[1].tolist() == [0, 900 - 350 + 1, 0]


def test_windows_of_speed() -> None:
    n = 1200
    true = np.full(n, -0.8, np.float32)
    true[550:] = 2.0  # too fast to be judged
    true[1000:] = 0.5
    guess = np.full(n, -0.6, np.float32)
    guess[400:] = np.nan
    guess[1000:] = 0.6
    whole = recording(n, truth={"x_dir": np.ones(n, np.int8), "x_vx": true})
    seen = motion.observe(whole, judged(whole, speed=guess))
    assert seen is not None
    assert seen.speeds[:, 0] == pytest.approx([-0.8, -0.8, 0.5])  # 2.5, 4.0 and 10.0 s
    assert seen.speeds[:, 1] == pytest.approx([-0.6, math.nan, 0.6], nan_ok=True)
    found = motion.speed_figures([seen])
    assert found["error"].value == pytest.approx(0.15)
    assert (found["error"].n, found["error"].note) == (2, "1 of 3 windows without an estimate")
    assert found["error_backward"].value == pytest.approx(0.2)


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_the_vertical_of_a_quaternion(values: list[float]) -> None:
    w, x, y, z = np.array(values) / np.linalg.norm(values)
    rotation = np.array([  # sensor to earth (Kuipers 1999, section 5.14)
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    found = attitude.vertical(np.array([[w, x, y, z]]))[0]
    np.testing.assert_allclose(rotation @ found, [0, 0, 1], atol=1e-12)


def test_figures_of_attitude() -> None:
    level = np.tile([1.0, 0, 0, 0], (400, 1))
    level[:10] = np.nan  # no truth there
    movement = np.ones(400, bool)
    movement[:100] = False
    tilt = np.radians(3.0)
    up = np.tile([np.sin(tilt), 0, np.cos(tilt)], (400, 1)).astype(np.float32)
    up[:100] = (0, 0, -1)  # not moving: not judged
    whole = recording(400, truth={"x_quat": level, "x_movement": movement})
    seen = attitude.observe(whole, judged(whole, up=up))
    assert seen is not None
    assert seen.ours == pytest.approx(3.0, abs=1e-3)
    assert seen.vqf < 2  # standing still
    up[250] = np.nan  # unknown is as wrong as can be
    worse = attitude.observe(whole, judged(whole, up=up))
    assert worse is not None
    assert worse.ours == pytest.approx(math.sqrt((299 * 9 + 180**2) / 300), rel=1e-3)
    found = attitude.figures([attitude.Attitude("A", 2, 1), attitude.Attitude("B", 3, 4)])
    assert (found["error_mean"].value, found["error_worst_vqf"].value) == (2.5, 4)
    assert (found["ratio_mean_to_vqf"].value, found["ratio_worst_to_vqf"].value) == (1.0, 0.75)
    alone = attitude.figures([attitude.Attitude("A", 2, math.nan)])
    assert alone["ratio_mean_to_vqf"].value is None
    assert "not installed" in alone["ratio_mean_to_vqf"].note
