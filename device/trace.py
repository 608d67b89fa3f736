"""What pings of a wall and the contacts of feet say of a walk to it. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from itertools import pairwise
from statistics import mean, median

from device.frames import Frame

SEEN = 8  # pings of a wall that make a place
SHARE = 0.7  # of the pings that must agree on it
STEP_S = 0.55  # s, about a step
STEADY_AFTER_S = 1.0  # s after setting off from which steps are alike
RISING = (0.25, 0.30, 0.35, 0.40)  # shares of a walk's shaking on the way up; one alone jumps


def onset(shaking: list[tuple[float, float]], rough: float, end: float) -> float:
    """s at which a body begins to shake as when it walks; over a step, whichever leg goes."""
    times = [t for t, _ in shaking]
    power = [0.0]
    for _, off in shaking:
        power.append(power[-1] + off * off)
    half = max(1, bisect_left(times, times[0] + STEP_S / 2.0))
    smooth = [
        (t, math.sqrt((power[k + half] - power[k - half]) / (2 * half)))
        for k, t in enumerate(times)
        if half <= k <= len(times) - half
    ]
    walking = [s for t, s in smooth if rough + STEADY_AFTER_S < t < end]
    if not walking:
        return rough
    usual = median(walking)
    begun = [(t, s) for t, s in smooth if t > rough - STEP_S]
    return mean(next((t for t, s in begun if s >= share * usual), rough) for share in RISING)


def interval(contacts: list[float]) -> float:
    """s between them, on average, also where one was missed; NaN while there are too few."""
    if len(contacts) < 3:
        return math.nan
    apart = [b - a for a, b in pairwise(contacts)]
    usual = median(apart)
    return sum(apart) / sum(max(1, round(one / usual)) for one in apart)


def span(pings: list[tuple[float, float]]) -> float:
    """m that the wall came nearer while it was seen."""
    return pings[0][1] - pings[-1][1] if len(pings) >= SEEN else 0.0


def where(heard: list[tuple[float, float]]) -> float:
    """m to what is behind; infinity: out of reach; NaN: not one thing."""
    near = [r for _, r in heard if math.isfinite(r)]
    if len(heard) < SEEN:
        return math.nan
    if len(near) <= (1.0 - SHARE) * len(heard):
        return math.inf
    middle = median(near)
    agree = [r for r in near if abs(r - middle) < 0.06]
    return sum(agree) / len(agree) if len(agree) >= SHARE * len(heard) else math.nan


def follows(pings: list[tuple[float, float]], frame: Frame) -> bool:
    """Whether a ping goes on from the one before: nobody walks faster than 2 m/s."""
    if not pings:
        return True
    t, r = pings[-1]
    return abs(frame.ping_range - r) <= 0.05 + 2.0 * (frame.ping_t - t)


def line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Slope and offset of the line of least squares."""
    n = len(points)
    mt, mr = sum(t for t, _ in points) / n, sum(r for _, r in points) / n
    spread = sum((t - mt) ** 2 for t, _ in points)
    slope = sum((t - mt) * (r - mr) for t, r in points) / max(spread, 1e-12)
    return slope, mr - slope * mt


def crossing(pings: list[tuple[float, float]], at: float) -> float:
    """s at which the wall was `at` [m] away, of the pings around; NaN: it never was."""
    first = next((k for k, (_, r) in enumerate(pings) if r <= at), None)
    if first is None:
        return math.nan
    around = pings[max(0, first - SEEN // 2) : first + SEEN // 2]
    slope, offset = line(around)
    return (at - offset) / slope if slope < -0.02 else pings[first][0]
