"""The language for the skin: one table of patterns, and who may interrupt whom."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from device.alerts import Level
from device.clock import Clock

MAX_ON_S = 2.0  # s the motor may run without a pause, whatever is asked
REST_S = 0.1  # s it then rests at least
TICK_S = 0.01  # s, while one pattern is played with nothing else to do
# The pause between pulses that quicken: none is left at SOON s before contact, for then it is
# "stop"; PACE s more for each s before that. Parking aids shorten it with the distance; a walker
# needs time.
SOON, PACE, QUICKEST = 1.0, 0.3, 0.1


class Motor(Protocol):
    """What a vibration motor's driver does."""

    @property
    def duty(self) -> float:
        """As last set, 0..1."""

    def set(self, duty: float) -> None:
        """Run at `duty` (0..1) until told otherwise."""

    def off(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is felt, and what it means."""

    pulses: tuple[tuple[float, float], ...]  # (s on, s off after it), in order
    duty: float  # share of the configured strength
    priority: int  # a higher one replaces a lower one
    means: str
    family: str  # of FAMILIES; empty: an echo of the wearer's own press, or a test
    pause: dict[Level, float] = field(default_factory=dict)  # s until felt again while open
    quickens: bool = False  # as the time left to contact shortens; quiet while nothing closes

    @property
    def length(self) -> float:
        return sum(on + off for on, off in self.pulses)

    def duty_at(self, t: float) -> float:
        """Duty `t` s after its beginning."""
        for on, off in self.pulses:
            if t < on:
                return self.duty
            t -= on + off
            if t < 0:
                return 0.0
        return 0.0


# All there is to learn: six rhythms. The patterns of one family say the same, and how badly.
FAMILIES: dict[str, str] = {
    "nearing": "Even pulses, ever quicker: something behind comes nearer; run together: stop.",
    "help": "Three pulses: help is called; the first two short: it has been told; twice: it comes.",
    "balance": "A long pulse and two short ones: mind your balance, slow down or rest.",
    "trouble": "A flutter: stop walking backward, the belt fails; long pulses after it tell how.",
    "guarding": "A short pulse and a longer one: the belt guards you.",
    "exercise": "Slow soft pulses: one backward, two brisk forward, three rest, four well done.",
}
_FLUTTER = ((0.07, 0.06),) * 4  # pulses of 0.07 s at least: a coin motor takes 0.05 s to be felt
_SLOW = ((0.25, 0.35),)

PATTERNS: dict[str, Pattern] = {
    "stop": Pattern(
        ((0.60, 0.10),),
        1.0,
        10,
        "Stop now: something is right behind you.",
        "nearing",
        {Level.STOP: 0.15},
        quickens=True,
    ),
    "answer": Pattern(((0.07, 0.05),), 0.8, 9, "Your press was understood.", ""),
    "answer_twice": Pattern(
        ((0.07, 0.08), (0.07, 0.05)), 0.8, 9, "Your double press was understood.", ""
    ),
    "danger": Pattern(
        ((0.50, 0.25),) * 3,
        1.0,
        8,
        "Help is being called; press the button if you are well.",
        "help",
    ),
    "approach": Pattern(
        ((0.15, 0.10),) * 2,
        0.7,
        7,
        "Something behind comes nearer: the quicker, the nearer.",
        "nearing",
        {Level.CAUTION: 1.2, Level.WARNING: 0.4},
        quickens=True,
    ),
    "balance": Pattern(
        ((0.40, 0.12), (0.08, 0.10), (0.08, 0.10)),
        0.8,
        6,
        "Mind how you walk: slow down, straighten up, or rest.",
        "balance",
        {Level.CAUTION: 15.0},
    ),
    "not_guarding": Pattern(
        (*_FLUTTER, (1.00, 0.20)),
        0.9,
        5,
        "The belt does not guard you.",
        "trouble",
        {Level.FAULT: 10.0},
    ),
    "no_imu": Pattern(
        (*_FLUTTER, (0.30, 0.15), (0.30, 0.05)),
        0.9,
        4,
        "The belt cannot feel how you move.",
        "trouble",
        {Level.FAULT: 20.0},
    ),
    "no_rear": Pattern(
        (*_FLUTTER, (0.30, 0.05)),
        0.9,
        4,
        "Nothing looks behind you.",
        "trouble",
        {Level.FAULT: 20.0},
    ),
    "fault": Pattern(
        _FLUTTER,
        0.9,
        4,
        "Part of the belt fails, or nobody can be told.",
        "trouble",
        {Level.FAULT: 20.0},
    ),
    "told": Pattern(
        ((0.08, 0.10), (0.08, 0.10), (0.45, 0.05)), 0.8, 3, "Help has been told.", "help"
    ),
    "coming": Pattern(
        ((0.08, 0.10), (0.08, 0.10), (0.45, 0.35)) * 2, 0.8, 3, "Help is coming.", "help"
    ),
    "nobody": Pattern(
        (*_FLUTTER, *((0.30, 0.15),) * 3),
        0.9,
        5,
        "Help is needed and nobody is known to have been told: call out.",
        "trouble",
        {Level.DANGER: 20.0},
    ),
    "guarding": Pattern(((0.12, 0.12), (0.30, 0.05)), 0.8, 1, "The belt guards you.", "guarding"),
    "backward": Pattern(_SLOW, 0.6, 2, "Now walk backward.", "exercise"),
    "forward": Pattern(_SLOW * 2, 0.6, 2, "Now walk forward, briskly.", "exercise"),
    "rest": Pattern(_SLOW * 3, 0.6, 2, "Now rest.", "exercise"),
    "done": Pattern(_SLOW * 4, 0.6, 2, "The session's dose is reached: well done.", "exercise"),
    "glance": Pattern(((0.10, 0.30), (0.10, 0.05)), 0.6, 1, "Glance round for people.", "exercise"),
    "hand": Pattern(
        ((0.10, 0.15),) * 4,
        0.6,
        2,
        "Is the place as it should be? Then hold a hand behind the belt, and take it away.",
        "exercise",
    ),
    "refused": Pattern(
        ((0.60, 0.20), (0.60, 0.05)), 0.8, 3, "The session does not begin: ask why.", "exercise"
    ),
    "perceive": Pattern(((0.15, 0.05),), 0.7, 2, "Press the button when you feel this.", ""),
    "go": Pattern(((0.40, 0.05),), 0.9, 3, "The walk test: go; felt again: you are there.", ""),
    "test": Pattern(((1.00, 0.30), (0.20, 0.05)), 1.0, 2, "A test by the technician.", ""),
}


class Haptics:
    """Plays one pattern at a time: whole, or replaced by a more urgent one."""

    def __init__(self, motor: Motor, strength: float) -> None:
        """`strength`: duty (0..1) of the strongest pulse."""
        self._motor, self._strength = motor, strength
        self._playing: Pattern | None = None
        self._level = Level.NONE  # that it was begun for
        self._begun = -math.inf  # s
        self._waiting = ""  # a pattern felt once, whose turn comes when this one is over
        self._left = math.nan  # s to contact
        self._ended: dict[str, float] = {}  # pattern → s, when it was last begun, plus its length
        self._on_since = math.nan  # s; NaN while the motor rests
        self._rest_until = -math.inf  # s

    @property
    def duty(self) -> float:
        """The motor's, as last set."""
        return self._motor.duty

    def feel(self, name: str, now: float, level: Level = Level.NONE) -> float | None:
        """Begin a pattern of PATTERNS; returns when the motor was switched on for it [s].

        At a higher `level` it begins anew: coming closer always speaks. None when one as urgent is
        playing, or the motor must rest. What is felt only once then waits its turn (the most urgent
        of those); what goes on is felt again anyhow.
        """
        pattern = PATTERNS[name]
        if not self.free_for(name, now, level):
            if not pattern.pause and (
                not self._waiting or pattern.priority > PATTERNS[self._waiting].priority
            ):
                self._waiting = name
            return None
        self._playing, self._level, self._begun = pattern, level, now
        self._ended[name] = now + pattern.length
        self._drive(now)
        return now if self._motor.duty > 0 else None

    def free_for(self, name: str, now: float, level: Level = Level.NONE) -> bool:
        """Whether a pattern may begin now [s]: nothing as urgent is playing."""
        playing = self._playing if self._busy(now) else None
        urgency = PATTERNS[name].priority, level
        return playing is None or urgency > (playing.priority, self._level)

    def update(
        self, now: float, going_on: Iterable[tuple[str, Level]] = (), left: float = math.nan
    ) -> None:
        """Bring the motor to where it should be now; repeat what is still open (pattern, level).

        `left`: s to contact; infinity: nothing closes, the wearer has stopped; NaN: not known.
        """
        self._left = left
        name = self._turn(now, going_on)
        if name and self.free_for(name, now):
            self._waiting = "" if name == self._waiting else self._waiting
            self.feel(name, now)
        else:
            self._drive(now)

    def off(self) -> None:
        """Nothing is felt any more."""
        self._playing, self._waiting = None, ""
        self._on_since = math.nan
        self._motor.off()

    def _busy(self, now: float) -> bool:
        return self._playing is not None and now - self._begun < self._playing.length

    def _turn(self, now: float, going_on: Iterable[tuple[str, Level]]) -> str:
        """The most urgent pattern that is due and can be whole before a more urgent one is due."""
        due = {name: self._again(name, level) for name, level in going_on}
        if self._waiting:
            due[self._waiting] = now
        next_due = math.inf  # s, of what is more urgent than the one looked at
        for name in sorted(due, key=lambda name: PATTERNS[name].priority, reverse=True):
            if due[name] <= now and now + PATTERNS[name].length <= next_due:
                return name
            next_due = min(next_due, due[name])
        return ""

    def _again(self, name: str, level: Level) -> float:
        """When a pattern that goes on is to be felt next [s]; -inf: it has not been felt."""
        pause = PATTERNS[name].pause.get(level, math.inf)
        if PATTERNS[name].quickens and not math.isnan(self._left):
            quick = max(QUICKEST, PACE * (self._left - SOON))
            pause = min(pause, quick) if self._left < math.inf else math.inf
        return self._ended.get(name, -math.inf) + pause if pause < math.inf else math.inf

    def _drive(self, now: float) -> None:
        duty = self._playing.duty_at(now - self._begun) * self._strength if self._playing else 0.0
        if now - self._on_since >= MAX_ON_S:
            self._rest_until = now + REST_S
        if now < self._rest_until:
            duty = 0.0
        if duty == 0.0:
            self._on_since = math.nan
        elif math.isnan(self._on_since):
            self._on_since = now
        if duty != self._motor.duty:
            if duty:
                self._motor.set(duty)
            else:
                self._motor.off()


def play(haptics: Haptics, clock: Clock, name: str) -> None:
    """One pattern of PATTERNS, whole; returns when it is over and the motor is off."""
    begun = now = clock.now()
    haptics.feel(name, begun)
    while now < begun + PATTERNS[name].length:
        clock.sleep_until(now + TICK_S)
        now = clock.now()
        haptics.update(now)
    haptics.off()
