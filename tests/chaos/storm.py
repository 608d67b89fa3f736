"""Everything at once: processes killed, the broker lost, the clock put about, starts doubled."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable

from tests.chaos.ledger import Ledger, said_in
from tests.chaos.rig import Rig

HOUR = 3600.0  # s
REFUSED = 2  # exit code of a service that finds another one running
PATIENCE = 60.0  # s without an arrival, after which what has not come is lost


class Storm:
    """One belt, `kills` kills of its service."""

    def __init__(self, rig: Rig, seed: int, ledger: Ledger, tick: Callable[[], None]) -> None:
        """`tick` is called at every kill of the service."""
        self.rig, self.ledger, self.tick = rig, ledger, tick
        self.dice = random.Random(seed)
        self._devices = 0
        self._off = 0.0  # s the clock is off

    def rage(self, forked: int, whole: int) -> None:
        """`forked` kills of a forked service, `whole` of one with an interpreter of its own."""
        acts = [self.forked] * forked + [self.whole] * whole
        self.dice.shuffle(acts)
        self.begin_device()
        for act in acts:
            act()
            self.tick()
            self.meanwhile()
        self.calm()

    def forked(self) -> None:
        """Killed soon after its start, often in the midst of it; or when it has worked a while."""
        self.rig.start_service()
        mean = self.dice.choice((0.1, 0.2, 0.6))  # s
        time.sleep(min(3.0, self.dice.expovariate(1 / mean)))
        self.rig.kill_service()
        self.ledger.faults["service killed"] += 1

    def whole(self) -> None:
        process = self.rig.start_whole_service()
        time.sleep(self.dice.uniform(0.2, 3.0))
        process.kill()
        process.wait()
        self.ledger.faults["service killed, started anew whole"] += 1

    def meanwhile(self) -> None:
        others = (self.kill_device, self.lose_broker, self.hold_broker, self.double, self.step)
        if self.dice.random() < 0.3:
            self.dice.choice(others)()

    def begin_device(self) -> None:
        self._devices += 1
        self.rig.start_device(self.dice.randrange(1 << 30))

    def kill_device(self) -> None:
        self.rig.kill_device()
        self.begin_device()
        self.ledger.faults["device killed"] += 1

    def lose_broker(self) -> None:
        """It keeps no files: what it had is gone."""
        self.rig.broker.kill()
        time.sleep(self.dice.expovariate(2.0))
        self.rig.broker.start()
        self.ledger.faults["broker lost with its files"] += 1

    def hold_broker(self) -> None:
        self.rig.broker.signal(signal.SIGSTOP)
        self.rig.start_service()
        time.sleep(self.dice.uniform(0.1, 2.0))
        self.rig.broker.signal(signal.SIGCONT)
        self.rig.kill_service()
        self.tick()
        self.ledger.faults["broker held"] += 1
        self.ledger.faults["service killed"] += 1

    def double(self) -> None:
        """A second start beside the first: it must be turned away, and harm nothing."""
        self.rig.start_service()
        if not self.rig.serving(PATIENCE):
            self.ledger.wrong.append("a service did not come up")
        second = self.rig.start_whole_service()
        try:
            code = second.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            second.kill()
            code = second.wait()
        if code != REFUSED:
            self.ledger.wrong.append(f"a second service ended with {code}, not {REFUSED}")
        self.ledger.faults["started twice"] += 1
        self.rig.kill_service()

    def step(self) -> None:
        self._off = self.dice.choice([it for it in (-HOUR, 0.0, HOUR) if it != self._off])
        self.rig.clock.step(self._off)
        self.ledger.faults["clock put an hour forward or back"] += 1

    def calm(self) -> None:
        """The faults end; what was said must come."""
        if not self.rig.end_device():
            self.ledger.wrong.append("the device did not end")
        self.rig.start_service()
        self.rig.arrived(PATIENCE)
        self.rig.kill_service()
        came = self.rig.came()
        self.ledger.settle(said_in(self.rig.folder), came)
        # all in one boot, so aged by the monotonic clock: no hour may show in any delay
        late = [a["id"] for a in came if not 0.0 <= a["delayed_s"] < HOUR / 2]
        self.ledger.wrong += [f"{name} has the clock's step in its delay" for name in late]
