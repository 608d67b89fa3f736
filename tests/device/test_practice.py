"""Sessions from the button to the last word: each refusal, each phase, each end."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from device.alerts import Level, State
from device.coach import NOTICE_EVERY_S
from device.config import Session
from device.core import Usual
from device.frames import Guard
from device.gestures import Gesture
from device.hand_test import COVERED, UNSEEN
from tests.device.gym import Gym
from tests.device.virtual import DAY, SAFE, Shelf


@pytest.fixture
def gym(tmp_path: Path) -> Gym:
    return Gym(tmp_path)


def answers(**yes: bool) -> dict[str, bool]:
    return SAFE | yes


# --- before: one test a refusal ---


def refused(gym: Gym, why: str, **arguments: str) -> None:
    """Over the socket, by the button, on the skin and in the journal."""
    *_, result = gym.ask("start", **arguments)
    assert (result.state, result.kind) == ("cancelled", "result")
    assert why in result.detail
    record = gym.last("refused")
    assert (record.state, record.detail) == ("cancelled", result.detail)
    if not arguments:
        (pressed,) = gym.press()
        assert (pressed.event, pressed.by) == ("refused", "button")
        assert why in pressed.detail
    gym.do("still", 3.0, hand=True)
    assert gym.said("start") == []


def test_who_was_not_screened_is_refused(tmp_path: Path) -> None:
    refused(Gym(tmp_path, screened=False), "has not been screened")


def test_old_answers_are_asked_again(gym: Gym) -> None:
    gym.wall.off = 91 * DAY
    refused(gym, "must be answered again: they are 91 days old")
    gym.ask("screening", answers=SAFE)
    gym.begin()


def test_after_a_fall_the_answers_are_asked_again(gym: Gym) -> None:
    gym.judged("fall", Level.DANGER)
    gym.policy.press(gym.t, Gesture.SHORT)
    refused(gym, "a fall since they were answered")
    gym.do("still", 1.0)
    gym.ask("screening", answers=SAFE)
    gym.begin()


@pytest.mark.parametrize("key", ["poor_balance", "osteoporosis", "fall_recent", "dizziness",
                                 "surgery", "pregnancy_late", "advised_against"])  # fmt: skip
def test_a_screening_that_refuses_refuses(gym: Gym, key: str) -> None:
    (record, _) = gym.ask("screening", answers=answers(**{key: True}))
    assert record.detail.startswith("refuse: ")
    refused(gym, "the screening of wearer refuses")


def test_without_the_perception_test_there_is_no_session(tmp_path: Path) -> None:
    gym = Gym(tmp_path, screened=False)
    gym.ask("screening", answers=SAFE)
    refused(gym, "has not passed the perception test")


@pytest.mark.parametrize("guard", [Guard.NO_REAR, Guard.NO_IMU, Guard.NOT_GUARDING])
def test_a_belt_that_does_not_guard_fully_starts_no_session(gym: Gym, guard: Guard) -> None:
    gym.guard = guard
    gym.do("still", 0.1)
    refused(gym, "the belt does not guard fully (as it is)")


def test_while_help_is_being_called_there_is_no_session(gym: Gym) -> None:
    gym.do("still", 0.1)
    gym.policy.press(gym.t, Gesture.LONG)
    *_, result = gym.ask("start")
    assert "help is being called" in result.detail


def test_a_session_starts_only_with_charge_for_it_and_ten_minutes_more(gym: Gym) -> None:
    gym.battery = 0.08  # steady: 20 min of dose drawn out to 40, and 10 more: 50 min of 8 h
    gym.do("still", 0.1)
    refused(gym, "the battery has 8%, this needs 10%", plan="steady")
    gym.battery = 0.07
    gym.do("still", 0.1)
    gym.begin("gentle")  # 16 + 10 min


def test_a_plan_that_is_not_known_is_refused(gym: Gym) -> None:
    refused(gym, "no plan 'marathon'; known: gentle, intervals, steady", plan="marathon")


def test_without_a_hand_behind_the_belt_there_is_no_session(gym: Gym) -> None:
    gym.press()
    gym.do("still", 31.0)
    assert gym.patterns("hand") == ["hand"]
    assert gym.last("refused").detail == UNSEEN
    assert gym.said("start") == []


def test_a_covered_sensor_is_no_hand(gym: Gym) -> None:
    gym.press()
    gym.do("still", 31.0, covered=True)
    assert gym.last("refused").detail == COVERED


def test_a_second_start_is_refused_while_one_is_under_way(gym: Gym) -> None:
    gym.press()
    *_, result = gym.ask("start")
    assert "is being prepared" in result.detail
    gym.do("still", 3.0, hand=True)
    *_, result = gym.ask("start")
    assert "is under way" in result.detail
    assert len(gym.said("start")) == 1


def test_a_limited_screening_makes_the_session_shorter_and_slower(gym: Gym) -> None:
    (record, _) = gym.ask("screening", answers=answers(fall_year=True))
    assert record.detail.startswith("limit (at most 10 min, below 0.6 m/s, with a companion)")
    gym.begin("steady")
    assert gym.last("start").measurements["goal_s"] == 600.0
    gym.do("forward", 121.0)
    gym.do("backward", 8.0, speed=0.7)
    pace = [r for r in gym.records if r.event == "pace"]
    assert [r.state for r in pace] == ["raised", "cleared"]
    assert "0.6 m/s of the screening" in pace[0].detail


# --- the perception test ---


def take_perception_test(gym: Gym, misses: int = 0, extra: int = 0) -> None:
    """Each buzz answered after 0.3 s, but for the first few; and presses that nothing asked for."""
    gym.ask("perception")
    gym.do("still", 1.0)
    buzzes = 0
    for _ in range(200):
        if gym.said("perception"):
            return
        before = len(gym.patterns("perceive"))
        gym.do("still", 0.2)
        if len(gym.patterns("perceive")) > before:
            buzzes += 1
            gym.do("still", 0.3)
            gym.button = int(buzzes > misses)
            gym.do("still", 0.1)
            gym.button = 0
            gym.do("still", 1.6)
            if buzzes <= extra:
                gym.button = 1
                gym.do("still", 0.1)
                gym.button = 0


@pytest.mark.parametrize(
    ("misses", "extra", "passed"), [(0, 0, True), (1, 0, True), (2, 0, False), (0, 2, False)]
)
def test_nine_of_ten_buzzes_must_be_felt_and_none_made_up(
    tmp_path: Path, misses: int, extra: int, passed: bool
) -> None:
    gym = Gym(tmp_path, screened=False)
    gym.ask("screening", answers=SAFE)
    take_perception_test(gym, misses, extra)
    record = gym.last("perception")
    assert record.state == "confirmed"
    assert record.measurements == {"felt": 10.0 - misses, "of": 10.0, "false": float(extra)}
    assert len(gym.patterns("perceive")) == 10
    if passed:
        gym.begin()
    else:
        assert "test again" in record.detail
        refused(gym, "has not passed the perception test")


def test_presses_of_the_test_begin_nothing_and_it_can_be_broken_off(gym: Gym) -> None:
    gym.ask("perception")
    assert gym.practice.takes_presses
    assert gym.press() == gym.press(Gesture.DOUBLE) == []
    gym.ask("stop")
    assert gym.last("perception").state == "cancelled"
    gym.begin()


# --- during ---


def test_a_session_by_the_plan_ends_with_its_dose(gym: Gym) -> None:
    """gentle: a minute backward, a minute of rest, until 8 minutes are walked."""
    gym.begin("gentle")
    for _ in range(8):
        gym.do("backward", 61.0, until=lambda: bool(gym.said("stop")))
        if not gym.said("stop"):
            gym.do("still", 62.0)
    stop = gym.last("stop")
    assert (stop.state, stop.detail, stop.by) == ("cleared", "dose", "device")
    assert 480.0 <= stop.measurements["dose_s"] <= 481.0
    assert stop.measurements["standing_s"] == pytest.approx(7 * 62.0 + 0.5, abs=2.0)
    assert stop.measurements["cadence_steps_min"] == pytest.approx(60 / 0.55, rel=0.01)
    dose = [r for r in gym.records if r.event == "dose"]
    assert [(r.level, r.state) for r in dose] == [("notice", "raised"), ("notice", "cleared")]
    felt = gym.patterns("backward", "forward", "rest")
    assert felt[:4] == ["backward", "rest", "backward", "rest"]
    assert len(felt) == 15
    assert {r.session for r in gym.said("progress")} == {stop.session}
    assert gym.policy.session == ""


def test_progress_comes_every_ten_seconds_and_at_each_change_of_phase(gym: Gym) -> None:
    gym.begin("gentle")
    gym.do("backward", 70.0)
    told = [(round(r.t - gym.last("start").t), r.detail) for r in gym.said("progress")]
    assert [t for t, phase in told if phase == "backward"] == [0, 10, 20, 30, 40, 50, 60]
    assert told[-1][1] == "rest"
    doses = [r.measurements["dose_s"] for r in gym.said("progress")]
    assert doses == sorted(doses)


def test_standing_or_sitting_pauses_and_walking_goes_on(gym: Gym) -> None:
    gym.begin("gentle")
    gym.do("backward", 20.0)
    gym.do("still", 9.0)
    assert gym.last("progress").detail == "backward"
    gym.do("still", 3.0)
    assert gym.last("progress").detail == "paused"
    dose = gym.last("progress").measurements["dose_s"]
    gym.do("still", 300.0)
    assert gym.last("progress").measurements["dose_s"] == dose
    gym.do("backward", 5.0)
    assert gym.last("progress").detail == "backward"
    assert gym.last("progress").session == gym.said("progress")[0].session


def test_walking_about_on_the_phone_is_no_dose_and_a_pause(gym: Gym) -> None:
    gym.begin("gentle")
    gym.do("backward", 20.0)
    before = gym.last("progress").measurements["dose_s"]
    gym.do("forward", 30.0)
    assert gym.last("progress").detail == "paused"
    assert gym.last("progress").measurements["dose_s"] == pytest.approx(before, abs=11.0)
    assert gym.last("progress").measurements["forward_s"] > 20.0


def test_a_belt_that_stops_guarding_pauses_the_session(gym: Gym) -> None:
    gym.begin("gentle")
    gym.do("backward", 20.0)
    gym.guard = Guard.NO_REAR
    gym.do("backward", 1.0)
    assert gym.last("progress").detail == "paused"
    gym.guard = Guard.FULL
    gym.do("backward", 1.0)
    assert gym.last("progress").detail == "backward"


def test_a_session_nobody_comes_back_to_ends(gym: Gym) -> None:
    gym.begin("gentle")
    gym.do("backward", 20.0)
    gym.do("still", 920.0)
    assert gym.last("stop").detail == "left"


@pytest.mark.parametrize(
    ("by", "reason"), [("button", "button"), ("http", "command"), ("mqtt:Grace", "caregiver")]
)
def test_a_session_is_ended_by_button_api_or_mqtt(gym: Gym, by: str, reason: str) -> None:
    gym.begin("gentle")
    gym.do("backward", 5.0)
    if by == "button":
        gym.press(Gesture.DOUBLE)
    else:
        gym.ask("stop", by=by)
    assert (gym.last("stop").detail, gym.last("stop").by) == (reason, by)
    *_, result = gym.ask("stop")
    assert result.detail == "no session is under way"


def test_a_fall_ends_the_session(gym: Gym) -> None:
    gym.begin("gentle")
    gym.do("backward", 5.0)
    gym.judged("fall", Level.DANGER)
    assert gym.last("stop").detail == "fall"


# --- the coach ---


def test_notices_have_a_budget_and_what_still_holds_is_said_later(gym: Gym) -> None:
    gym.begin("steady")
    gym.do("forward", 121.0)
    gym.do("backward", 10.0)
    first, *_ = gym.judged("posture", Level.NOTICE)
    assert first.buzz_t is not None
    gym.judged("posture", Level.NOTICE, State.CLEARED)
    second, *_ = gym.judged("pace", Level.NOTICE)
    assert second.buzz_t is None
    gym.do("backward", NOTICE_EVERY_S - 2.0)
    assert gym.patterns("balance") == []
    gym.do("backward", 4.0)
    assert gym.patterns("balance") == ["balance"], "it still holds, and its time has come"
    gym.judged("pace", Level.NOTICE, State.CLEARED)
    gym.do("backward", 130.0)
    assert gym.patterns("balance") == ["balance"], "it is over"


def test_no_notice_while_a_warning_is_near(gym: Gym) -> None:
    gym.begin("steady")
    gym.do("forward", 121.0)
    gym.do("backward", 10.0)
    gym.judged("obstacle", Level.CAUTION)
    (notice,) = gym.judged("posture", Level.NOTICE)
    assert notice.buzz_t is None
    gym.do("backward", 20.0)
    assert gym.patterns("balance") == []
    gym.judged("obstacle", Level.CAUTION, State.CLEARED)
    gym.do("backward", 4.9)
    assert gym.patterns("balance") == []
    gym.do("backward", 1.0)
    assert gym.patterns("balance") == ["balance"]
    gym.do("backward", 10.0)
    assert gym.last("progress").measurements["cues"] == 2.0


@pytest.mark.parametrize(("every", "prompts"), [(0.0, 0), (30.0, 3), (60.0, 1)])
def test_the_wearer_chooses_when_to_be_told_to_glance_round(
    tmp_path: Path, every: float, prompts: int
) -> None:
    gym = Gym(tmp_path, Session(glance_s=every))
    gym.begin("steady")
    gym.do("forward", 121.0)
    gym.do("backward", 100.0)
    assert len(gym.patterns("glance")) == prompts


def test_who_becomes_unsteady_is_told_to_rest_and_a_steady_one_is_not(gym: Gym) -> None:
    gym.begin("steady")
    gym.do("forward", 121.0)
    gym.do("backward", 170.0, uneven=0.02)
    assert not [r for r in gym.records if r.event == "unsteady"]
    gym.do("backward", 80.0, uneven=0.12, until=lambda: bool(gym.patterns("rest")))
    tired = [r for r in gym.records if r.event == "unsteady"]
    assert tired[0].level == "notice"
    assert "step variability is" in tired[0].detail
    assert gym.patterns("rest") == ["rest"]
    assert gym.last("progress").detail == "rest"
    gym.do("still", 58.0)
    gym.do("backward", 5.0)
    assert gym.last("progress").detail == "backward", "after the rest the phase goes on"


# --- after, and over a restart ---


def test_effort_belongs_to_the_session_that_ended(gym: Gym) -> None:
    *_, none = gym.ask("effort", borg_cr10=4)
    assert none.state == "cancelled"
    gym.begin("gentle")
    gym.do("backward", 5.0)
    gym.ask("stop")
    (effort, result) = gym.ask("effort", borg_cr10=4)
    assert (effort.state, result.state) == ("confirmed", "confirmed")
    assert effort.measurements == {"borg_cr10": 4.0}
    assert effort.session == gym.last("stop").session


class Disk(Shelf):
    """A shelf whose files another belt can read."""

    def put(self, path: Path, value: dict) -> None:
        super().put(path, value)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value, allow_nan=False))

    def drop(self, path: Path) -> None:
        super().drop(path)
        path.unlink(missing_ok=True)


def restarted(gym: Gym, folder: Path, after: float) -> Gym:
    return Gym(folder, run="run2", t=gym.t + after, desk=Disk(), wall=gym.wall)


def test_a_restart_goes_on_with_the_same_session_and_counts_nothing_twice(tmp_path: Path) -> None:
    gym = Gym(tmp_path, desk=Disk())
    gym.ask("screening", answers=SAFE)
    gym.begin("gentle")
    gym.do("backward", 35.0)
    before = gym.last("progress")
    again = restarted(gym, tmp_path, 20.0)
    again.tell(again.practice.resume(again.t))
    resumed = again.last("progress")
    assert (resumed.session, resumed.detail) == (before.session, "paused")
    assert resumed.measurements["dose_s"] == before.measurements["dose_s"]
    assert again.policy.session == before.session
    again.do("backward", 20.0)
    assert again.last("progress").detail == "backward"
    again.do("backward", 10.0)
    total = again.last("progress").measurements["dose_s"]
    assert before.measurements["dose_s"] + 20.0 < total < before.measurements["dose_s"] + 31.0
    again.press(Gesture.DOUBLE)
    third = restarted(again, tmp_path, 5.0)
    assert third.practice.resume(third.t) == []


def test_a_session_that_was_left_hours_ago_ends_at_the_restart(tmp_path: Path) -> None:
    gym = Gym(tmp_path, desk=Disk())
    gym.begin("gentle")
    gym.do("backward", 35.0)
    again = restarted(gym, tmp_path, 7200.0)
    again.tell(again.practice.resume(again.t))
    stop = again.last("stop")
    assert (stop.session, stop.detail) == (gym.last("start").session, "fault")
    assert stop.measurements["dose_s"] > 25.0
    assert again.policy.session == ""


def test_a_damaged_session_file_is_no_session(tmp_path: Path) -> None:
    gym = Gym(tmp_path, desk=Disk())
    gym.begin("gentle")
    file = tmp_path / "wearers" / "wearer" / "session.json"
    for damage in ("{", "[]", '{"id": 3}', file.read_text().replace("totals", "sums")):
        file.write_text(damage)
        again = restarted(gym, tmp_path, 5.0)
        assert again.practice.resume(again.t) == []
        assert again.policy.session == ""


def test_what_is_usual_is_learnt_over_sessions_but_not_from_an_unsteady_one(gym: Gym) -> None:
    def walk(uneven: float) -> None:
        gym.begin("steady")
        gym.do("forward", 121.0)
        gym.do("backward", 180.0, uneven=uneven)
        gym.press(Gesture.DOUBLE)
        gym.do("still", 2.0)

    baseline = gym.practice._wearers.current.baseline
    walk(0.02)
    learnt = len(baseline.windows)
    assert learnt >= 9
    walk(0.15)
    assert len(baseline.windows) == learnt
    walk(0.02)
    assert len(baseline.windows) > learnt


class Habits:
    """In place of the core: what it has learnt of whoever walks now."""

    def __init__(self) -> None:
        self.kept = [Usual(), Usual()]

    def usual(self) -> list[Usual]:
        return self.kept

    def recall(self, usual: Sequence[Usual]) -> None:
        self.kept = list(usual)


def test_what_the_core_has_learnt_of_a_wearer_is_theirs_alone_and_outlives_a_restart(
    tmp_path: Path,
) -> None:
    shelf, habits = Disk(), Habits()
    gym = Gym(tmp_path, desk=shelf)
    gym.practice._habits = habits
    learnt = [Usual(0.5, 0.02, 0.1, 0.04, 300), Usual(0.7, 0.01, 0.1, 0.05, 90)]
    gym.begin()
    habits.kept = learnt
    gym.ask("stop")
    gym.ask("profile", name="Bob")
    assert habits.kept == [Usual(), Usual()], "nobody's steps but his own"
    *_, result = gym.ask("profile", name="/")
    assert result.state == "cancelled"
    gym.ask("profile", name="wearer")
    assert habits.kept == learnt
    again = restarted(gym, tmp_path, 5.0)
    assert again.practice._wearers.current.usual == learnt
    assert [u.steps for u in again.practice._habits.usual()] == [300, 90], "the core has it"


# --- who shares the belt ---


def test_each_wearer_has_a_screening_and_a_history_of_their_own(tmp_path: Path) -> None:
    gym = Gym(tmp_path, desk=Disk())
    gym.ask("screening", answers=SAFE)
    *_, result = gym.ask("profile", name="Bob")
    assert "not screened yet; profiles: Bob, wearer" in result.detail
    refused(gym, "Bob has not been screened")
    assert gym.last("refused").wearer == "Bob"
    gym.ask("profile", name="wearer")
    gym.begin()
    *_, result = gym.ask("profile", name="Bob")
    assert result.state == "cancelled", "nobody changes in the midst of a session"
    gym.ask("stop")
    assert gym.last("stop").wearer == "wearer"
    gym.ask("profile", name="Bob")
    assert restarted(gym, tmp_path, 5.0).policy.wearer == "Bob", "a restart knows who wears it"


@pytest.mark.parametrize("name", ["../etc", "a" * 41, " Bob", "Böb/"])
def test_a_name_that_is_no_name_is_refused(gym: Gym, name: str) -> None:
    *_, result = gym.ask("profile", name=name)
    assert result.state == "cancelled"


def test_a_belt_keeps_so_many_profiles_and_forgets_one_wholly(gym: Gym) -> None:
    for number in range(20):
        *_, result = gym.ask("profile", name=f"w{number}")
    assert "keeps 16 profiles" in result.detail
    gym.ask("profile", name="w3")
    gym.ask("screening", answers=SAFE)
    assert any("w3" in path.parts for path in gym.shelf.files)
    *_, result = gym.ask("forget", name="w3")
    assert result.state == "confirmed"
    assert not any("w3" in path.parts for path in gym.shelf.files)
    assert gym.practice._wearers.current.screening is None
    *_, result = gym.ask("forget", name="nobody")
    assert "no profile of that name" in result.detail


def test_a_profile_that_cannot_be_read_is_told_and_asked_anew(tmp_path: Path) -> None:
    gym = Gym(tmp_path, desk=Disk(), screened=False)
    gym.ask("screening", answers=SAFE)
    file = tmp_path / "wearers" / "wearer" / "profile.json"
    file.write_text(file.read_text().replace("false", "0"))
    again = Gym(tmp_path, screened=False)
    assert "profile.json is not used" in again.practice.faults()["profiles"]
    refused(again, "has not been screened")


def test_times_are_finite_and_a_start_says_what_is_due(gym: Gym) -> None:
    gym.begin("intervals")
    start = gym.last("start")
    assert (start.state, start.detail, start.by) == ("raised", "forward", "http")
    assert all(math.isfinite(v) for v in start.measurements.values())


# --- the goal of a programme ---


def test_a_programmes_goal_takes_the_place_of_the_plans(gym: Gym) -> None:
    name = gym.practice._wearers.current.name
    assert gym.ask("goal", name=name, minutes=12)[-1].state == "confirmed"
    gym.begin("gentle")
    assert gym.last("start").measurements["goal_s"] == 720.0, "more than the plan's own 8 min"
    gym.ask("stop")
    gym.ask("goal", name=name, minutes=0)
    gym.begin("gentle")
    assert gym.last("start").measurements["goal_s"] == 480.0


def test_a_goal_is_within_what_the_screening_allows(gym: Gym) -> None:
    gym.ask("goal", name=gym.practice._wearers.current.name, minutes=30)
    gym.begin("gentle")
    assert gym.last("start").measurements["goal_s"] == 1800.0
    gym.ask("stop")
    gym.ask("screening", answers=answers(fall_year=True))
    gym.begin("gentle")
    assert gym.last("start").measurements["goal_s"] == 600.0


def test_a_goal_of_another_wearer_is_refused(gym: Gym) -> None:
    refused = gym.ask("goal", name="somebody else", minutes=12)[-1]
    assert refused.state == "cancelled"
    assert "wears the belt" in refused.detail


def test_a_goal_and_a_session_by_it_outlive_a_restart(tmp_path: Path) -> None:
    gym = Gym(tmp_path, desk=Disk())
    gym.ask("screening", answers=SAFE)
    gym.ask("goal", name=gym.practice._wearers.current.name, minutes=12)
    gym.begin("gentle")
    gym.do("backward", 15.0)
    again = restarted(gym, tmp_path, 20.0)
    again.tell(again.practice.resume(again.t))
    assert again.last("progress").measurements["goal_s"] == 720.0
    again.press(Gesture.DOUBLE)
    again.begin("gentle")
    assert again.last("start").measurements["goal_s"] == 720.0
