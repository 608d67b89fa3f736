"""`rearguard calibrate`: how this belt sits on this body, from standing, a lean and a few steps.

The wearer stands with at least 5 m of open floor behind, then leans forward, then walks. While a
device runs its frames are used; else the sensors are read here. The result is kept in data_dir, and
used by the device from its next start.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from device import fitting
from device.alone import TakenError, alone
from device.calibration import Calibration, load, save
from device.cli import Fault
from device.clock import Clock, MonotonicClock
from device.config import Config
from device.doctor import running
from device.fitting import Nonsense
from device.frames import Frame, RingReader
from device.remedies import REMEDIES
from device.settings import ConfigError
from device.settings import load as load_config
from device.sources import live
from device.sources.belt import BeltSource

SETTLE_S = 1.5  # s after Enter, for hands to come down and trunks to come to rest
STAND_S, LEAN_S, WALK_S = 5.0, 4.0, 8.0
TICK_S = 0.01

Collect = Callable[[float], list[Frame]]  # the frames of so many seconds, in the belt's own axes
Say = Callable[[str], None]  # to the person; returns when they are ready


def add(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Nonsense is refused, with what to do; the old calibration stays as it was."
    parser.add_argument(
        "--config", required=True, type=Path, metavar="FILE", help="the belt's configuration"
    )


def execute(args: argparse.Namespace) -> int:
    if not sys.stdin.isatty():
        raise Fault("calibrate guides a person step by step; run it in a terminal")
    try:
        config = load_config(args.config)
    except ConfigError as error:
        raise Fault(str(error)) from error
    with _frames(config, MonotonicClock()) as (collect, chip, fs):
        found = measure(config, collect, chip, fs, _say)
    try:
        save(config.calibration_file, config.belt.name, found)
    except OSError as error:
        raise Fault(
            f"{config.calibration_file} can't be written ({error.strerror}); "
            "run this as the device's user or as root"
        ) from error
    sys.stdout.write(words(found) + f"\nkept in {config.calibration_file}\n")
    sys.stdout.write("restart the device to use it: sudo systemctl restart rearguard-device\n")
    return 0


def measure(config: Config, collect: Collect, chip: str, fs: float, say: Say) -> Calibration:
    """Guide one person through it. Raises Fault, with what helps, for what cannot be."""
    try:
        say("Stand upright and still, nothing within 5 m behind you.")
        collect(SETTLE_S)
        standing = collect(STAND_S)
        up = fitting.level(standing)
        say("Lean forward by some 20 degrees with a straight back, and stay so.")
        collect(SETTLE_S)
        leaning = collect(LEAN_S)
        turn = fitting.forward(up, leaning)
        floor = None if config.ranger.driver == "none" else fitting.floor(standing, leaning)
        beam = None if floor is None else fitting.beam_up(floor, config.ranger.height_m)
        made = datetime.now(UTC).isoformat(timespec="seconds")
        found = Calibration(turn, beam, floor, chip, made)
        say("Walk plainly forward, eight steps or more, from now.")
        fitting.check_steps(found, collect(WALK_S), fs)
    except Nonsense as error:
        raise Fault(f"{error}: {REMEDIES[error.fault].remedy}") from error
    return found


def words(found: Calibration) -> str:
    """What was found, for a person."""
    x, _, up = found.turn
    tilt = math.degrees(math.acos(min(1.0, up[2])))
    aside = math.degrees(math.atan2(x[1], x[0]))
    floor = "out of range" if found.floor_m is None else f"at {found.floor_m:.2f} m"
    beam = "" if found.beam_up_deg is None else f", so the beam points {found.beam_up_deg:+.1f}°"
    return (
        f"the belt is tilted by {tilt:.1f}°; forward is {aside:+.1f}° to its left; "
        f"the floor's echo is {floor}{beam}"
    )


@contextlib.contextmanager
def _frames(config: Config, clock: Clock) -> Iterator[tuple[Collect, str, float]]:
    """From the device that runs, else from the sensors. Raises Fault."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(alone(config.belt.run_dir))
        except TakenError:
            yield _shared(config, clock)
            return
        except FileNotFoundError:  # no device has run since the machine's start
            pass
        except OSError as error:
            raise Fault(
                f"{error}; run this as root or as a member of the device's group"
            ) from error
        try:
            source, motor = live.live(config, clock)
        except live.HardwareMissingError as error:
            raise Fault(str(error)) from error
        held.callback(source.close)
        held.callback(motor.close)
        if not source.imu:
            raise Fault(f"{', '.join(source.absent())}; {REMEDIES['imu_missing'].remedy}")
        yield own(source, clock), source.imu.name, source.fs


def own(source: BeltSource, clock: Clock) -> Collect:
    """What the sensors say, read here."""

    def collect(seconds: float) -> list[Frame]:
        frames: list[Frame] = []
        deadline = clock.now()
        end = deadline + seconds
        while deadline < end:
            clock.sleep_until(deadline)
            frames += source.read(clock.now())
            deadline = max(deadline + TICK_S, clock.now())
        return frames

    return collect


def _shared(config: Config, clock: Clock) -> tuple[Collect, str, float]:
    """What the running device puts into its ring, turned back into the belt's axes."""
    used = load(config.calibration_file, config.belt.name)
    try:
        parts = running.ask(config, clock, "doctor", question="parts")["detail"]
        ring = RingReader(config.ring_file)
    except (running.MuteError, OSError, ValueError) as error:
        raise Fault(f"{error}; {REMEDIES['device_mute'].remedy}") from error
    if not running.uses(parts, used):
        raise Fault(
            "the device runs with another calibration than the one on disk; restart it first: "
            "sudo systemctl restart rearguard-device"
        )
    if parts.startswith("no motion sensor"):
        raise Fault(f"{parts.partition('), ')[0]}); {REMEDIES['imu_missing'].remedy}")
    return from_ring(ring, used, clock), parts.split(" at ")[0], ring.fs


def from_ring(ring: RingReader, used: Calibration, clock: Clock) -> Collect:
    """`used`: what those frames have been turned by."""
    back = Calibration(tuple(zip(*used.turn, strict=True)))  # type: ignore[arg-type]

    def collect(seconds: float) -> list[Frame]:
        newest = ring.newest()
        first = newest[0] + 1 if newest else 1
        clock.sleep_until(clock.now() + seconds)
        last = (ring.newest() or (first - 1, None))[0]
        frames = [frame for n in range(first, last + 1) if (frame := ring.read(n))]
        for f in frames:
            f.ax, f.ay, f.az = back.turned((f.ax, f.ay, f.az))
            f.gx, f.gy, f.gz = back.turned((f.gx, f.gy, f.gz))
        return frames

    return collect


def _say(text: str) -> None:
    sys.stdout.write(text + " Press Enter when you are ready. ")
    sys.stdout.flush()
    if not sys.stdin.readline():
        raise Fault("nobody answers; the calibration was left as it was")
    sys.stdout.write("Measuring…\n")
