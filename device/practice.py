"""What the wearer practises: sessions, their preparation and the tests around them.

Lies beside guarding and never in its way: the belt guards whenever it is on, with a session or
without. Deterministic; time, the wall clock and the skin (`feel`) are handed in.

    start ──refused: why──> idle                                  ┌─ `button`, `command`, …
      └─> hand behind the belt ──seen──> session, phase by phase ─┼─ `dose` reached
                        └─unseen: refused                         └─ `fall`, `left`, `fault`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Protocol

from device.alerts import Level, Record, State
from device.clock import WallClock
from device.config import Session as Settings
from device.core import Usual
from device.frames import Frame, Guard
from device.gestures import Gesture
from device.hand_test import HandTest
from device.lesson import NOTICES, Feel, Lesson
from device.perception import BUZZES, Perception
from device.policy import WARNINGS, Policy
from device.readiness import Belt, Readiness
from device.screening import Screening
from device.trials import Trials
from device.wearers import Wearers

OWN = (  # commands
    "start", "stop", "profile", "forget", "screening", "perception", "walk_test",
    "effort", "goal",
)  # fmt: skip
RESUME_S = 1800.0  # s after its last word that a session is still the same one
ASK_AFTER_S = 0.8  # s from a press to the request for a hand: the answer to the press comes first


class Habits(Protocol):
    """Learns how a wearer walks (core.Core)."""

    def usual(self) -> list[Usual]: ...

    def recall(self, usual: Sequence[Usual]) -> None: ...


class Practice:
    """One belt's. Each method returns what is to be told, in order."""

    def __init__(
        self, settings: Settings, readiness: Readiness, wearers: Wearers, policy: Policy,
        habits: Habits, wall: WallClock, feel: Feel, random: Random,
    ) -> None:  # fmt: skip
        self._settings, self._readiness, self._wearers = settings, readiness, wearers
        self._policy, self._wall, self._feel, self._random = policy, wall, feel, random
        policy.wearer = wearers.current.name
        self._habits = habits
        habits.recall(wearers.current.usual)
        self._lesson: Lesson | None = None
        self._hand: HandTest | None = None
        self._ask_at = float("inf")  # s, when a hand is asked for
        self._plan = ""  # name of the plan that is being prepared; empty: the usual one
        self._perception: Perception | None = None
        self._trials = Trials(wearers, policy, feel, random)
        self._by = ""  # who asked for what is under way
        self._guard, self._battery = Guard.NOT_GUARDING, float("nan")

    @property
    def takes_presses(self) -> bool:
        """Whether presses of the button are answers of a test."""
        return self._perception is not None

    def faults(self) -> dict[str, str]:
        """Part of health.table → what is wrong with it; empty: nothing."""
        return {"profiles": self._wearers.fault}

    # --- what comes in ---

    def press(self, now: float, gesture: Gesture, health: str) -> list[Record]:
        """A short press begins a session, a double one ends what is under way."""
        if self.takes_presses:
            return []
        if gesture is Gesture.DOUBLE:
            return self._stop(now, "button")
        return self._prepare(now, "button", "", health)[1]

    def command(self, now: float, request: dict[str, Any], health: str) -> list[Record]:
        """What one of OWN brings: records, the last one the result. `health` in one line."""
        name, by = request["command"], request["by"]
        refusal, detail, records = "", "done", list[Record]()
        if name == "start":
            refusal, records = self._prepare(now, by, request.get("plan", ""), health)
            detail = "hold a hand behind the belt, then take it away"
        elif name == "stop":
            records = self._stop(now, by)
            refusal = "" if records else "no session is under way"
        elif name == "perception":
            refusal = self._busy() or self._begin_perception(now, by)
            detail = f"press the button whenever a buzz is felt: {BUZZES} of them will come"
        elif name == "walk_test":
            refusal = self._busy() or self._why_not(now, "", health)
            if not refusal:
                self._trials.begin(now, by)
            detail = "stand still, your back to the wall; walk backward at the long buzz"
        elif name == "screening":
            records = [self._screen(now, by, request["answers"])]
            detail = records[0].detail
        elif name == "effort":
            records = self._effort(now, by, float(request["borg_cr10"]))
            refusal = "" if records else "no session has ended whose effort could be told"
        elif name == "goal":
            refusal = self._wearers.ask(request["name"], float(request["minutes"]))
            detail = f"{request['minutes']:g} min a session" if request["minutes"] else "by plan"
        else:
            refusal = self._busy() or self._change(name, request["name"])
            detail = self._settled()
        return [*records, self._policy.result(now, request, refusal, detail)]

    def hear(self, now: float, record: Record) -> list[Record]:
        """An alert that was told just now, with what was felt for it."""
        if record.kind != "alert" or record.state != State.RAISED:
            return []
        if record.event == "fall":
            return self._fell(now)
        if self._lesson and record.event in WARNINGS and record.level != Level.NOTICE.word:
            self._lesson.coach.warned(now)
        if self._lesson and record.buzz_t is not None and record.event != "dose":
            self._lesson.felt()
        return []

    def may_feel(self, now: float, record: Record) -> bool:
        """Whether what a record would be felt as is within the coach's budget."""
        notice = record.event in NOTICES and record.level == Level.NOTICE.word
        return (
            not notice or self._lesson is None or self._lesson.coach.may_notice(now, record.event)
        )

    def step(self, now: float, frames: Sequence[Frame], guard: Guard) -> list[Record]:
        """A tick, after its frames were judged."""
        self._guard = guard
        if frames:
            self._battery = frames[-1].battery
        records = self._perceive(now, frames) if self._perception else []
        records += self._trials.step(now, frames, guard is Guard.FULL)
        if self._hand:
            records += self._show_hand(now, self._hand, frames)
        elif self._lesson:
            if self._policy.warning:
                self._lesson.coach.warned(now)
            told, ended = self._lesson.step(now, frames, guard is Guard.FULL)
            records += told
            if ended:
                records += self._end(now, ended, "device")
        return records

    def resume(self, now: float) -> list[Record]:
        """After a restart: the session that was under way goes on, or ends if it is too old."""
        kept = self._wearers.current.session
        if kept is None:
            return []
        try:
            age = self._wall.at(now)[0] - float(kept["saved_at"])
            self._lesson = Lesson.kept(
                kept, self._readiness.plans, self._settings.plan, self._settings.glance_s,
                self._wearers, self._policy, self._wall, self._feel,
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            self._wearers.keep_session(None)
            return []
        if 0.0 <= age <= RESUME_S:
            return [self._lesson.progress(now)]
        return self._end(now, "fault", "device")

    # --- beginning and ending ---

    def _prepare(self, now: float, by: str, plan: str, health: str) -> tuple[str, list[Record]]:
        """Begin with the hand test, or refuse: (why, what is told)."""
        if why := self._busy() or self._why_not(now, plan, health):
            return why, [self._say(now, "refused", State.CANCELLED, why, by=by)]
        self._plan, self._by, self._hand = plan, by, HandTest(now)
        self._ask_at = now + ASK_AFTER_S
        return "", []

    def _why_not(self, now: float, plan: str, health: str) -> str:
        one, wall = self._wearers.current, self._wall.at(now)[0]
        belt = Belt(self._guard, health, self._battery, self._policy.open)
        return self._readiness.why_not(one, wall, plan, belt)

    def _show_hand(self, now: float, hand: HandTest, frames: Sequence[Frame]) -> list[Record]:
        if now >= self._ask_at and self._feel("hand", now) is not None:
            self._ask_at = float("inf")
        if any(hand.see(frame) for frame in frames):
            one = self._wearers.current
            self._hand = None
            self._lesson = Lesson(
                self._policy.new_session(), self._readiness.plan(self._plan, one),
                self._readiness.verdict(one).most_speed, self._settings.glance_s,
                self._wearers, self._policy, self._wall, self._feel,
            )  # fmt: skip
            return self._lesson.start(now, self._by)
        if why := hand.fault(now):
            self._hand = None
            return [self._say(now, "refused", State.CANCELLED, why, by=self._by)]
        return []

    def _stop(self, now: float, by: str) -> list[Record]:
        """End the session, or break off what else is under way."""
        if self._hand:
            self._hand = None
            return [self._say(now, "refused", State.CANCELLED, "broken off", by=by)]
        if self._perception:
            self._perception = None
            return [self._say(now, "perception", State.CANCELLED, "broken off", by=by)]
        if self._trials.under_way:
            return self._trials.break_off(now, "broken off")
        caregiver = by.split(":", maxsplit=1)[0] == "mqtt"
        reason = "button" if by == "button" else "caregiver" if caregiver else "command"
        return self._end(now, reason, by)

    def _end(self, now: float, reason: str, by: str) -> list[Record]:
        if self._lesson is None:
            return []
        self._wearers.current.usual = self._habits.usual()
        last = self._lesson.end(now, reason, by)
        self._lesson = None
        return [last]

    def _fell(self, now: float) -> list[Record]:
        """The answers of the screening no longer hold, and what was under way is over."""
        self._wearers.current.fell_at = self._wall.at(now)[0]
        self._wearers.keep()
        self._hand = self._perception = None
        return [*self._trials.break_off(now, "a fall"), *self._end(now, "fall", "device")]

    # --- the rest ---

    def _begin_perception(self, now: float, by: str) -> str:
        self._by = by
        self._perception = Perception(now, self._random, self._feel)
        return ""

    def _perceive(self, now: float, frames: Sequence[Frame]) -> list[Record]:
        pressed = bool(frames[-1].button) if frames else False
        came = self._perception.step(now, pressed) if frames and self._perception else None
        if came is None:
            return []
        self._perception = None
        self._wearers.current.perceived_at = self._wall.at(now)[0] if came.passed else None
        self._wearers.keep()
        measured = {"felt": float(came.felt), "of": float(BUZZES), "false": float(came.false)}
        detail = f"{came.felt} of {BUZZES} felt: {came.advice}"
        return [self._say(now, "perception", State.CONFIRMED, detail, measured, self._by)]

    def _screen(self, now: float, by: str, answers: Mapping[str, bool]) -> Record:
        one = self._wearers.current
        one.screening = Screening(dict(answers), self._wall.at(now)[0])
        self._wearers.keep()
        verdict = str(self._readiness.verdict(one))
        return self._say(now, "screening", State.CONFIRMED, verdict, by=by)

    def _effort(self, now: float, by: str, borg: float) -> list[Record]:
        one = self._wearers.current
        if self._lesson or not one.last_session:
            return []
        said = self._say(now, "effort", State.CONFIRMED, "", {"borg_cr10": borg}, by)
        said.session = one.last_session
        return [said]

    def _change(self, command: str, name: str) -> str:
        why = self._wearers.use(name) if command == "profile" else self._wearers.forget(name)
        self._policy.wearer = self._wearers.current.name
        if not why:
            self._habits.recall(self._wearers.current.usual)
        return why

    def _settled(self) -> str:
        one = self._wearers.current
        known = "" if one.screening else ", not screened yet"
        return f"{one.name} wears it{known}; profiles: {', '.join(self._wearers.names())}"

    def _busy(self) -> str:
        """What is under way that leaves no room for another; empty: nothing."""
        if self._lesson:
            return f"session {self._lesson.session.id} is under way: stop it first"
        if self._hand:
            return "a session is being prepared: hold a hand behind the belt, or stop it"
        if self._trials.under_way:
            return "the walk test is under way: stop it first"
        return "the perception test is under way: stop it first" if self._perception else ""

    def _say(
        self, now: float, event: str, state: State, detail: str,
        measured: dict[str, float] | None = None, by: str = "",
    ) -> Record:  # fmt: skip
        return self._policy.of_session(now, event, state, detail, measured or {}, by)
