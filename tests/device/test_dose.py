"""What is counted of walks, against what a simulated body did."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.dose import Walking
from device.sources.wearer import Act
from device.sources.world import World
from device.stride import Stride
from tests.device.walker import TICK, Walker

MOVES = 0.02  # m/s: a body that moves


@pytest.mark.parametrize("speed", [0.15, 0.2, 0.3])
def test_frail_people_get_their_dose(speed: float, tmp_path: Path) -> None:
    """A minute backward, so slowly that no step by itself is beyond doubt."""

    def script(world: World) -> Act:
        yield from world.wearer.stand(5.0)
        yield from world.wearer.walk(-speed, 60.0)
        yield from world.wearer.stop()
        while True:
            yield from world.wearer.stand(60.0)

    walker, walking, truth = Walker(tmp_path, script), Walking(Stride()), 0.0
    body, step = walker.bench.world.wearer, walker.practice.step

    def follow(now: float, frames, guard):  # type: ignore[no-untyped-def]
        nonlocal truth
        truth += TICK * (body.speed < -MOVES)
        for frame in frames:
            walking.feed(frame)
        return step(now, frames, guard)

    walker.practice.step = follow  # type: ignore[method-assign]
    walker.run(70.0)
    assert walking.totals.dose_s == pytest.approx(truth, rel=0.01)
    assert walking.totals.forward_s == 0.0
    assert walking.totals.measured_m == 0.0, "no wall has measured these steps"
    assert walking.totals.distance_m == pytest.approx(60.0 * speed, rel=0.4), "so only about"
    assert walking.totals.steps == pytest.approx(60.0 * (74.0 + 45.0 * speed) / 60.0, abs=3)
