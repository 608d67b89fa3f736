"""Who may begin: each answer, what it brings, and who may overrule it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.questions import QUESTIONS
from device.screening import (
    LIMITED_DOSE_S,
    MOST_DOSE_S,
    OVERRULABLE,
    RULES,
    Override,
    Screening,
    judge,
)
from tests.device.virtual import DAY, SAFE

NOBODY = Override()


def test_every_question_has_its_rule_reason_and_source() -> None:
    assert set(RULES) == set(QUESTIONS)
    assert all(rule.reason and rule.source for rule in RULES.values())


def test_nothing_against_it_allows() -> None:
    verdict = judge(SAFE, "Ada", NOBODY)
    assert (verdict.word, verdict.reasons, verdict.most_dose_s) == ("allow", (), MOST_DOSE_S)


@pytest.mark.parametrize("key", QUESTIONS)
def test_a_yes_brings_what_its_rule_says_with_the_reason(key: str) -> None:
    verdict = judge(SAFE | {key: True}, "Ada", NOBODY)
    limits = {"fall_year", "inactive"}
    assert verdict.word == ("limit" if key in limits else "refuse")
    assert RULES[key].reason in str(verdict)
    assert RULES[key].source in str(verdict)
    assert verdict.most_dose_s == (LIMITED_DOSE_S if key in limits else 0.0)
    assert (verdict.most_speed < 1.0) == (key in limits)


@pytest.mark.parametrize("key", ["poor_balance", "osteoporosis"])
def test_a_named_clinician_turns_a_refusal_into_a_limit_for_one_wearer_alone(key: str) -> None:
    answers = SAFE | {key: True}
    override = Override.of("Ada", "Dr Grace Hopper", key)
    verdict = judge(answers, "Ada", override)
    assert verdict.word == "limit"
    assert "Dr Grace Hopper" in str(verdict)
    assert "companion" in str(verdict)
    assert judge(answers, "Bob", override).word == "refuse"
    assert judge(answers, "Ada", Override.of("Ada", " ", key)).word == "refuse"
    assert judge(SAFE | {"dizziness": True}, "Ada", override).word == "refuse"


@pytest.mark.parametrize("key", ["sees_stairs", "silence_is_clear"])
def test_nobody_overrules_that_the_belt_was_not_understood(key: str) -> None:
    override = Override.of("Ada", "Dr Grace Hopper", ",".join(QUESTIONS))
    assert judge(SAFE | {key: True}, "Ada", override).word == "refuse"


@given(st.sets(st.sampled_from(list(QUESTIONS))), st.sets(st.sampled_from(list(QUESTIONS))))
def test_one_refusal_refuses_whatever_else_is_said(yes: set[str], allowed: set[str]) -> None:
    override = Override("Ada", "Dr Grace Hopper", frozenset(allowed))
    verdict = judge(SAFE | dict.fromkeys(yes, True), "Ada", override)
    refusing = {k for k in yes if RULES[k].verdict == "refuse"} - (allowed & OVERRULABLE)
    assert verdict.word == ("refuse" if refusing else "limit" if yes else "allow")
    assert len(verdict.reasons) == len(yes)


def test_answers_age_and_a_fall_ends_them() -> None:
    given_ = Screening(dict(SAFE), 100 * DAY)
    assert given_.stale(189 * DAY, 90.0, None) == ""
    assert "91 days old" in given_.stale(191 * DAY, 90.0, None)
    assert given_.stale(101 * DAY, 90.0, 99 * DAY) == ""
    assert "a fall since" in given_.stale(101 * DAY, 90.0, 100.5 * DAY)
    assert "clock" in given_.stale(50 * DAY, 90.0, None)
    fewer = Screening({"dizziness": False}, 100 * DAY)
    assert "questions have changed" in fewer.stale(100 * DAY, 90.0, None)


def test_what_is_kept_comes_back_and_nonsense_does_not() -> None:
    kept = Screening(dict(SAFE), 5.0)
    assert Screening.from_dict(kept.to_dict()) == kept
    with pytest.raises(ValueError, match="true or false"):
        Screening.from_dict({"answers": {"dizziness": "no"}, "asked_at": 5.0})
