"""What a tick costs: every part is metered once, what stands for hardware apart from the rest."""

from __future__ import annotations

import pytest
from loop_cost.share import Meter, run
from loop_cost.zero import zero_2w


def test_a_tick_is_split_into_its_parts_without_rest() -> None:
    meter = Meter()
    run(100.0, 50, meter)
    assert set(meter.ns) == {"tick", "drivers", "core", "hardware"}
    assert all(ns > 0 for ns in meter.ns.values())
    assert 50 <= meter.transfers < 250  # a look at the FIFO, and its burst, each tick
    assert meter.bytes > 10 * meter.transfers * 0.5
    assert meter._stack == []


def test_toggles_come_in_pairs_and_never_inside_one_another() -> None:
    state = [False]
    seen = []

    def toggle() -> None:
        state[0] = not state[0]
        seen.append(state[0])

    meter = Meter(toggle)
    run(100.0, 20, meter)
    assert state == [False]
    assert seen[0] is True
    assert len(seen) == 2 * 20 + 2 * meter.pairs


def test_the_model_adds_the_bus_to_what_was_counted_and_to_what_was_timed() -> None:
    costs = {"us": {"tick": 50.0, "drivers": 30.0, "core": 20.0}, "transfers": 2.0, "bytes": 20.0}
    model = zero_2w(100.0, costs, {"whole": 500_000.0, "core": 0.0}, 1676.0, 10.0)
    assert model["slower"] == pytest.approx(2.0)
    assert model["bus_us"] == pytest.approx(10 * 2 + 40 * 2 + 20)
    assert model["by_instructions"] == pytest.approx(100 * (1000 + 120) * 1e-6)
    assert model["by_7zip"] == pytest.approx(100 * (200 + 120) * 1e-6)
