"""The device process: builds every part from the configuration, guards, and leaves all off."""

from __future__ import annotations

import argparse
import contextlib
import logging
import math
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from device import logs
from device.alone import TakenError, alone
from device.blackbox import BlackBox
from device.calibration import Calibration
from device.calibration import load as read_calibration
from device.clock import MonotonicClock, SystemWallClock, boot_id
from device.config import Config
from device.control import ControlServer
from device.core import Core
from device.dangers import kept
from device.haptics import Haptics, Motor, play
from device.health import Health, table
from device.lanes import Lanes
from device.loop import Loop
from device.plan import known
from device.policy import Policy
from device.practice import Practice
from device.readiness import Readiness
from device.realtime import LOOP, THREADS, lock_memory, real_time, small_stacks
from device.recorder import Origin, Recorder
from device.ring import RingWriter
from device.screening import Override
from device.scribe import Scribe
from device.settings import ConfigError, load
from device.sources.belt import BeltSource
from device.sources.live import HardwareMissingError, live
from device.sources.live import motor as real_motor
from device.sources.scenarios import SCENARIOS
from device.sources.simulated import simulated
from device.supervisor import VARIABLE, Supervisor
from device.wearers import Wearers

BAD_USE = 2  # exit code for what a person must mend

log = logging.getLogger("device")


class StartError(Exception):
    """Why the device cannot start, in one line with a remedy."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT: exit code 0; or 2 and one line when it cannot start.

    What fails in guarding itself is raised: the motor is off by then, and the unit restarts.
    """
    parser = argparse.ArgumentParser(prog="python -m device", description=__doc__)
    parser.add_argument("--config", required=True, type=Path, metavar="FILE")
    parser.add_argument("--simulate", metavar="SCENARIO", choices=sorted(SCENARIOS))
    args = parser.parse_args(argv)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    watched = os.environ.get(VARIABLE, "")
    try:
        if args.simulate and watched and os.getppid() == 1:
            raise StartError("a unit guards with no simulated belt: take --simulate out of it")
        config = load(args.config)
        small_stacks()
        # before any thread is made: they inherit it; a simulated belt is none to make way for
        rights = [] if args.simulate else [real_time(THREADS), lock_memory()]
        with contextlib.ExitStack() as parts:
            parts.enter_context(_logging(config.log_file))
            for refused in filter(None, rights):
                log.warning("%s", refused)
            try:
                loop = _assemble(config, args.simulate, rights, parts, Supervisor(watched))
            except HardwareMissingError as error:
                _cannot_start(config, error.what)
                raise
            config.cannot_start_file.unlink(missing_ok=True)
            log.info("started, fed by %s, %g ticks a second", loop.source.name, 1 / loop.period)
            if rights and not rights[0]:
                real_time(LOOP)
            loop.run(stopping.is_set)
            log.info("ended: %d deadlines skipped; %s", loop.skipped, loop.lateness.words())
    except (ConfigError, HardwareMissingError, StartError, TakenError) as error:
        sys.stderr.write(f"device: {' '.join(str(error).split())}\n")
        return BAD_USE
    return 0


def _assemble(
    config: Config,
    scenario: str | None,
    rights: list[str],
    parts: contextlib.ExitStack,
    supervisor: Supervisor,
) -> Loop:
    """Every part, each with its end pushed on `parts`; the first made is the last to end."""
    clock = MonotonicClock()
    parts.callback(supervisor.close)
    with _startable(f"{config.belt.run_dir} cannot be used", "set [belt] run_dir"):
        config.belt.run_dir.mkdir(parents=True, exist_ok=True)
        parts.enter_context(alone(config.belt.run_dir))
    source, motor = _source(
        config, scenario, clock, read_calibration(config.calibration_file, config.belt.name)
    )
    parts.callback(source.close)
    parts.callback(motor.close)  # first: it may need the bus
    core = Core(source.fs, **_parameters(config, source.calibration))
    run = f"{boot_id()}-{int(clock.now() * 1000):x}"  # this boot, and this start within it
    wall = SystemWallClock().at(clock.now())
    dangers = kept(config.journal_dir, source.name, clock.now(), *wall, boot_id())
    recorder = Recorder(
        config.journal_dir,
        Origin(config.belt.name, run, source.name),
        clock,
        SystemWallClock(),
        queue_size=config.loop.queue,
        limit_bytes=int(config.loop.journal_mb * 1e6),
    )
    parts.callback(_close_recorder, recorder)
    with _startable(f"{config.belt.run_dir} cannot be used", "free memory, or set [belt] run_dir"):
        ring = RingWriter(config.ring_file, config.loop.ring_slots, source.fs, source.name)
        parts.callback(ring.close)
        control = ControlServer(config.socket_file)
        parts.callback(control.close)
    box = BlackBox(
        config.recordings_dir, config.ring_file, config.belt.name, source.fs, clock,
        SystemWallClock(), config.keep.recordings_days,
    )  # fmt: skip
    parts.callback(box.close)
    health = Health(table(config, source.fs), clock.now())
    health.note(clock.now(), {"rights": "; ".join(filter(None, rights))})
    policy = Policy(config.wearer, config.belt.name, run, source.name, dangers)
    haptics = Haptics(motor, config.motor.strength)
    return Loop(
        clock,
        config.loop.rate_hz,
        source,
        core,
        policy,
        _practice(config, policy, core, haptics, parts),
        haptics,
        health,
        Lanes(ring, recorder, control, box),
        supervisor,
    )


def _practice(
    config: Config, policy: Policy, core: Core, haptics: Haptics, parts: contextlib.ExitStack
) -> Practice:
    """Sessions and tests, with the wearers' files. Raises StartError."""
    plans, faults = known(config.plans_dir)
    if config.session.plan not in plans:
        raise StartError(
            f"no plan {config.session.plan!r} for [session] plan: choose of {', '.join(plans)}"
        )
    scribe = Scribe()
    parts.callback(scribe.close)
    wearers = Wearers(config.wearers_dir, config.wearer.name, scribe)
    for fault in [*faults, *wearers.faults]:
        log.warning("%s", fault)
    wearer = config.wearer
    override = Override.of(wearer.name, wearer.clinician, wearer.clinician_allows)
    return Practice(
        config.session,
        Readiness(config.session, override, plans),
        wearers,
        policy,
        core,
        SystemWallClock(),
        haptics.feel,
        Random(),  # noqa: S311  nobody gains by guessing when a test buzz comes
    )


def _cannot_start(config: Config, why: str) -> None:
    """The wearer feels that nothing guards, as far as the motor can be had; the service is told."""
    with contextlib.suppress(OSError):
        config.cannot_start_file.write_text(why + "\n", encoding="utf-8")
    with contextlib.suppress(HardwareMissingError, OSError):
        output = real_motor(config)
        play(Haptics(output, config.motor.strength), MonotonicClock(), "not_guarding")
        output.close()


def _source(
    config: Config, scenario: str | None, clock: MonotonicClock, calibration: Calibration
) -> tuple[BeltSource, Motor]:
    if scenario:
        return simulated(config, scenario, clock, calibration)
    return live(config, clock, calibration)


def _parameters(config: Config, calibration: Calibration) -> dict[str, float]:
    """What the core must know of this wearer and this belt; what was measured goes first."""
    beam = calibration.beam_up_deg
    return {
        "has_ranger": float(config.ranger.driver != "none"),
        "reaction": config.wearer.reaction_s,
        "stopping": config.wearer.stopping_s,
        "ranger_pitch": math.radians(config.ranger.pitch_deg if beam is None else beam),
        "ranger_height": config.ranger.height_m,
    }


def _close_recorder(recorder: Recorder) -> None:
    try:
        recorder.close()
    except queue.Full:
        log.error("the disk hangs: the last records are lost")


@contextlib.contextmanager
def _startable(what: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StartError(f"{what} ({error.strerror or error}): {remedy}") from error


@contextlib.contextmanager
def _logging(file: Path) -> Iterator[None]:
    """One line an event on standard error and in `file`, by a thread: a full pipe must not hold the
    loop."""
    log.setLevel(logging.INFO)
    handler = logs.Aside(logs.handler(logs.Descriptor()), logs.File(file))
    handler.addFilter(logs.Sparing())
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.end()


if __name__ == "__main__":
    sys.exit(main())
