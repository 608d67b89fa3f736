"""The shapes of what the interface answers, for its description and its callers.

Records are passed on as they were stored: what an older version did not write has its default here,
and what a newer one adds is passed on as well.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from device.commands import MOST_EFFORT
from service.desk import MAX_BY, MAX_ID, PLAIN
from service.programme import PROGRAMMES

LevelWord = Literal["info", "notice", "caution", "warning", "stop", "fault", "danger"]
StateWord = Literal["raised", "cleared", "confirmed", "cancelled", "acknowledged"]
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
    delivered_at: str | None = Field(None, description="When the broker had it.")


class Alerts(BaseModel):
    alerts: list[AlertRecord]
    next: str | None = Field(description="Give it as `before` to go on to older ones.")


class Episode(BaseModel):
    """All records of one alert_id."""

    model_config = ConfigDict(extra="allow")
    alert_id: str
    event: str
    level: str
    state: str
    open: bool
    raised_at: str | None
    changed_at: str | None
    by: str
    detail: str
    delivered: bool
    test: bool


class Status(BaseModel):
    """What is known now. Null: not known now, never the last value."""

    model_config = ConfigDict(extra="allow")
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
    lateness_ms: float | None
    active: list[Episode]
    session_record: dict[str, Any] | None
    service: Service


class Answer(BaseModel):
    """What became of a command."""

    accepted: Literal[True]
    request: str
    result: Record | None = Field(description="null: none came within 2 s.")


class Session(BaseModel):
    """One walk, joined from its records; totals since its start."""

    model_config = ConfigDict(extra="allow")
    session: str
    wearer: str = Field(examples=["Ada"])
    started_at: str = Field(description="ISO 8601, UTC.")
    changed_at: str
    state: str = Field(examples=["cleared"], description="cleared: ended; raised: under way.")
    detail: str = Field(description="The phase, or why it ended.")
    measurements: dict[str, float | None] = Field(examples=[{"dose_s": 300.0, "steps": 412}])
    borg_cr10: float | None


class Sessions(BaseModel):
    sessions: list[Session]
    next: str | None = Field(description="Give it as `before` to go on to older ones.")


class Wearers(BaseModel):
    wearers: list[str]
    wearing: str | None = Field(description="null: the device has said nothing yet.")
    screening: dict[str, Any] | None = Field(description="Their newest record of it; null: none.")
    time: str = Field(description="Of the belt, to tell how old the rest is.")


class Command(BaseModel):
    """What every command may say besides."""

    model_config = ConfigDict(extra="forbid", strict=True)
    by: str = Field("", max_length=MAX_BY, pattern=f"^{PLAIN}$", description="Who asks.")
    id: str = Field(
        "", max_length=MAX_ID, pattern=f"^{PLAIN}$", description="Carried out once under one id."
    )


class Effort(Command):
    borg_cr10: float = Field(ge=0, le=MOST_EFFORT, description="Borg's CR10: 10 is extreme.")


class Programme(Command):
    name: str = Field(
        max_length=40, description="A key of /api/v1/programmes, or `none`.",
        json_schema_extra={"enum": [*PROGRAMMES, "none"]},
    )  # fmt: skip


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
