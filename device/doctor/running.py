"""Examines a device that runs: it has the buses and the pins, so it is asked how it finds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from device import journal
from device.calibration import Calibration, load
from device.clock import Clock
from device.commands import CommandError, send
from device.config import Config
from device.doctor.finding import Finding, Report
from device.frames import Guard
from device.health import Row, table

ANSWER_S = 5.0  # s for the answer to come through the journal; it is written every second
POLL_S = 0.1
SETTLED_S = 5.0  # s in which a device that has just started finds its streams sound
SENSOR_RATE = 104.0  # 1/s; the rows do not depend on it, only their times do


class MuteError(Exception):
    """The device does not answer, and why."""


def examine(config: Config, clock: Clock) -> Iterator[Finding]:
    """Every row of its table of health. Raises MuteError."""
    rows = table(config, SENSOR_RATE)
    end = clock.now() + SETTLED_S
    while True:
        said = ask(config, clock, "doctor", question="health")["detail"]
        words, _, late = said.partition("; lateness ")
        found = list(judged(rows, words))
        if clock.now() >= end or not any(finding.fault for finding in found):
            break
        clock.sleep_until(clock.now() + POLL_S)
    if config.ranger.driver == "none":
        found.append(Finding("rear sensor", "none is set", "no_ranger", Guard.NO_REAR))
    yield _stage(words.partition(";")[0], found)
    parts = ask(config, clock, "doctor", question="parts")["detail"]
    yield Finding("parts", parts)
    yield from found
    kept = load(config.calibration_file, config.belt.name)
    doubted = any(finding.fault == "calibration" for finding in found)
    if not doubted and not uses(parts, kept):
        said = f"on disk is one of {kept.made}" if kept.made else "on disk there is none"
        yield Finding("calibration in use", said, "calibration_unused")
    yield Finding("lateness", late)
    yield Finding(
        "self-test", "not made while it guards: stop the device, then run this again", unknown=True
    )


def uses(parts: str, kept: Calibration) -> bool:
    """Whether a device that describes its parts so uses the calibration that is on disk."""
    return f"calibrated {kept.made or 'never'}" in parts


def _stage(word: str, found: list[Finding]) -> Finding:
    """How far it guards now; less than its parts explain has another reason: how it is worn."""
    stage, said = Guard[word.upper()], f"it runs and guards: {word}"
    explained = Report("", found).guard
    return Finding("device", said, "not_now" if stage < explained else "", stage)


def judged(rows: dict[str, Row], words: str) -> Iterator[Finding]:
    """What health.Health.words says, row by row: streams have a word, parts only their faults."""
    names = "|".join(map(re.escape, rows))
    said = dict(re.findall(rf"; ({names}):? (.*?)(?=; (?:{names}):? |$)", words))
    for name, row in rows.items():
        word = said.get(name, "")
        good = word in ("fresh", "late") or not word
        yield Finding(name, word or "no fault", "" if good else name, row.stage)


def play_test(config: Config, clock: Clock) -> str:
    """Have the motor's test played; empty, or why it was not. Raises MuteError."""
    record = ask(config, clock, "test")
    return "" if record["state"] == "confirmed" else str(record["detail"])


def ask(config: Config, clock: Clock, command: str, **arguments: Any) -> dict[str, Any]:
    """The record that answers a command. Raises MuteError."""
    written = journal.segments(config.journal_dir)
    cursor = (
        journal.Cursor(written[-1].name, written[-1].stat().st_size)
        if written
        else journal.Cursor()
    )
    try:
        request = send(config.socket_file, command, "doctor", **arguments)["request"]
        return _wait(clock, lambda: _answer(config, cursor, request))
    except (CommandError, OSError) as error:
        raise MuteError(str(error)) from error


def _answer(config: Config, cursor: journal.Cursor, request: str) -> dict[str, Any] | None:
    for entry in journal.read(config.journal_dir, cursor, 10_000):
        if entry.record and entry.record.get("request") == request:
            return entry.record
    return None


def _wait(clock: Clock, look: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
    end = clock.now() + ANSWER_S
    while (found := look()) is None:
        if clock.now() >= end:
            raise MuteError(f"it took the question, and no answer came within {ANSWER_S:g} s")
        clock.sleep_until(clock.now() + POLL_S)
    return found
