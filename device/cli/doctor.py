"""`rearguard doctor`: what of this belt can be trusted, and what to do about the rest.

While a device runs it is asked, for it has the buses and the pins; else they are examined here. The
belt should lie still and look into the open. On a terminal the doctor also asks what only a person
can tell: whether the motor was felt, a press of the button, a hand behind.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from device.alone import TakenError, alone
from device.calibration import load as load_calibration
from device.cli import Fault
from device.cli.outputs import whole
from device.cli.round_trip import round_trip
from device.clock import Clock, MonotonicClock, wall_clock_synchronised
from device.config import Config
from device.doctor import buses, machine, pins, running
from device.doctor.finding import Finding, Report
from device.doctor.hands import Hands, NoPinsError
from device.doctor.unproven import CHECKLIST
from device.drivers.pi_power import PiPower
from device.frames import Guard
from device.remedies import REMEDIES
from device.settings import ConfigError, load
from device.sources import live

NOT_FULLY = 1  # exit code: this belt would not guard, or not fully
STYLES = {"well": "green", "unknown": "cyan", "warning": "yellow", "fault": "bold red"}
Ask = Callable[[str], bool | None]


def add(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Exit code: 0 when the belt can guard fully, 1 when not (the last line says how far), "
        "2 when it could not be examined. Warnings and what nobody could tell do not count."
    )
    parser.add_argument(
        "--config", required=True, type=Path, metavar="FILE", help="the belt's configuration"
    )
    parser.add_argument("--yes", action="store_true", help="ask nothing; what is left out is said")
    parser.add_argument(
        "--walk", action="store_true", help="also go through what is unproven on real hardware"
    )
    parser.add_argument(
        "--json", metavar="FILE", help="write all of it there as well; - for standard output"
    )


def execute(args: argparse.Namespace) -> int:
    try:
        config = load(args.config)
    except ConfigError as error:
        raise Fault(str(error)) from error
    out = Console(stderr=args.json == "-", highlight=False, soft_wrap=True, markup=False)
    ask = _nobody if args.yes or not sys.stdin.isatty() else _person(out)
    report = Report("the belt itself")
    for finding in examine(config, MonotonicClock(), ask, report):
        report.findings.append(finding)
        _show(out, finding)
    told = report.to_dict()
    if args.walk:
        told["checklist"] = _walk(out, report, ask)
    else:
        out.print(f"{len(CHECKLIST)} things no simulation proves: --walk goes through them")
    if args.json == "-":
        sys.stdout.write(json.dumps(told) + "\n")
    elif args.json:
        with whole(Path(args.json)) as file:
            file.write(json.dumps(told, indent=1) + "\n")
    _conclude(out, report)
    return 0 if report.guard is Guard.FULL else NOT_FULLY


def examine(config: Config, clock: Clock, ask: Ask, report: Report) -> Iterator[Finding]:
    """Everything, in the order a person would look for a fault."""
    hands = Hands(config, clock, live.bus, lambda: _pins(config), PiPower(), live.pin_errors, ask)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(alone(config.belt.run_dir))
        except TakenError:
            report.asked = "the device that runs"
            yield from _running(hands)
        except PermissionError as error:
            yield Finding("device", str(error), "device_mute", Guard.NOT_GUARDING)
        except FileNotFoundError:  # no device has run since the machine's start
            yield from parts(hands)
        else:
            yield from parts(hands)
    yield from machine.power(hands.supply)
    yield machine.clock(wall_clock_synchronised())
    yield machine.disk(config.belt.data_dir)
    yield round_trip(config, clock)


def parts(hands: Hands) -> Iterator[Finding]:
    """On the buses and pins themselves."""
    config = hands.config
    with hands.powered():
        yield from buses.examine(hands)
        yield from pins.examine(hands)
    yield machine.calibrated(load_calibration(config.calibration_file, config.belt.name))
    yield machine.rights()


def _pins(config: Config) -> Any:
    try:
        return live.pins(config)
    except live.HardwareMissingError as error:
        raise NoPinsError(error.what) from error


def _running(hands: Hands) -> Iterator[Finding]:
    config, clock = hands.config, hands.clock
    try:
        yield from running.examine(config, clock)
        why = running.play_test(config, clock)
    except running.MuteError as error:
        yield Finding("device", str(error), "device_mute", Guard.NOT_GUARDING)
        return
    if why:
        yield Finding("motor", f"its test was not played: {why}", unknown=True)
    else:
        yield pins.felt(hands, told=config.motor.driver == "drv2605l")


def _show(out: Console, finding: Finding) -> None:
    out.print(f"{finding.verdict:8s} ", style=STYLES[finding.verdict], end="")
    out.print(f"{finding.part}: {finding.said}")
    if finding.fault:
        remedy = REMEDIES[finding.fault]
        out.print(
            f"{'':9s}{remedy.symptom} Why: {remedy.cause}\n{'':9s}What helps: {remedy.remedy}"
        )


def _walk(out: Console, report: Report, ask: Ask) -> list[dict[str, Any]]:
    """Every line of hardware.md's list, what was found here of it, and whether it is proven."""
    walked = []
    for number, item in enumerate(CHECKLIST, 1):
        here = {f.part: f.verdict for f in report.findings if f.part in item.parts}
        out.print(f"{number:2d}. {item.what}\n    to prove it: {item.how}")
        if here:
            out.print("    here: " + ", ".join(f"{part} {said}" for part, said in here.items()))
        proven = ask("    Has this been proven on this belt?")
        walked.append({"what": item.what, "how": item.how, "here": here, "proven": proven})
    count = sum(bool(item["proven"]) for item in walked)
    out.print(f"{count} of {len(walked)} proven on this belt, as far as anybody was asked")
    return walked


def _conclude(out: Console, report: Report) -> None:
    unknown = [f.part for f in report.findings if f.unknown]
    if unknown:
        out.print(f"not known: {', '.join(dict.fromkeys(unknown))}")
    words = {
        Guard.FULL: "This belt can guard.",
        Guard.NO_REAR: "This belt would guard without looking behind.",
        Guard.NO_IMU: "This belt would guard without feeling how the wearer moves.",
        Guard.NOT_GUARDING: "This belt cannot guard.",
    }
    out.print(words[report.guard], style=STYLES["well" if report.guard is Guard.FULL else "fault"])


def _nobody(question: str) -> bool | None:
    return None


def _person(out: Console) -> Ask:
    def ask(question: str) -> bool | None:
        """Enter alone leaves it unknown."""
        answer = out.input(f"{question} [y/n] ", markup=False).strip().lower()[:1]
        return {"y": True, "n": False}.get(answer)

    return ask
