"""A simulated wearer who does what the belt says: presses, shows a hand, walks as announced.

Whoever puts them together tells the patient each pattern that is felt (`hear`), as a wearer who has
learnt the rhythms would know it; the motor's buzz reaches the body by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.sources.targets import Target, wall
from device.sources.wearer import Act, Wearer
from device.sources.world import World

READY_S = 4.5  # s of standing at first: the belt starts to guard and learns how it is worn
STRIDE_S = 1.0  # s between looks at what is to be done now
FORWARD = 1.1  # m/s
LEARN_M, TEST_M = 3.8, 6.0  # m from the wall: a test's first walk, the others


@dataclass(frozen=True, slots=True)
class Form:
    """How somebody walks backward on a day."""

    speed: float  # m/s
    uneven: float  # s.d. of a step's time, a share of it


class Patient:
    """`script` is for one visit in a world of its own."""

    def __init__(self, form: Form, perception: bool, trials: int) -> None:
        """`perception`: the test comes first; `trials` of the walk test, after one to learn on."""
        self._form, self._perception, self._trials = form, perception, trials
        self._heard = ""  # the newest pattern that asks for something
        self._buzzes = 0  # of the perception test
        self.tested = False  # the perception test is over
        self.waits = False  # standing at the start of a trial
        self.walked = False  # the session is over

    def hear(self, pattern: str) -> None:
        if pattern in ("backward", "forward", "rest", "hand", "go"):
            self._heard = pattern
        self._buzzes += pattern == "perceive"

    def script(self, world: World) -> Act:
        wearer = world.wearer
        wearer.uneven = self._form.uneven
        yield from wearer.stand(READY_S)
        if self._perception:
            yield from self._feel(wearer)
        for number in range(self._trials + 1 if self._trials else 0):
            yield from self._trial(world, LEARN_M if number == 0 else TEST_M)
        yield from self._session(world)
        while True:
            yield from wearer.stand(60.0)

    def _feel(self, wearer: Wearer) -> Act:
        """Press when a buzz is felt."""
        answered = 0
        while not self.tested:
            yield from wearer.stand(0.05)
            if self._buzzes > answered:
                answered = self._buzzes
                yield from wearer.stand(wearer.reaction)
                yield from wearer.press(0.15)

    def _trial(self, world: World, off: float) -> Act:
        """Backward to a wall at "go"; back to the start again."""
        wearer = world.wearer
        start = wearer.x
        world.scene.targets, self._heard, self.waits = [wall(start - off)], "", True
        yield from wearer.stand(0.5)
        yield from wearer.wait_for_buzz(0.25, 60.0)
        self.waits = False
        yield from wearer.stand(world.random.uniform(0.15, 0.35))
        yield from wearer.walk(-self._form.speed, 20.0)
        yield from wearer.stop()
        yield from wearer.stand(2.0)
        world.scene.targets = []
        while wearer.x < start:
            yield from wearer.walk(FORWARD, 0.3)
        yield from wearer.stop()
        yield from wearer.stand(2.0)

    def _session(self, world: World) -> Act:
        wearer = world.wearer
        yield from wearer.press(0.2)
        while self._heard != "hand":
            yield from wearer.stand(0.2)
        yield from wearer.stand(0.8)
        world.scene.targets = [Target(wearer.x - 0.2, half_width=0.1)]
        yield from wearer.stand(1.2)
        world.scene.targets = []
        before = 0.0  # m/s
        while not self.walked:
            way = {"backward": -self._form.speed, "forward": FORWARD}.get(self._heard, 0.0)
            if way != before:
                yield from wearer.stop()
            before = way
            yield from (wearer.walk(way, STRIDE_S) if way else wearer.stand(STRIDE_S))
        yield from wearer.stop()
