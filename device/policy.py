"""Decides what is told: from the core's judgements, the button, commands and faults to Records.

Pure: no clock, no I/O. An episode is raised once, raised again at each higher level, and closed by
`cleared` or `cancelled`; all its records share one alert_id. A fall, from imminent to its end, is
one episode (`fall_chain.py`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from device.alerts import EVENTS, Level, Record, State
from device.config import Wearer
from device.core import Judgement
from device.dangers import Kept
from device.fall_chain import FallChain, Said
from device.frames import HEARD, Frame, Gap
from device.gestures import Gesture
from device.health import Finding

WARNINGS = ("obstacle", "unsteady", "stumble", "sos")  # notices are silent beside these
FALLING_S = 1.5  # s; onset to impact takes 0.35 to 1.34 s in the falls of KFall

_MEASURED = {  # field of the frame → its name in payloads, with the unit
    "distance": "distance_m",
    "closing": "closing_m_s",
    "ttc": "ttc_s",
    "cadence": "cadence_steps_min",
    "speed": "speed_m_s",
    "lean": "lean_rad",
    "sway": "sway_m_s2",
    "risk": "risk",
    "battery": "battery_share",
}


@dataclass(slots=True)
class _Episode:
    alert_id: str
    event: str
    level: Level
    acknowledged_by: str = ""
    since: float = math.nan  # s, of a call for help
    due: float = math.inf  # s, when a call for help is told again


class Policy:
    """One run's memory of what is open. Every method returns what is to be told, in order."""

    def __init__(
        self, wearer: Wearer, belt: str, run: str, source: str, kept: Sequence[Kept] = ()
    ) -> None:
        """`kept`: the dangers that an earlier run had open; `resume` goes on with them."""
        self._kept = kept
        self._wearer, self._prefix, self._source = wearer, f"{belt}:{run}:", source
        self._alerts, self._sessions = itertools.count(1), itertools.count(1)
        self._open: dict[str, _Episode] = {}  # by event; falls are in the chain
        self._chain: FallChain | None = None
        self.wearer = wearer.name  # of the profile in use
        self.session = ""  # id of the session under way; empty: none
        self._frame = Frame()  # the newest
        self._sample = -1  # its index
        self._good_imu_t = self._good_ping_t = self._ping_t = math.nan

    @property
    def level(self) -> Level:
        """The highest level open now."""
        levels = [episode.level for episode in self._open.values()]
        return max(levels + [Level.DANGER] * (self._chain is not None), default=Level.NONE)

    @property
    def open(self) -> frozenset[str]:
        """Events that are open now."""
        chain = {self._chain.event} if self._chain else set()
        return frozenset(self._open) | chain

    @property
    def warning(self) -> bool:
        """Whether a warning is near: something behind closes, balance is at stake, or a fall."""
        at_stake = any(
            event in WARNINGS and episode.level >= Level.CAUTION
            for event, episode in self._open.items()
        )
        return at_stake or self._chain is not None

    @property
    def speed(self) -> float:
        """m/s, backward negative, as the newest frame has it; NaN: not known."""
        return self._frame.speed

    def level_of(self, event: str) -> Level:
        """The level an event is open at; NONE: it is not."""
        episode = self._open.get(event)
        return episode.level if episode else Level.NONE

    def is_open(self, event: str) -> bool:
        return event in self._open or (self._chain is not None and self._chain.event == event)

    def felt(self) -> list[tuple[str, Level]]:
        """(pattern, level) of the open episodes that go on being felt; falls are told once."""
        said = [(EVENTS[event].felt.get(e.level), e.level) for event, e in self._open.items()]
        return [(pattern, level) for pattern, level in said if pattern]

    @property
    def time_left(self) -> float:
        """s to contact, as the newest frame has it: infinity: nothing closes; NaN: not known."""
        return self._frame.ttc

    def falling(self, now: float) -> bool:
        """Whether a fall may be under way now: nothing is to be felt then."""
        return (
            self._chain is not None
            and self._chain.event == "fall_imminent"
            and (now - self._chain.since < FALLING_S)
        )

    def due(self) -> float:
        """Time [s] at which `judge` with no judgements has something to say; inf: nothing waits."""
        call = self._open.get("sos")
        return min(self._chain.due if self._chain else math.inf, call.due if call else math.inf)

    def judge(
        self, now: float, sample: int, judgements: Sequence[Judgement], frame: Frame
    ) -> list[Record]:
        """What one sample and the time bring. `sample` is the index of the frame's sample.

        A judgement whose event has no row in alerts.EVENTS says nothing.
        """
        self._see(sample, frame)
        records = []
        if self._chain and now >= self._chain.due:
            records += self._chained(now, self._chain.expire(now))
        if self._chain:
            records += self._chained(now, self._chain.walks(now, abs(frame.direction) == 1))
        records += self._call_again(now)
        for judgement in judgements:
            if judgement.event in ("fall_imminent", "fall", "up_and_walking"):
                records += self._fall(now, judgement)
            elif judgement.event in EVENTS:
                cause = self._cause(judgement.event)
                records += self._episode(
                    now, judgement.event, judgement.level, judgement.state, cause
                )
        return records

    def resume(self, now: float) -> list[Record]:
        """Go on with what an earlier run had open.

        What a caregiver knows of, and the belt has since been switched off with, is over.
        """
        records = []
        for it in self._kept:
            if it.event == "sos":
                self._open["sos"] = self._call(it.alert_id, now, now - it.age)
                said = [Said("sos", State.CONFIRMED, detail="the belt restarted; not yet answered")]
                records += self._told(now, it.alert_id, said)
                continue
            chain = FallChain(it.alert_id, self._wearer.cancel_s, self._wearer.escalate_s)
            said = chain.resume(now, it.event, it.age, it.acknowledged_by)
            if it.acknowledged_by and not it.same_boot:
                said = chain.switched_off()
            if self._chain:
                records += self._chained(now, self._chain.supersede())
            self._chain = chain
            records += self._chained(now, said)
        return records

    def find(self, now: float, findings: Sequence[Finding]) -> list[Record]:
        """Faults that health, not the core, has found or seen go."""
        records = []
        for found in findings:
            said = self._episode(now, found.event, Level.FAULT, found.state, found.since)
            for record in said:
                record.detail = found.detail
            records += said
        return records

    def press(self, now: float, gesture: Gesture) -> list[Record]:
        """The button: long asks for help; while a fall or a call for help is open, else "I am OK".

        A double press is that too: who answers in a hurry presses more than once. What brings
        nothing here is practice.py's.
        """
        if gesture is Gesture.LONG:
            records = self._episode(now, "sos", Level.DANGER, State.RAISED, now)
            if records:
                self._open["sos"] = self._call(records[0].alert_id, now, now)
            return records
        records = []
        if self._chain:
            records += self._chained(now, self._chain.cancel(now, "button"))
        if "sos" in self._open:
            records += self._episode(now, "sos", Level.DANGER, State.CANCELLED, now, by="button")
        return records

    def acknowledge(self, now: float, request: dict[str, Any]) -> list[Record]:
        """What `ack` brings: records, the last one the result."""
        alert_id = request["alert_id"]
        records = self._acknowledge(now, alert_id, request["by"])
        refusal = "" if records else f"{alert_id} is not open, or acknowledged already"
        return [*records, self.result(now, request, refusal)]

    def moment(self, now: float, event: str, detail: str = "") -> list[Record]:
        """A notice that is over as it is said; nothing while an episode of the event is open."""
        if event in self._open:
            return []
        records = self._episode(now, event, Level.NOTICE, State.RAISED, now)
        records += self._episode(now, event, Level.NOTICE, State.CLEARED, now)
        for record in records:
            record.detail = detail
        return records

    def new_session(self) -> str:
        """An id that no other session has."""
        return f"{self._prefix}w{next(self._sessions)}"

    def of_session(
        self, now: float, event: str, state: State, detail: str, measured: dict[str, float], by: str
    ) -> Record:
        """A record of kind `session`; its measurements are totals, not those of the frame."""
        record = self._record(now, event, Level.INFO, state, kind="session", detail=detail, by=by)
        record.measurements = measured
        return record

    def result(
        self, now: float, request: dict[str, Any], refusal: str = "", detail: str = "done"
    ) -> Record:
        """What came of a command: `confirmed`, or `cancelled` with the reason."""
        return self._record(
            now,
            request["command"],
            Level.INFO,
            State.CANCELLED if refusal else State.CONFIRMED,
            kind="result",
            by=request["by"],
            request=request["request"],
            detail=refusal or detail,
            test=request["command"] in ("test", "play"),
        )

    # --- what lies beneath ---

    def _see(self, sample: int, frame: Frame) -> None:
        self._frame, self._sample = frame, sample
        if frame.gap == Gap.NONE:
            self._good_imu_t = frame.t
        if frame.ping_echo >= 0:
            self._ping_t = frame.ping_t
            if frame.ping_echo in HEARD:
                self._good_ping_t = frame.ping_t

    def _cause(self, event: str) -> float:
        """When the reading was measured that decided; for an absence, the last good one."""
        if event == "obstacle":
            return self._ping_t
        if event == "rear_blind":
            return self._good_ping_t
        if event == "imu_fault":
            return self._good_imu_t
        return self._frame.t

    def _episode(
        self, now: float, event: str, level: Level, state: State, cause: float, by: str = ""
    ) -> list[Record]:
        episode = self._open.get(event)
        if state is State.RAISED:
            if episode is None:
                episode = self._open[event] = _Episode(self._new_id(), event, level)
            elif level > episode.level:
                episode.level = level
            else:
                return []
        elif episode is None:
            return []
        else:
            del self._open[event]
        return [
            self._record(
                now, event, episode.level, state, alert_id=episode.alert_id, cause=cause, by=by
            )
        ]

    def _fall(self, now: float, judgement: Judgement) -> list[Record]:
        if judgement.state is not State.RAISED:  # the core's demand ends; the chain does not
            return []
        records = []
        chain = self._chain
        if judgement.event == "up_and_walking":
            walked = chain is not None and chain.event != "fall_imminent"
            return self._chained(now, chain.cancel(now, "walking")) if chain and walked else []
        if chain and chain.acknowledged_by and judgement.event == "fall":
            records += self._chained(now, chain.supersede())
        if self._chain is None:
            self._chain = FallChain(self._new_id(), self._wearer.cancel_s, self._wearer.escalate_s)
        if judgement.event == "fall":
            return records + self._chained(now, self._chain.fell(now))
        return records + self._chained(now, self._chain.imminent(now))

    def _chained(self, now: float, said: list[Said]) -> list[Record]:
        chain = self._chain
        if chain is None:
            return []
        if chain.over:
            self._chain = None
        return self._told(now, chain.alert_id, said)

    def _call(self, alert_id: str, now: float, since: float) -> _Episode:
        """A call for help that is told now, and again until it is answered or taken back."""
        due = now + self._wearer.escalate_s
        return _Episode(alert_id, "sos", Level.DANGER, since=since, due=due)

    def _call_again(self, now: float) -> list[Record]:
        call = self._open.get("sos")
        if call is None or now < call.due:
            return []
        call.due = now + self._wearer.escalate_s
        detail = f"called for help {now - call.since:.0f} s ago; not yet answered"
        return self._told(now, call.alert_id, [Said("sos", State.CONFIRMED, detail=detail)])

    def _told(self, now: float, alert_id: str, said: Sequence[Said]) -> list[Record]:
        return [
            self._record(
                now,
                event,
                Level.INFO if event == "fall_cancelled" else Level.DANGER,
                state,
                alert_id=alert_id,
                cause=now if by == "button" else self._frame.t,
                by=by,
                detail=detail,
            )
            for event, state, by, detail in said
        ]

    def _acknowledge(self, now: float, alert_id: str, by: str) -> list[Record]:
        if self._chain and self._chain.alert_id == alert_id:
            return self._chained(now, self._chain.acknowledge(by))
        for episode in self._open.values():
            if episode.alert_id == alert_id and not episode.acknowledged_by:
                episode.acknowledged_by = by
                seen = self._record(
                    now, episode.event, episode.level, State.ACKNOWLEDGED, alert_id=alert_id, by=by
                )
                if episode.event != "sos":
                    return [seen]
                # help is told: the call is answered, and the next one is a new one
                return [seen, *self._episode(now, "sos", Level.DANGER, State.CLEARED, now, by=by)]
        return []

    def _new_id(self) -> str:
        return f"{self._prefix}a{next(self._alerts)}"

    def _record(
        self,
        now: float,
        event: str,
        level: Level,
        state: State,
        *,
        cause: float = math.nan,
        kind: str = "alert",
        **rest: Any,
    ) -> Record:
        measured = {name: getattr(self._frame, field) for field, name in _MEASURED.items()}
        return Record(
            kind=kind,
            event=event,
            level=level.word,
            state=state.value,
            t=now,
            sample=self._sample,
            cause_t=cause if math.isfinite(cause) else None,
            session=self.session,
            wearer=self.wearer,
            source=self._source,
            measurements={k: round(v, 4) for k, v in measured.items() if math.isfinite(v)},
            **rest,
        )
