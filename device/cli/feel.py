"""`rearguard feel`: what the belt says to the skin, pattern by pattern, with its meaning.

With a configuration the patterns are played: by the device when it runs, else on the motor itself.
Without one, or without a motor, they are drawn: a block is 50 ms of buzzing, a dot as long a pause.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from device.cli import Fault
from device.clock import Clock, MonotonicClock
from device.commands import CommandError, send
from device.config import Config
from device.haptics import FAMILIES, PATTERNS, Haptics, Pattern, play
from device.settings import ConfigError, load
from device.sources.live import HardwareMissingError, motor

BLOCK = 0.05  # s
APART = 1.0  # s between one pattern and the next
BY_URGENCY = sorted(PATTERNS, key=lambda name: PATTERNS[name].priority, reverse=True)


def add(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "What there is to learn: " + " ".join(FAMILIES.values())
    parser.add_argument(
        "pattern", nargs="*", metavar="PATTERN", help=f"of {', '.join(BY_URGENCY)}; default: all"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="play them on this belt, not only draw them"
    )


def execute(args: argparse.Namespace) -> int:
    for name in args.pattern:
        if name not in PATTERNS:
            raise Fault(f"no pattern {name!r}; choose of {', '.join(BY_URGENCY)}")
    play, close = _player(args.config, MonotonicClock())
    if not args.pattern:
        sys.stdout.write("To learn:\n" + "".join(f"  {says}\n" for says in FAMILIES.values()))
    try:
        for name in args.pattern or BY_URGENCY:
            sys.stdout.write(f"{name:13s} {drawn(PATTERNS[name])}\n{'':13s} {_says(name)}\n")
            sys.stdout.flush()
            play(name)
    finally:
        close()
    return 0


def drawn(pattern: Pattern) -> str:
    """Blocks and dots of BLOCK s each; weaker pulses have lighter blocks."""
    block = "█" if pattern.duty > 0.85 else "▓" if pattern.duty > 0.6 else "▒"
    return "".join(
        block * max(1, round(on / BLOCK)) + "·" * max(1, round(off / BLOCK))
        for on, off in pattern.pulses
    )


def on_motor(haptics: Haptics, clock: Clock, name: str) -> None:
    """Play one pattern whole, and the pause after it."""
    play(haptics, clock, name)
    clock.sleep_until(clock.now() + APART)


def by_device(socket: Path, clock: Clock, name: str) -> None:
    """Have the running device play it; what is more urgent goes first there. Raises Fault."""
    try:
        send(socket, "play", "feel", pattern=name)
    except CommandError as error:
        raise Fault(f"{error}; stop the device, or look at its log") from error
    clock.sleep_until(clock.now() + PATTERNS[name].length + APART)


def _says(name: str) -> str:
    again = [f"{s:g} s ({level.word})" for level, s in PATTERNS[name].pause.items()]
    return PATTERNS[name].means + (f" While it lasts again after {', '.join(again)}." * bool(again))


def _player(path: Path | None, clock: Clock) -> tuple[Callable[[str], None], Callable[[], None]]:
    """What plays a pattern, and what ends it. Raises Fault."""
    if path is None:
        return _silent, _nothing
    try:
        config: Config = load(path)
    except ConfigError as error:
        raise Fault(str(error)) from error
    if config.socket_file.exists():
        return partial(by_device, config.socket_file, clock), _nothing
    try:
        output = motor(config)
    except HardwareMissingError as error:
        sys.stderr.write(f"drawn, not played: {error}\n")
        return _silent, _nothing
    return partial(on_motor, Haptics(output, config.motor.strength), clock), output.close


def _silent(name: str) -> None:
    """Drawn is all."""


def _nothing() -> None:
    """Nothing to end."""
