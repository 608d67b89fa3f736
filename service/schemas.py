"""The shapes of what the interface answers, for its description and its callers.

Records are passed on as they were stored: what an older version did not write has its default here,
and what a newer one adds is passed on as well.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.desk import MAX_BY, MAX_ID, PLAIN

LevelWord = Literal["info", "notice", "caution", "warning", "stop", "fault", "danger"]
StateWord = Literal["raised", "cleared", "confirmed", "cancelled", "acknowledged"]
DeliveryWord = Literal["confirmed", "unproven", "nobody", "no_broker"]
HealthWord = Literal["fresh", "absent", "stale", "faulty"]
GuardWord = Literal["full", "no_rear", "no_imu", "not_guarding"]
ZIP: dict[int | str, dict[str, Any]] = {  # what a download answers
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


class Problem(BaseModel):
    """RFC 9457, with what to do about it."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(ge=400, le=599, examples=[404])
    detail: str = Field(examples=["there is no record x"])
    remedy: str = Field(examples=["leave out since and before"])


class Health(BaseModel):
    healthy: Literal[True]


class Ready(BaseModel):
    ready: Literal[True]
    reasons: list[str] = Field(max_length=0, description="Empty: why not is told with a 503.")


class Stream(BaseModel):
    """One row of the table of streams."""

    name: str = Field(examples=["Motion sensor"])
    guards: bool = Field(description="Whether /readyz asks for it.")
    expected_hz: float | None
    age_s: float | None = Field(description="null: nothing has come yet.")
    limit_s: float = Field(description="How old it may grow.")
    health: HealthWord
    detail: str = Field(description="Why it is not fresh; empty when it is.")
    counters: dict[str, int | float] = Field(description="Since the service started.")


class Service(BaseModel):
    broker: str = Field(examples=["connected"], description="`connected`, or why not.")
    delivery: DeliveryWord = Field(
        description="What `delivered` means now. confirmed: the broker has handed it on; unproven: "
        "it has it, and over MQTT 3.1.1 does not say whether anybody listens; nobody: it hands on "
        "nothing; no_broker."
    )
    device_answers: bool
    storage: str = Field(examples=["ok"])
    waiting: int = Field(description="Records that the broker does not have yet.")
    oldest_waiting_raised_at: str | None


class Record(BaseModel):
    """One record as it was stored."""

    model_config = ConfigDict(extra="allow")
    id: str = Field(examples=["belt:6f1c2b7a-1d4c:17"], description="Drop duplicates by it.")
    belt: str = ""
    boot: str = ""
    kind: str = Field(examples=["alert"])
    event: str = Field(examples=["fall"])
    level: str = Field(examples=["danger"])
    state: str = Field(examples=["raised"])
    alert_id: str = Field(examples=["belt:6f1c2b7a-1d4c:a3"], description="The episode.")
    raised_at: str = Field("", description="ISO 8601, UTC.")
    clock_synchronised: bool = False
    t: float = Field(0.0, description="s, monotonic clock of that boot")
    by: str = ""
    session: str = ""
    source: str = ""
    test: bool = False
    detail: str = ""
    measurements: dict[str, float | None] = {}


class AlertRecord(Record):
    delivered_at: str | None = Field(
        None, description="When the broker had it; see `service.delivery`."
    )


class Alerts(BaseModel):
    alerts: list[AlertRecord]
    next: str | None = Field(description="Give it as `before` to go on to older ones.")


class Episode(BaseModel):
    """All records of one alert_id, as things stand."""

    alert_id: str = Field(examples=["belt:6f1c2b7a-1d4c:a3"])
    event: str = Field(examples=["long_lie"], description="What was last raised in it.")
    level: str = Field(examples=["danger"], description="The highest it had.")
    state: str = Field(examples=["acknowledged"], description="The newest.")
    open: bool
    raised_at: str | None = Field(examples=["2026-11-26T09:15:26.123+00:00"])
    changed_at: str | None
    clock_synchronised: bool = Field(description="Whether to believe `changed_at`.")
    by: str = Field(examples=["mqtt:anna"])
    acknowledged_by: str = Field(examples=["mqtt:anna"], description="Who answered first.")
    acknowledged_at: str | None
    detail: str
    source: str = Field(examples=["live"])
    session: str
    test: bool
    measurements: dict[str, float | None] = Field(description="Of the newest record.")
    delivered: bool = Field(
        description="Whether the broker has the newest record; see `service.delivery`."
    )


class Told(Episode):
    """An episode as the page lists it."""

    why: str = Field(description="What the event means.")
    helper: str = Field(description="What a helper should do about it.")
    recording: str | None = Field(description="Of the black box, by name; null: there is none.")


class Episodes(BaseModel):
    """The event `alerts` of the live stream: newest first."""

    episodes: list[Told]


class Session(BaseModel):
    """One walk, joined from its records; totals since its start."""

    model_config = ConfigDict(extra="allow")
    session: str = Field(examples=["belt:6f1c2b7a-1d4c:w1"])
    wearer: str = Field(examples=["Ada"])
    source: str = Field("", examples=["live"], description="What fed the belt.")
    started_at: str = Field(description="ISO 8601, UTC.")
    clock_synchronised: bool = Field(False, description="Whether to believe `started_at`.")
    changed_at: str
    event: str = Field("progress", examples=["stop"], description="What was said last.")
    state: str = Field(examples=["cleared"], description="cleared: ended; raised: under way.")
    detail: str = Field(description="The phase, or why it ended.")
    phase: str = Field("", description="Of the plan; empty once it has ended.")
    ended: str = Field("", description="Why; empty while it has not.")
    measurements: dict[str, float | None] = Field(examples=[{"dose_s": 300.0, "steps": 412}])
    totals: dict[str, float] = Field({}, description="The same as `measurements`.")
    borg_cr10: float | None


class Picture(BaseModel):
    """What is known now. Null: not known now, never the last value. The live stream's `state`."""

    time: str = Field(description="When this was drawn up; ISO 8601, UTC.")
    belt: str
    source: str = Field(examples=["live"], description="What feeds the belt.")
    online: bool = Field(description="Whether the device gives frames.")
    guard: GuardWord
    reason: str = Field(description="Why it does not guard fully; empty when it does.")
    streams: dict[str, Stream]
    level: str
    direction: str
    rear: str
    distance_m: float | None
    closing_m_s: float | None
    time_to_collision_s: float | None
    speed_m_s: float | None = Field(description="Backward is negative.")
    cadence_steps_min: float | None
    lean_deg: float | None = Field(description="Forward is positive.")
    sway_m_s2: float | None
    risk: float | None
    motor: float | None
    button: bool | None
    battery: float | None = Field(description="Share of charge, 0 to 1.")
    under_voltage: bool | None = Field(description="Whether the supply is too low now.")
    lateness_ms: float | None
    service: Service


class Status(Picture):
    """The picture, with what is open and the newest session."""

    active: list[Episode]
    session_record: Session | None = Field(description="null: there was none.")


class Answer(BaseModel):
    """What became of a command."""

    accepted: Literal[True]
    request: str
    result: Record | None = Field(description="null: none came within 2 s.")


class Command(BaseModel):
    """What every command may say besides."""

    model_config = ConfigDict(extra="forbid", strict=True)
    by: str = Field("", max_length=MAX_BY, pattern=f"^{PLAIN}$", description="Who asks.")
    id: str = Field(
        "", max_length=MAX_ID, pattern=f"^{PLAIN}$", description="Carried out once under one id."
    )


class Recording(BaseModel):
    """One recording of the black box."""

    name: str = Field(examples=["belt-6f1c2b7a-1d4c-a3"])
    event: str
    detail: str
    made_at: str
    seconds: float
    samples: int
    bytes: int


class Recordings(BaseModel):
    recordings: list[Recording]
    next: str | None


class Curve(BaseModel):
    """A signal thinned for drawing: the lowest and the highest of each stretch."""

    unit: str
    t: list[float]
    low: list[float | None]
    high: list[float | None]


class Mark(BaseModel):
    t: float = Field(description="s from the recording's start")
    event: str
    level: str
    state: str
    by: str = ""


class Drawing(Recording):
    alert_id: str | None
    curves: dict[str, Curve]
    marks: list[Mark] = Field(description="What was decided meanwhile.")
