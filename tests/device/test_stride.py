"""How long a wearer's steps are, by what walls have taught."""

from __future__ import annotations

import math

import pytest

from device.stride import LEAST_M, MOST_M, Stride


def test_nothing_learnt_nothing_said() -> None:
    assert math.isnan(Stride().length(100.0))
    assert math.isnan(Stride().usual_m)
    assert not Stride().learn(100.0, 2.0), "no step is so long"


def test_what_chance_does_to_cadence_changes_no_length() -> None:
    stride = Stride([(100.0, 0.35)])
    assert {stride.length(c) for c in (92.5, 100.0, 107.5)} == {0.35}
    assert stride.length(120.0) == pytest.approx(0.35 * 1.12)
    assert stride.length(80.0) == pytest.approx(0.35 * 0.88)


def test_two_paces_that_were_learnt_are_believed() -> None:
    stride = Stride([(80.0, 0.25), (100.0, 0.35)])
    assert stride.length(100.0) - stride.length(80.0) == pytest.approx(0.10)
    assert stride.usual_m == pytest.approx(0.30)


def test_a_length_is_one_that_steps_have() -> None:
    stride = Stride([(60.0, 0.12), (180.0, 1.1)])
    assert stride.length(30.0) == LEAST_M
    assert stride.length(300.0) == MOST_M
