"""What a simulated wearer lives through. Each shows its event within 15 s and then goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device.sources.targets import (
    Target,
    chair,
    cloth,
    doorway_edge,
    low_box,
    oblique_wall,
    person,
    post,
    wall,
)
from device.sources.wearer import Act
from device.sources.world import Script, World

_READY = 4.5  # s of standing at first: the belt starts to guard and learns how it is worn
_SPEED = -0.65  # m/s


@dataclass(frozen=True, slots=True)
class Scenario:
    """`title` in one line; `script` plays it in a world, for ever."""

    title: str
    script: Script


def _clear(world: World) -> Act:
    yield from world.wearer.stand(_READY)
    while True:
        yield from _walk(world, 30.0)
        yield from world.wearer.stand(4.0)


def _toward(target: Callable[[float], Target]) -> Script:
    """Backward toward a target, until warned; then away from it, and again."""

    def script(world: World) -> Act:
        yield from world.wearer.stand(_READY)
        while True:
            world.scene.targets = [target(world.wearer.x - 5.0)]
            yield from _walk(world, 30.0)
            yield from _walk_away(world)

    return script


def _unseen(world: World) -> Act:
    """The box is below the beam: nothing is felt before the heels meet it, and the wearer, who
    stumbles over it, is the event.
    """
    yield from world.wearer.stand(_READY)
    while True:
        world.scene.targets = [low_box(world.wearer.x - 4.0)]
        yield from world.wearer.walk(_SPEED, 30.0)
        yield from world.wearer.stumble()
        world.scene.targets = []
        yield from world.wearer.stand(4.0)


def _person(world: World) -> Act:
    yield from world.wearer.stand(_READY)
    while True:
        world.scene.targets = [person(world.wearer.x - 5.5, y=5.2, vy=-0.8, seconds=6.5)]
        yield from _walk(world, 30.0)
        yield from _walk_away(world)


def _stumble(world: World) -> Act:
    yield from world.wearer.stand(_READY)
    while True:
        yield from world.wearer.walk(_SPEED, 6.0)
        yield from world.wearer.stumble()
        yield from world.wearer.stand(4.0)
        yield from _walk(world, 14.0)
        yield from world.wearer.stand(3.0)


def _fall_cancelled(world: World) -> Act:
    wearer = world.wearer
    yield from wearer.stand(_READY)
    while True:
        yield from wearer.walk(_SPEED, 3.0)
        yield from wearer.fall()
        yield from wearer.lie(3.0)
        yield from wearer.press(0.3)
        yield from wearer.lie(3.0)
        yield from wearer.get_up()
        yield from wearer.stand(5.0)
        yield from _walk(world, 20.0)
        yield from wearer.stand(5.0)


def _fall(world: World) -> Act:
    yield from world.wearer.stand(_READY)
    yield from world.wearer.walk(_SPEED, 3.0)
    yield from world.wearer.fall()
    while True:
        yield from world.wearer.lie(60.0)


def _unplugged(world: World) -> Act:
    """The wearer walks on until the belt says that it is blind; later the cable is put back."""
    yield from world.wearer.stand(_READY)
    while True:
        world.after(4.0, lambda: world.plug_ranger(False))
        yield from _walk(world, 15.0)
        yield from world.wearer.stand(10.0)
        world.plug_ranger(True)
        yield from world.wearer.stand(5.0)


def _session(world: World) -> Act:
    """The button, a hand behind the belt when it asks for one, then walking until it says rest.

    A pulse of 0.1 s asks for the hand, one of 0.25 s is the word to walk (haptics.PATTERNS).
    """
    wearer = world.wearer
    yield from wearer.stand(_READY)
    yield from wearer.press(0.2)
    yield from wearer.wait_for_buzz(0.085, 5.0)
    yield from wearer.stand(0.8)
    world.scene.targets = [Target(wearer.x - 0.2, half_width=0.1)]
    yield from wearer.stand(1.2)
    world.scene.targets = []
    while True:
        yield from wearer.wait_for_buzz(0.2, 20.0)
        yield from wearer.stand(0.5)
        yield from _walk(world, 60.0)
        yield from wearer.stand(3.0)


def _walk(world: World, seconds: float) -> Act:
    """Backward until done or warned, then stand."""
    yield from world.wearer.walk(_SPEED, seconds)
    yield from world.wearer.stop()


def _walk_away(world: World) -> Act:
    """Look round, walk away forward; what was behind is then taken away."""
    yield from world.wearer.stand(3.0)
    yield from world.wearer.walk(0.9, 4.0)
    yield from world.wearer.stop()
    world.scene.targets = []
    yield from world.wearer.stand(3.0)


SCENARIOS: dict[str, Scenario] = {
    "clear": Scenario("Walking backward with nothing in the way.", _clear),
    "chair": Scenario("Walking backward toward a chair.", _toward(chair)),
    "wall": Scenario("Walking backward toward a wall.", _toward(wall)),
    "post": Scenario("Walking backward toward a post of 5 cm.", _toward(post)),
    "cloth": Scenario(
        "Walking backward toward a curtain; half the pings are lost.", _toward(cloth)
    ),
    "oblique-wall": Scenario("Walking backward toward an oblique wall.", _toward(oblique_wall)),
    "doorway-edge": Scenario("Walking backward toward a doorway's edge.", _toward(doorway_edge)),
    "standing-person": Scenario("Walking backward toward a person.", _toward(person)),
    "low-box": Scenario("A low box, which the sensor cannot see: no warning, a stumble.", _unseen),
    "person": Scenario("A person steps in behind.", _person),
    "stumble": Scenario("A heel catches; the fall is caught.", _stumble),
    "fall-cancelled": Scenario("A fall; the wearer says they are well.", _fall_cancelled),
    "fall": Scenario("A fall, and no answer.", _fall),
    "session": Scenario("A session: begun by button, a hand shown, walked and rested.", _session),
    "unplugged": Scenario("The rear sensor's cable comes off.", _unplugged),
}
