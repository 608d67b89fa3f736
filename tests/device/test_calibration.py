"""Calibration on simulated chips of a known mounting: recovered within its error, nonsense refused,
and what is kept is what the device uses.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import cli
from device.__main__ import _parameters
from device.calibration import AS_FITTED, Calibration, Turn, load, save
from device.cli import Fault, calibrate
from device.config import Config, Imu
from device.fitting import HALF_ANGLE, beam_up
from device.frames import Frame
from device.ring import RingWriter
from device.sources.belt import assemble
from device.sources.wearer import Act
from device.sources.world import World, _rotation
from tests.device.patient import DRV, Patient
from tests.device.virtual import Clock

MPU = replace(DRV, imu=Imu(address=0x68))
# degrees: the sensors' zero offsets alone tilt by two (LSM6DSOX) and four (MPU-6050) of their s.d.
TILT_WITHIN = {"LSM6DSOX": 2.0, "MPU-6050": 4.0}
YAW_WITHIN, BEAM_WITHIN = 3.0, 0.5  # degrees
FLOOR_WITHIN = 0.1  # m


class Guided(Patient):
    """A wearer who does what they are told, over a floor that answers; `lean` and `way` of it."""

    def __init__(
        self, folder: Path, config: Config = DRV, seed: int = 1, mount: Turn | None = None,
        lean: float = 0.35, way: float = 1.0, beam: float = 0.0,
    ) -> None:  # fmt: skip
        """`mount`: the belt's axes in the trunk's; `beam`: rad above level."""
        self.act, self.lean, self.way = "Stand", lean, way
        super().__init__(folder, config, self._script, seed)
        if mount:
            self.parts.world._mount = mount
        self.beam, self.wall = beam, math.inf
        self.parts.ranger._distance = self._behind
        self.source, self.motor = assemble("test", config, self.parts.open, self.parts.pins)

    def _script(self, world: World) -> Act:
        wearer = world.wearer
        while True:
            if self.act == "Walk" and self.way:
                yield from wearer.walk(0.9 * self.way, 0.2)
                continue
            if wearer._stride > 0:
                yield from wearer.stop()
            wearer._want_lean = self.lean if self.act == "Lean" else 0.0
            yield from wearer._settle(0.1)

    def _behind(self, t: float) -> float | None:
        down = HALF_ANGLE - self.beam - self.parts.world.wearer.lean
        floor = self.config.ranger.height_m / math.sin(down) if down > 0 else math.inf
        nearest = min(floor, self.wall)
        return nearest if nearest < 4.2 else None

    def anew(self, calibration: Calibration) -> None:
        """The same belt, started again."""
        self.source.close()
        self.motor.close()
        self.source, self.motor = assemble(
            "test", self.config, self.parts.open, self.parts.pins, calibration=calibration
        )

    def say(self, text: str) -> None:
        self.act = text.split(maxsplit=1)[0]

    def measured(self, collect: calibrate.Collect | None = None) -> Calibration:
        imu = self.source.imu
        frames = collect or calibrate.own(self.source, self.clock)
        return calibrate.measure(self.config, frames, imu.name, imu.rate, self.say)


def wrong_by(found: Turn, mount: Turn) -> tuple[float, float]:
    """Degrees by which the axes found miss the trunk's: tilted, and turned about up."""
    left = [[sum(row[k] * mount[k][j] for k in range(3)) for j in range(3)] for row in found]
    tilt = math.degrees(math.acos(min(1.0, left[2][2])))
    return tilt, abs(math.degrees(math.atan2(left[1][0], left[0][0])))


@pytest.mark.parametrize("config", [DRV, MPU], ids=["LSM6DSOX", "MPU-6050"])
@pytest.mark.parametrize("seed", range(6))
def test_a_known_mounting_is_recovered_within_its_error(
    seed: int, config: Config, tmp_path: Path
) -> None:
    dice = Random(seed)
    mount = _rotation(*(math.radians(dice.uniform(-m, m)) for m in (10.0, 15.0, 20.0)))
    beam = math.radians(dice.uniform(-3.0, 0.2))  # the floor within reach
    belt = Guided(tmp_path, config, seed, mount, beam=beam)
    found = belt.measured()
    tilt, yaw = wrong_by(found.turn, mount)
    assert tilt < TILT_WITHIN[found.chip]
    assert yaw < YAW_WITHIN
    assert found.floor_m == pytest.approx(1.0 / math.sin(HALF_ANGLE - beam), abs=FLOOR_WITHIN)
    assert found.beam_up_deg == pytest.approx(math.degrees(beam), abs=BEAM_WITHIN)


def test_a_floor_out_of_reach_leaves_the_beam_as_it_is_set(tmp_path: Path) -> None:
    found = Guided(tmp_path, beam=math.radians(8.0)).measured()
    assert (found.floor_m, found.beam_up_deg) == (None, None)
    assert "out of range" in calibrate.words(found)


@given(st.floats(-20, 14), st.floats(0.3, 1.6))
def test_the_beam_follows_from_the_floor(pitch: float, height: float) -> None:
    floor = height / math.sin(HALF_ANGLE - math.radians(pitch))
    assert beam_up(floor, height) == pytest.approx(pitch, abs=1e-6)


def shaken(belt: Guided) -> None:
    dice, motion = Random(2), belt.parts.imu._motion

    def shake(t: float) -> Any:
        (x, y, z), gyro = motion(t)
        return (x, y, z + dice.uniform(-2, 2)), gyro

    belt.parts.imu._motion = shake


def light(belt: Guided) -> None:
    belt.parts.imu._motion = lambda t: ((0.0, 0.0, 8.8), (0.0, 0.0, 0.0))


def mounted(roll: float, pitch: float, yaw: float) -> Callable[[Guided], None]:
    def throw(belt: Guided) -> None:
        belt.parts.world._mount = _rotation(*map(math.radians, (roll, pitch, yaw)))

    return throw


def leaning(radians: float) -> Callable[[Guided], None]:
    return lambda belt: setattr(belt, "lean", radians)


def walking(way: float) -> Callable[[Guided], None]:
    return lambda belt: setattr(belt, "way", way)


def behind(metres: float) -> Callable[[Guided], None]:
    return lambda belt: setattr(belt, "wall", metres)


def blind(belt: Guided) -> None:
    belt.parts.world.ranger_plugged = False


def unplugged(belt: Guided) -> None:
    belt.parts.imu.present = False


@pytest.mark.parametrize(
    ("throw", "said"),
    [
        (shaken, "it shook by"),
        (light, "8.8"),
        (mounted(180, 0, 0), "it hangs at"),
        (mounted(0, 80, 0), "it hangs at"),
        (leaning(0.05), "the lean was"),
        (leaning(1.3), "the lean was"),
        (mounted(0, 0, 180), "forward is"),
        (mounted(0, 0, 50), "forward is"),
        (leaning(-0.35), "forward is"),
        (walking(0.0), "steps"),
        (walking(-1.0), "0% of them forward"),
        (behind(1.0), "an echo from 1.0"),
        (behind(3.0), "while the beam rises"),
        (blind, "0 of them answered"),
        (unplugged, "0 of them good"),
    ],
)
def test_nonsense_is_refused_with_a_remedy(
    throw: Callable[[Guided], None], said: str, tmp_path: Path
) -> None:
    belt = Guided(tmp_path)
    throw(belt)
    with pytest.raises(Fault) as fault:
        belt.measured()
    what, _, remedy = str(fault.value).partition(": ")
    assert said in what
    assert len(remedy) > 20


SOME = Calibration(
    _rotation(0.1, -0.2, 0.3), 2.5, 4.1, "LSM6DSOX", "2026-01-01T00:00:00+00:00"
)  # fmt: skip


def test_what_is_kept_is_read_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    save(file, "belt", SOME)
    assert load(file, "belt") == SOME
    assert file.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [file]
    assert load(tmp_path / "none.json", "belt") == Calibration()


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"belt": "other"},
        {"turn": [[1, 0, 0], [0, 1, 0], [0, 0, -1]]},
        {"turn": [[2, 0, 0], [0, 1, 0], [0, 0, 1]]},
        {"turn": [[1, 0, 0], [0, 1, 0]]},
        {"turn": [[1, 0, None], [0, 1, 0], [0, 0, 1]]},
        {"turn": [["1", 0, 0], [0, 1, 0], [0, 0, 1]]},
        {"turn": 1},
        {"beam_up_deg": 80},
        {"beam_up_deg": math.nan},
        {"floor_m": "far"},
        None,
    ],
)
def test_a_file_that_will_not_do_is_a_doubt_and_not_used(
    change: dict[str, object] | None, tmp_path: Path
) -> None:
    file = tmp_path / "calibration.json"
    save(file, "belt", SOME)
    said = json.loads(file.read_text())
    file.write_text(json.dumps(said | change) if change else "{")
    found = load(file, "belt")
    assert found.turn == AS_FITTED
    assert found.beam_up_deg is None
    assert "cannot be used" in found.doubt
    assert "\n" not in found.doubt


def test_the_device_turns_its_frames_by_it_and_foretells_the_floor_by_it(tmp_path: Path) -> None:
    mount = _rotation(math.radians(8), math.radians(-12), math.radians(15))
    belt = Guided(tmp_path, mount=mount, beam=math.radians(-1.0))
    found = belt.measured()
    belt.anew(found)
    source, belt.act = belt.source, "Stand"
    calibrate.own(source, belt.clock)(2.0)
    frames = [f for f in calibrate.own(source, belt.clock)(2.0) if not f.gap]
    mean = [sum(getattr(f, a) for f in frames) / len(frames) for a in ("ax", "ay", "az")]
    assert math.degrees(math.atan2(math.hypot(*mean[:2]), mean[2])) < 1.0
    assert f"calibrated {found.made}" in source.parts()
    assert found.beam_up_deg is not None
    told = _parameters(belt.config, source.calibration)
    assert told["ranger_pitch"] == math.radians(found.beam_up_deg)
    assert _parameters(belt.config, Calibration())["ranger_pitch"] == 0.0


def test_another_motion_sensor_makes_it_worthless(tmp_path: Path) -> None:
    belt = Guided(tmp_path, MPU)
    belt.anew(SOME)
    source = belt.source
    assert source.calibration.turn == AS_FITTED
    assert source.faults()["calibration"] == "made with LSM6DSOX, and MPU-6050 is fitted"
    assert "calibrated never" in source.parts()


def test_frames_of_a_running_device_are_turned_back(tmp_path: Path) -> None:
    """Calibrating anew through the ring gives the mounting itself, not what is left of it."""
    mount = _rotation(math.radians(-6), math.radians(10), math.radians(-18))
    belt = Guided(tmp_path, mount=mount, beam=math.radians(-1.0))
    belt.source.calibration = SOME  # whatever it was, the frames have been turned by it
    writer = RingWriter(tmp_path / "frames", 4096, 104.0, "test")
    own = calibrate.own(belt.source, belt.clock)

    class Writing(Clock):
        """While it is slept the device writes."""

        def sleep_until(self, deadline: float) -> None:
            for frame in own(deadline - self.t):
                writer.write(frame)
            self.t = deadline

    ring = calibrate.RingReader(tmp_path / "frames")
    found = belt.measured(calibrate.from_ring(ring, SOME, Writing()))
    tilt, yaw = wrong_by(found.turn, mount)
    assert tilt < TILT_WITHIN["LSM6DSOX"]
    assert yaw < YAW_WITHIN
    ring.close()
    writer.close()


def test_it_wants_somebody_at_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["calibrate", "--config", "belt.toml"]) == 2
    assert "run it in a terminal" in capsys.readouterr().err


def test_a_frame_without_a_sample_stays_one() -> None:
    gap = Frame(t=1.0)
    assert all(math.isnan(v) for v in SOME.turned((gap.ax, gap.ay, gap.az)))
