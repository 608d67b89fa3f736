"""The plan language: what it says, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.plan import BUILT_IN, PlanError, known, read

GOOD = 'title = "T"\ngoal_min = 5\n[[phase]]\ndo = "backward"\nseconds = 60\n'


def test_three_plans_come_with_the_belt_and_are_sound(tmp_path: Path) -> None:
    plans, faults = known(tmp_path / "none")
    assert (list(plans), faults) == (["gentle", "intervals", "steady"], [])
    for plan in plans.values():
        assert 480.0 <= plan.goal_s <= 1200.0  # within what the trials walked, and no longer
        assert plan.title
    assert {p.stem for p in BUILT_IN.iterdir()} == set(plans)


def test_phases_follow_each_other_and_the_first_round_has_its_own(tmp_path: Path) -> None:
    plan = known(tmp_path)[0]["intervals"]
    doing = [plan.phase(number).do for number in range(6)]
    assert doing == ["forward", "backward", "forward", "backward", "forward", "backward"]
    assert [plan.phase(n).seconds for n in range(3)] == [120.0, 120.0, 60.0]


def test_a_limit_shortens_the_goal_and_never_lengthens_it(tmp_path: Path) -> None:
    plan = known(tmp_path)[0]["gentle"]
    assert plan.limited(300.0).goal_s == 300.0
    assert plan.limited(9999.0).goal_s == plan.goal_s


def test_a_plan_of_the_wearers_own_joins_and_a_broken_one_is_said(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    (tmp_path / "bad.toml").write_text(GOOD.replace("60", "6"))
    plans, faults = known(tmp_path)
    assert plans["mine"].goal_s == 300.0
    assert "bad" not in plans
    assert len(faults) == 1
    assert "seconds must be a number from 10 to 1200" in faults[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("5", "31"), "goal_min must be a number from 1 to 30"),
        (("5", "nan"), "goal_min must be a number"),
        (("5", "true"), "goal_min must be a number"),
        (('"T"', "3"), "title must be a text"),
        (('"backward"', '"sideways"'), "do must be backward or forward or rest"),
        (('"backward"', '"rest"'), "without a backward phase"),
        (("seconds = 60", "seconds = 60\nonce = true"), "without a backward phase"),
        (("seconds = 60", "seconds = 60\nonce = 1"), "once must be true or false"),
        (("seconds", "minutes"), "unknown key minutes"),
        (("goal_min", "goal"), "unknown key goal"),
        (("[[phase]]", "[phase]"), "[[phase]] tables"),
        (("title =", "title"), "cannot be read"),
    ],
)
def test_what_is_no_plan_is_refused_with_what_is_wrong(
    change: tuple[str, str], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "it.toml"
    file.write_text(GOOD.replace(*change, 1))
    with pytest.raises(PlanError) as refused:
        read(file)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
