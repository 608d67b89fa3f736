"""The shapes of what the interface answers about walks: wearers, progress, programmes, screening.

Numbers that are not known are null, never the last value.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from device.commands import MOST_EFFORT
from service.programme import PROGRAMMES
from service.schemas import Command, Record, Session

FigureName = Literal[  # of service.progress
    "dose_min", "speed_m_s", "cadence_steps_min", "step_time_cv", "sway_m_s2", "cues_min",
    "borg_cr10", "test_s",
]  # fmt: skip


class Sessions(BaseModel):
    sessions: list[Session]
    next: str | None = Field(description="Give it as `before` to go on to older ones.")


class Wearers(BaseModel):
    wearers: list[str] = Field(examples=[["Ada", "Bob"]])
    wearing: str | None = Field(description="null: the device has said nothing yet.")
    screening: Record | None = Field(description="Their newest record of it; null: none.")
    time: str = Field(description="Of the belt, to tell how old the rest is.")


class Effort(Command):
    borg_cr10: float = Field(ge=0, le=MOST_EFFORT, description="Borg's CR10: 10 is extreme.")


class Programme(Command):
    name: str = Field(
        max_length=40, description="A key of /api/v1/programmes, or `none`.",
        json_schema_extra={"enum": [*PROGRAMMES, "none"]},
    )  # fmt: skip


class Week(BaseModel):
    """A calendar week; figures are medians over its sessions."""

    start: str = Field(
        examples=["2026-11-23"], json_schema_extra={"format": "date"}, description="A Monday."
    )
    sessions: int = Field(ge=0, examples=[4])
    total_min: float = Field(ge=0, examples=[46.5], description="Walking backward, in all.")
    dose_min: float | None = Field(examples=[11.6], description="min of walking backward a walk")
    speed_m_s: float | None = Field(examples=[-0.62], description="Backward is negative.")
    cadence_steps_min: float | None = Field(examples=[92.0])
    step_time_cv: float | None = Field(
        examples=[4.1], description="Coefficient of variation of the step time, %."
    )
    sway_m_s2: float | None = Field(examples=[0.41])
    cues_min: float | None = Field(examples=[0.3], description="Buzzes a minute.")
    borg_cr10: float | None = Field(examples=[3.0], ge=0, le=MOST_EFFORT)
    test_s: float | None = Field(examples=[3.4], description="The 3-metre backward walk test, s.")


class Trend(BaseModel):
    """What a figure changes a week, with a 95 % interval."""

    points: int = Field(ge=0, examples=[18], description="Walks, or days of tests.")
    clear: Literal[-1, 0, 1] | None = Field(
        description="1 or -1: it rises or falls for sure; 0: no clear change; null: too few points."
    )
    a_week: float | None = Field(examples=[-0.02], description="Median of all slopes.")
    low: float | None = Field(examples=[-0.035], description="null: unbounded, or not known.")
    high: float | None = Field(examples=[-0.004], description="null: unbounded, or not known.")


class Figure(BaseModel):
    title: str = Field(examples=["Step variability"])
    unit: str = Field(examples=["%"])
    better: Literal[-1, 0, 1] = Field(description="1: more is, -1: less is, 0: neither.")


class Course(BaseModel):
    """A programme on its way."""

    programme: str = Field(examples=["four-weeks"], description="A key of /api/v1/programmes.")
    began: str = Field(
        examples=["2026-11-02T10:00:00+01:00"], json_schema_extra={"format": "date-time"}
    )
    week: int = Field(ge=1, examples=[3], description="Which one this is.")
    goal_min: float | None = Field(
        examples=[14.0], description="min of walking backward a session; 0: no session."
    )
    sessions: int = Field(ge=0, examples=[4], description="That this week asks.")
    done: int = Field(ge=0, examples=[1], description="That reached at least half of the goal.")
    goal: str = Field(
        examples=["4 sessions of 14 min walking backward (more: it went well)"],
        description="What this week asks and why, for a person.",
    )


class Progress(BaseModel):
    """Weeks at a glance, and what has changed."""

    wearer: str = Field(examples=["Ada"])
    weeks: list[Week] = Field(description="Oldest first, also those without a session.")
    trends: dict[FigureName, Trend]
    figures: dict[FigureName, Figure] = Field(description="What the names mean.")
    course: Course | None = Field(description="null: no programme is chosen.")


class SessionPlan(BaseModel):
    """A plan of one session."""

    title: str = Field(examples=["Steady: five minutes backward, a minute of rest"])
    goal_min: float = Field(examples=[20.0], description="Walking backward until it ends.")


class Plan(BaseModel):
    """A programme of several weeks, and whose it is."""

    title: str = Field(examples=["Four weeks"])
    minutes: list[float] = Field(
        examples=[[10.0, 12.0, 14.0, 15.0]],
        description="Walking backward, a session, week by week.",
    )
    sessions_a_week: int = Field(ge=1, examples=[4])
    source: str = Field(examples=["Whitley CR, Dufek JS. Int J Exerc Sci 2011;4(3):192-198"])
    found: str = Field(examples=["10 healthy women, …"], description="In whom, and what.")


class Screening(BaseModel):
    questions: dict[str, str] = Field(
        examples=[{"fall_recent": "Have you fallen in the last three months?"}],
        description="Key of an answer to what is asked; true is yes.",
    )
    place: list[str] = Field(
        examples=[["The ground is flat and even, and dry."]],
        description="All of it holds before a session begins.",
    )
