"""The device as its composition root builds it, in a folder of its own, on simulated parts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from device import __main__ as device
from device.clock import Clock
from device.config import Belt, Config
from device.config import Loop as Keys
from device.loop import Loop
from device.sources.belt import assemble
from device.sources.scenarios import SCENARIOS
from device.sources.simulated import Bench

SCENARIO = "clear"  # walks backward, nothing behind: the ordinary minute


@contextlib.contextmanager
def belt(
    clock: Clock, rate: float, fitted: Callable[[Bench], None] = lambda bench: None
) -> Iterator[Loop]:
    """The loop, guarding once it is run. `fitted` may change the parts before drivers open them."""

    def source(config: Config, scenario: str, clock: Clock, calibration: Any) -> Any:
        bench = Bench(config, SCENARIOS[scenario].script, clock)
        fitted(bench)
        return assemble(
            "simulated:" + scenario, config, bench.open, bench.pins, calibration=calibration
        )

    with (
        TemporaryDirectory() as folder,
        patch.object(device, "simulated", source),
        patch.object(device, "MonotonicClock", lambda: clock),
        contextlib.ExitStack() as parts,
    ):
        config = Config(
            belt=Belt(run_dir=Path(folder, "run"), data_dir=Path(folder, "data")),
            loop=Keys(rate_hz=rate),
        )
        yield device._assemble(config, SCENARIO, [], parts, device.Supervisor())
