"""What a tick costs, split into drivers, core and the rest; what stands for hardware is left out.

Virtual time, so that nothing waits: processor time of this thread alone. With `--count LIBRARY` it
runs under callgrind and has the instructions of the same ticks collected (`zero.py` starts it so).
"""

from __future__ import annotations

import argparse
import ctypes
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from device.loop import Loop
from device.sources.simulated import Bench
from loop_cost.belt import belt

WARM_S = 6.0  # s: guarding and walking by then
READ = 0.5e-6  # s that pass at every look at the clock: whoever waits on it goes on


class Clock:
    def __init__(self) -> None:
        self.t = 1000.0

    def now(self) -> float:
        self.t += READ
        return self.t

    def sleep_until(self, deadline: float) -> None:
        self.t = max(self.t, deadline)


class Meter:
    """Time spent in nested parts, each without the parts inside it."""

    def __init__(self, toggle: Callable[[], object] | None = None) -> None:
        """`toggle` is called where what stands for hardware is entered and left."""
        self.on = False
        self.ns: Counter[str] = Counter()
        self.transfers = self.bytes = 0
        self.pairs = 0  # of toggles inside a tick
        self._toggle = toggle
        self._stack: list[str] = []
        self._since = 0

    def _switch(self) -> None:
        now = time.thread_time_ns()
        if self._stack:
            self.ns[self._stack[-1]] += now - self._since
        self._since = now

    def part(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, its time counted under `name`."""

        def metered(*args: Any, **more: Any) -> Any:
            if not self.on:
                return call(*args, **more)
            outer = self._toggle and (
                name == "tick" or (name == "hardware" and self._stack[-1] != name)
            )
            if self._toggle is None:
                self._switch()
            self._stack.append(name)
            if outer:
                self.pairs += name == "hardware"
                self._toggle()  # type: ignore[misc]
            try:
                return call(*args, **more)
            finally:
                if outer:
                    self._toggle()  # type: ignore[misc]
                if self._toggle is None:
                    self._switch()
                self._stack.pop()

        return metered


class MeteredBus:
    """A bus whose transfers are counted and do not count."""

    def __init__(self, bus: Any, meter: Meter) -> None:
        self._bus, self._meter = bus, meter
        for name in ("read_byte_data", "write_byte_data", "read_i2c_block_data", "i2c_rdwr"):
            setattr(self, name, self._counted(name, meter.part("hardware", getattr(bus, name))))

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def transfer(*args: Any) -> Any:
            if self._meter.on:
                self._meter.transfers += 1
                self._meter.bytes += _bytes(name, args)
            return call(*args)

        return transfer

    def close(self) -> None:
        self._bus.close()


def _bytes(name: str, args: tuple[Any, ...]) -> int:
    """On the wire, addresses and register included."""
    if name == "i2c_rdwr":
        return sum(message.len + 1 for message in args)
    return {"read_byte_data": 4, "write_byte_data": 3}.get(name, 3 + args[-1])


def metered(loop: Loop, meter: Meter) -> None:
    loop.source.read = meter.part("drivers", loop.source.read)  # type: ignore[method-assign]
    loop.core.step = meter.part("core", loop.core.step)  # type: ignore[method-assign]
    loop.core.ping = meter.part("core", loop.core.ping)  # type: ignore[method-assign]
    loop.tick = meter.part("tick", loop.tick)  # type: ignore[method-assign]


def run(rate: float, ticks: int, meter: Meter, start: Callable[[], object] = lambda: None) -> None:
    def fitted(bench: Bench) -> None:
        whole, rear = MeteredBus(bench.bus, meter), MeteredBus(bench._rear_bus, meter)
        bench.bus, bench._rear_bus = whole, rear  # type: ignore[assignment]
        pins = bench.pins
        pins._rest = meter.part("hardware", pins._rest)
        pins._trigger = meter.part("hardware", pins._trigger)
        pins._drive = meter.part("hardware", pins._drive)
        pins._pressed = meter.part("hardware", pins._pressed)

    clock = Clock()
    with belt(clock, rate, fitted) as loop:
        metered(loop, meter)
        deadline, warm = clock.now(), round(WARM_S * rate)
        for k in range(warm + ticks):
            if k == warm:
                start()
                meter.on = True
            clock.sleep_until(deadline)
            loop.tick(deadline)
            deadline += loop.period
        meter.on = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rate", type=float)
    parser.add_argument("ticks", type=int)
    parser.add_argument("--count", type=Path)
    parser.add_argument("--pairs", type=int, default=0, help="collect so many toggles, no tick")
    options = parser.parse_args()
    lib = ctypes.CDLL(str(options.count)) if options.count else None
    if lib and options.pairs:
        lib.start()
        lib.toggle()
        for _ in range(2 * options.pairs):
            lib.toggle()
        lib.toggle()
        return
    meter = Meter(lib.toggle if lib else None)
    run(options.rate, options.ticks, meter, lib.start if lib else lambda: None)
    us = {name: ns / options.ticks / 1e3 for name, ns in meter.ns.items()}
    counts = {"transfers": meter.transfers, "bytes": meter.bytes, "pairs": meter.pairs}
    print(json.dumps({"us": us, **{k: v / options.ticks for k, v in counts.items()}}))


if __name__ == "__main__":
    main()
