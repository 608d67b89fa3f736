"""Whether this wearer may begin a session: what the answers of the screening allow. Pure.

A "yes" refuses or limits, each with its reason and where that comes from. Only a clinician who is
named in the configuration can turn a refusal into a limit. Sources:

- WFG: M. Montero-Odasso et al., "World guidelines for falls prevention and management for older
  adults", Age and Ageing 51 (2022), afac205: falls in the last year, gait and balance, dizziness.
- PAR-Q: Physical Activity Readiness Questionnaire of the Canadian Society for Exercise Physiology:
  balance lost to dizziness, medically supervised activity, pregnancy; valid for a year at most.
- Ours: a rule of this project's hazards (SAFETY.md), cautious and without a trial behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

from device.questions import QUESTIONS

DAY_S = 86400.0
LIMITED_DOSE_S = 600.0  # s of walking backward in a limited session (ours: half to two thirds)
LIMITED_SPEED = 0.6  # m/s; older fallers walk backward slower than that, so it is no race to it
MOST_DOSE_S = 1800.0  # s: the longest that the trials asked for; a plan must ask for it


class _Rule(NamedTuple):
    verdict: str  # refuse | limit
    reason: str
    source: str


RULES: dict[str, _Rule] = {  # key of questions.QUESTIONS → what a yes brings
    "poor_balance": _Rule("refuse", "poor balance", "WFG: assess gait and balance first"),
    "osteoporosis": _Rule("refuse", "osteoporosis: a fall breaks bones", "ours, SAFETY.md"),
    "fall_recent": _Rule("refuse", "a fall in the last three months", "WFG: assess first"),
    "fall_year": _Rule("limit", "a fall in the last twelve months", "WFG: raised risk"),
    "dizziness": _Rule("refuse", "dizziness or fainting", "PAR-Q; WFG"),
    "surgery": _Rule("refuse", "surgery in the last three months", "ours, SAFETY.md"),
    "pregnancy_late": _Rule("refuse", "late pregnancy", "PAR-Q; ours, SAFETY.md"),
    "advised_against": _Rule("refuse", "advised against by a clinician", "PAR-Q"),
    "inactive": _Rule("limit", "no regular exercise for three months", "PAR-Q: build up gradually"),
    "sees_stairs": _Rule(
        "refuse", "the belt sees no kerb and no stairs going down: read what it cannot see",
        "ours, hardware.md",
    ),
    "silence_is_clear": _Rule(
        "refuse", "silence does not mean that the way is clear: read what it cannot see",
        "ours, hardware.md",
    ),
}  # fmt: skip
_ORDER = ("allow", "limit", "refuse")
COMPREHENSION = {"sees_stairs", "silence_is_clear"}  # nobody can overrule these: answer again
OVERRULABLE = {k for k, rule in RULES.items() if rule.verdict == "refuse"} - COMPREHENSION
OVERRULED = "overruled by"  # stands in the reasons of what a clinician allows


@dataclass(frozen=True, slots=True)
class Override:
    """What a named clinician allows one wearer; nobody and nothing by default."""

    wearer: str = ""
    clinician: str = ""
    allows: frozenset[str] = frozenset()  # keys of RULES

    @classmethod
    def of(cls, wearer: str, clinician: str, allows: str) -> Self:
        """As the configuration has it: keys with commas between."""
        return cls(wearer, clinician.strip(), frozenset(k.strip() for k in allows.split(",")))

    def covers(self, wearer: str, key: str) -> bool:
        named = bool(self.clinician) and wearer == self.wearer
        return named and key in self.allows & OVERRULABLE


@dataclass(frozen=True, slots=True)
class Verdict:
    """allow, limit or refuse, with a reason for each thing that counts."""

    word: str
    reasons: tuple[str, ...] = ()

    @property
    def most_dose_s(self) -> float:
        """s of walking backward a session may have; 0: none."""
        return {"allow": MOST_DOSE_S, "limit": LIMITED_DOSE_S}.get(self.word, 0.0)

    @property
    def most_speed(self) -> float:
        """m/s backward above which this wearer is told to slow down; infinity: the core's own."""
        return LIMITED_SPEED if self.word == "limit" else float("inf")

    def __str__(self) -> str:
        limits = (
            f" (at most {LIMITED_DOSE_S / 60:.0f} min, below {LIMITED_SPEED:g} m/s, with a"
            " companion)"
        )
        said = "; ".join(self.reasons) or "nothing speaks against it"
        return f"{self.word}{limits if self.word == 'limit' else ''}: {said}"


def judge(answers: Mapping[str, bool], wearer: str, override: Override) -> Verdict:
    """What these answers of this wearer allow. KeyError when one is missing."""
    word, reasons = "allow", []
    for key in QUESTIONS:
        if not answers[key]:
            continue
        rule = RULES[key]
        verdict, reason = rule.verdict, f"{rule.reason} [{rule.source}]"
        if verdict == "refuse" and override.covers(wearer, key):
            verdict, reason = "limit", f"{reason}, {OVERRULED} {override.clinician}"
        reasons.append(reason)
        word = max(word, verdict, key=_ORDER.index)
    return Verdict(word, tuple(reasons))


@dataclass(frozen=True, slots=True)
class Screening:
    """One wearer's answers and when they were given; kept, and judged anew at each start."""

    answers: dict[str, bool]
    asked_at: float  # s since 1970, wall time

    def stale(self, wall: float, most_days: float, fell_at: float | None) -> str:
        """Why they must be asked again at `wall` [s since 1970]; empty: they stand."""
        if set(self.answers) != set(QUESTIONS):
            return "the questions have changed"
        if fell_at is not None and fell_at > self.asked_at:
            return "there was a fall since they were answered"
        age = (wall - self.asked_at) / DAY_S
        if age > most_days:
            return f"they are {age:.0f} days old, older than {most_days:g}"
        if age < -1.0:
            return "the clock is before the day they were answered"
        return ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Self:
        """The reverse. Raises KeyError, TypeError or ValueError for what is none."""
        answers = {str(key): value for key, value in dict(found["answers"]).items()}
        if not all(isinstance(answer, bool) for answer in answers.values()):
            raise ValueError("an answer is true or false")
        return cls(answers, float(found["asked_at"]))
