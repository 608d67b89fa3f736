"""The vocabulary of alerts: one row an event. Imports nothing of ours.

Each row says why the event fires, what the wearer does, what a helper does, at which levels it
comes and which pattern is felt at each (`haptics.PATTERNS`; None: nothing is felt).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import IntEnum, StrEnum
from typing import Any


class Level(IntEnum):
    """Rising urgency within one event; the numbers are those of rg_level in the core."""

    NONE = 0
    INFO = 1
    NOTICE = 2
    CAUTION = 3
    WARNING = 4
    STOP = 5
    FAULT = 6
    DANGER = 7

    @property
    def word(self) -> str:
        """As it is written in payloads."""
        return self.name.lower()


class State(StrEnum):
    RAISED = "raised"
    CLEARED = "cleared"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the table."""

    felt: dict[Level, str | None]  # level → pattern
    why: str
    wearer: str
    helper: str
    judged: bool = False  # decided by the core (rg_kind), in the order of this table


_C, _W, _S, _F, _D = Level.CAUTION, Level.WARNING, Level.STOP, Level.FAULT, Level.DANGER

EVENTS: dict[str, Row] = {
    "obstacle": Row(
        {_C: "approach", _W: "approach", _S: "stop"},
        "Something behind is closing and the time left nears what this wearer needs to stop.",
        "Stop and look round.",
        "Nothing, unless it comes often: then look at the place.",
        judged=True,
    ),
    "rear_blind": Row(
        {_F: "no_rear"},
        "The rear sensor gives no answer, or answers that cannot be true.",
        "Stop walking backward: nothing looks behind you.",
        "Uncover, dry or plug in the rear sensor; then `rearguard doctor`.",
        judged=True,
    ),
    "unsteady": Row(
        {Level.NOTICE: None, _C: "balance"},  # a notice comes with a rest that is announced
        "Sway or step variability is beyond this wearer's own baseline.",
        "Slow down or rest.",
        "Ask how they feel; a rest is due.",
        judged=True,
    ),
    "stumble": Row(
        {_W: None},
        "Balance was lost and caught again.",
        "Stand a moment before going on.",
        "Ask what happened.",
        judged=True,
    ),
    "fall_imminent": Row(
        {_D: None},  # a buzz cannot help a fall under way, and may startle
        "Balance is being lost now.",
        "Nothing: the belt tells others.",
        "Be ready: a fall or its cancelling follows within seconds.",
        judged=True,
    ),
    "fall": Row(
        {_D: "danger"},
        "An impact, then a body that lies.",
        "Press the button if you are well; get up and walk on.",
        "Call; go there if there is no answer.",
        judged=True,
    ),
    "posture": Row(
        {Level.NOTICE: "balance"},
        "The trunk leans or crouches too far.",
        "Straighten up, lean back only a little.",
        "Nothing.",
        judged=True,
    ),
    "pace": Row(
        {Level.NOTICE: "balance"},
        "Too fast, or steps too irregular.",
        "Slow down to an even pace.",
        "Nothing.",
        judged=True,
    ),
    "not_worn": Row(
        {_F: "fault"},
        "The belt is off the body, slipped, or on the wrong way round.",
        "Put the belt on with the sensor at the back.",
        "Check how the belt sits.",
        judged=True,
    ),
    "imu_fault": Row(
        {_F: "no_imu"},
        "The motion sensor gives no data, frozen data or absurd data.",
        "Stop: the belt cannot feel how you move.",
        "`rearguard doctor`; check the plug of the motion sensor.",
        judged=True,
    ),
    "long_lie": Row(
        {_D: "danger"},
        "Still down after a fall, and no answer.",
        "Help has been called. Press the button if you are well.",
        "Go there, or call an ambulance.",
    ),
    "fall_cancelled": Row(
        {Level.INFO: "answer"},
        "The wearer said, or showed by walking on, that they are well.",
        "Nothing.",
        "Ask how it went.",
    ),
    "sos": Row(
        {_D: "danger"},
        "The wearer held the button: they ask for help.",
        "Wait: help is told.",
        "Call; go there if there is no answer.",
    ),
    "dose": Row(
        {Level.NOTICE: "done"},
        "The session's dose is reached.",
        "Finish and rest.",
        "Nothing.",
    ),
    "not_guarding": Row(
        {_F: "not_guarding"},
        "The belt does not guard, for the reason given.",
        "Stop walking backward.",
        "Find the reason on the technician's page.",
    ),
    "service_lost": Row(
        {_F: "fault"},
        "The service on the belt does not answer: nothing outside can be told.",
        "Walk on only with a companion.",
        "`systemctl status rearguard-service`.",
    ),
    "motor_fault": Row(
        {_F: None},
        "The motor does not do what it is told.",
        "Stop: you would not feel a warning.",
        "Check the motor's plug; `rearguard feel`.",
    ),
    "button_fault": Row(
        {_F: "fault"},
        "The button does not come up again: it is stuck, or lain on.",
        "Free the button: while it is stuck you cannot call or answer.",
        "Call: the wearer may lie on it. Then free the button.",
    ),
    "loop_late": Row(
        {_F: "fault"},
        "Decisions come too late to be trusted.",
        "Stop walking backward.",
        "Look for what else runs on the belt; check for throttling.",
    ),
    "battery_low": Row(
        {_F: "fault"},
        "The battery will not last.",
        "Finish and charge the belt.",
        "Charge the belt.",
    ),
    "storage_fault": Row(
        {_F: None},
        "Records cannot be kept, or some were lost.",
        "Nothing: guarding goes on.",
        "Free space or replace the card; see the detail.",
    ),
    "test_alert": Row(
        {Level.NOTICE: None},
        "The weekly test: would an alert be seen?",
        "Nothing.",
        "Acknowledge it, so that the belt knows that somebody sees its alerts.",
    ),
    "test_unseen": Row(
        # Not felt: it is a day old already, nothing is mended by stopping, and `fault` every 20 s
        # until somebody acknowledges would teach the wearer to ignore it. When help is truly
        # needed, `told` and `nobody` say whether it was reached.
        {_F: None},
        "Nobody has acknowledged the weekly test within a day.",
        "Ask who gets the belt's alerts.",
        "Acknowledge it. If it did not reach a phone, find out where it was lost.",
    ),
}

SESSION: dict[str, str] = {  # event of a record of kind `session` → what it says
    "start": "A session begins (raised).",
    "progress": "Totals since its start; `detail` is the phase (raised).",
    "stop": "It ends, with its totals; `detail` is the reason (cleared).",
    "effort": "How hard it was: borg_cr10 (confirmed).",
    "screening": "Answers were judged; `detail` begins with allow, limit or refuse (confirmed).",
    "perception": "Of so many buzzes, `of`, so many were felt: `felt` (confirmed).",
    "walk_test": "One trial of the 3-metre backward walk (confirmed).",
    "programme": "A programme of several weeks was chosen: `detail` (confirmed; by the service).",
    "refused": "A session was asked for and not begun, for the reason in `detail` (cancelled).",
}

JUDGED: tuple[str, ...] = tuple(name for name, row in EVENTS.items() if row.judged)


@dataclass(slots=True)
class Record:
    """What the loop says: one line of the journal, one message to the caregiver.

    `kind` is `alert`, `result` (of a command) or `session`. The loop fills what it knows; the
    journal's writer adds `id`, `raised_at`, `clock_synchronised`; whoever sends adds `delayed_s`.
    """

    kind: str
    event: str  # a key of EVENTS; for results the command's name
    level: str = Level.INFO.word
    state: str = State.RAISED.value
    alert_id: str = ""  # the episode it belongs to
    t: float = 0.0  # s, monotonic: when it was decided
    sample: int = -1  # index of the newest sample used
    cause_t: float | None = None  # s, monotonic: when the reading that decided it was measured
    buzz_t: float | None = None  # s, monotonic: when the motor was switched on for it
    by: str = ""  # who cancelled, acknowledged or commanded
    session: str = ""
    wearer: str = ""  # name of the profile of who wears the belt
    source: str = "live"  # what feeds the belt: live, simulated:<scenario>, replayed
    test: bool = False
    request: str = ""  # id of the command it answers; empty: none
    detail: str = ""  # one line for a person
    measurements: dict[str, float] = field(default_factory=dict)  # names carry their unit

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def urgent(self) -> bool:
        """Danger and faults are synced to disk at once."""
        return self.level in (Level.DANGER.word, Level.FAULT.word)
