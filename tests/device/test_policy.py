"""The policy's laws under any history, and the fall's chain step by step."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.alerts import EVENTS, Level, Record, State
from device.config import Wearer
from device.core import KINDS, Judgement
from device.dangers import Dangers, Kept
from device.dangers import kept as find_kept
from device.frames import Echo, Frame, Gap
from device.gestures import Gesture
from device.health import Finding
from device.policy import FALLING_S, Policy

WEARER = Wearer(name="Ada", cancel_s=30.0, escalate_s=60.0)
CLOSING = (State.CLEARED, State.CANCELLED)
FALL = ("fall_imminent", "fall", "long_lie")


def policy() -> Policy:
    return Policy(WEARER, "belt", "run1", "simulated:test")


def judge(on: Policy, t: float, *said: tuple[str, Level, State]) -> list[Record]:
    frame = Frame(t=t, ax=0.0, ay=0.0, az=9.81, gx=0.0, gy=0.0, gz=0.0)
    return on.judge(t, int(t * 100), [Judgement(t, int(t * 100), *one) for one in said], frame)


def fall(on: Policy, t: float, event: str = "fall") -> list[Record]:
    return judge(on, t, (event, Level.DANGER, State.RAISED))


def told(records: list[Record]) -> list[tuple[str, str]]:
    return [(record.event, record.state) for record in records]


def ask(command: str, **arguments: str) -> dict[str, str]:
    return {"command": command, "request": "r1", "by": "Grace", **arguments}


# --- laws ---

judged = st.tuples(
    st.just("judge"),
    st.sampled_from([*KINDS, "no_such_kind"]),
    st.sampled_from([Level.CAUTION, Level.WARNING, Level.STOP, Level.DANGER]),
    st.sampled_from([State.RAISED, State.CLEARED]),
)
pressed = st.tuples(st.just("press"), st.sampled_from(Gesture))
acked = st.tuples(st.just("ack"), st.integers(0, 8))
found = st.tuples(st.just("find"), st.sampled_from([State.RAISED, State.CLEARED]))
waited = st.tuples(st.just("wait"))
histories = st.lists(
    st.tuples(st.floats(0.01, 50.0), st.one_of(judged, pressed, acked, found, waited)), max_size=40
)


def play(on: Policy, history: list) -> tuple[float, list[Record]]:
    """Runs a history, timers included, as the loop would."""
    t, records = 0.0, list[Record]()
    for wait, (what, *how) in history:
        while on.due() <= t + wait:
            t, wait = on.due(), wait - (on.due() - t)  # noqa: PLW2901
            records += judge(on, t)
        t += wait
        if what == "judge":
            records += judge(on, t, tuple(how))
        elif what == "press":
            records += on.press(t, *how)
        elif what == "ack":
            records += on.acknowledge(t, ask("ack", alert_id=f"belt:run1:a{how[0]}"))
        elif what == "find":
            records += on.find(t, [Finding("service_lost", how[0], "silent")])
        else:
            records += judge(on, t)
    return t, records


def open_by(records: list[Record]) -> dict[str, Record]:
    """What a receiver, who knows only the contract, holds to be open."""
    held: dict[str, Record] = {}
    for record in records:
        if record.kind == "alert":
            held[record.alert_id] = record
            if record.state in CLOSING:
                del held[record.alert_id]
    return held


@settings(deadline=None)
@given(histories)
def test_an_episode_is_raised_once_rises_and_ends_once(history: list) -> None:
    _, records = play(policy(), history)
    episodes: dict[str, list[Record]] = {}
    for record in records:
        if record.kind == "alert":
            episodes.setdefault(record.alert_id, []).append(record)
    for alert_id, episode in episodes.items():
        assert alert_id.startswith("belt:run1:a")
        assert episode[0].state == State.RAISED
        assert all(record.state not in CLOSING for record in episode[:-1])
        raised = [
            (FALL.index(r.event) if r.event in FALL else 0, Level[r.level.upper()])
            for r in episode
            if r.state == State.RAISED
        ]
        assert raised == sorted(set(raised))


@settings(deadline=None)
@given(histories)
def test_receiver_and_policy_agree_on_what_is_open(history: list) -> None:
    on = policy()
    _, records = play(on, history)
    held = open_by(records)
    highest = max((Level[r.level.upper()] for r in held.values()), default=Level.NONE)
    assert on.level == highest
    for event in {record.event for record in held.values() if record.event not in FALL}:
        assert on.is_open(event)


@settings(deadline=None)
@given(histories, st.sampled_from([Gesture.SHORT, Gesture.DOUBLE]))
def test_the_wearer_can_always_cancel(history: list, gesture: Gesture) -> None:
    on = policy()
    t, records = play(on, history)
    records += on.press(t, gesture)
    assert [r for r in open_by(records).values() if r.event in (*FALL, "sos")] == []
    assert on.due() == math.inf


@settings(deadline=None)
@given(histories)
def test_only_known_events_are_told_with_finite_measurements(history: list) -> None:
    _, records = play(policy(), history)
    for record in records:
        if record.kind == "alert":
            assert record.event in EVENTS
        assert all(math.isfinite(value) for value in record.measurements.values())


@settings(deadline=None)
@given(histories)
def test_a_timer_says_something_and_moves_on(history: list) -> None:
    on = policy()
    t, _ = play(on, history)
    for _ in range(5):
        if (due := on.due()) == math.inf:
            return
        assert due > t
        assert judge(on, math.nextafter(due, 0.0)) == []
        assert judge(on, due) != []
        t = due


# --- the chain of a fall ---


def test_an_unanswered_fall_is_told_until_acknowledged() -> None:
    on = policy()
    records = fall(on, 1.0, "fall_imminent") + fall(on, 1.6)
    assert on.due() == 31.6
    records += judge(on, 31.6) + judge(on, 91.6) + judge(on, 151.6)
    first = records[0].alert_id
    records += on.acknowledge(160.0, ask("ack", alert_id=first))
    assert told(records) == [
        ("fall_imminent", "raised"), ("fall", "raised"), ("long_lie", "raised"),
        ("long_lie", "confirmed"), ("long_lie", "confirmed"), ("long_lie", "acknowledged"),
        ("ack", "confirmed"),
    ]  # fmt: skip
    assert {record.alert_id for record in records[:-1]} == {first}
    assert (records[5].by, records[6].request) == ("Grace", "r1")
    assert on.due() == math.inf
    assert on.is_open("long_lie"), "the caregiver knows; the wearer still lies there"
    assert told(on.press(170.0, Gesture.SHORT)) == [("fall_cancelled", "cancelled")]


def test_a_fall_acknowledged_early_is_still_said_to_be_a_long_lie_but_once() -> None:
    on = policy()
    alert_id = fall(on, 1.0)[0].alert_id
    on.acknowledge(5.0, ask("ack", alert_id=alert_id))
    assert told(judge(on, 31.0)) == [("long_lie", "raised")]
    assert on.due() == math.inf


def test_balance_lost_without_a_fall_clears_by_itself() -> None:
    on = policy()
    fall(on, 1.0, "fall_imminent")
    assert told(judge(on, 11.0)) == [("fall_imminent", "cleared")]
    assert fall(on, 12.0, "fall_imminent")[0].alert_id == "belt:run1:a2"


@pytest.mark.parametrize("by", ["button", "walking"])
def test_a_fall_is_cancelled_and_told_as_such(by: str) -> None:
    on = policy()
    fall(on, 1.0)
    if by == "button":
        (record,) = on.press(9.0, Gesture.SHORT)
    else:
        (record,) = judge(on, 9.0, ("up_and_walking", Level.INFO, State.RAISED))
    assert (record.event, record.state, record.level) == ("fall_cancelled", "cancelled", "info")
    how = {"button": "", "walking": ", who got up and walked on,"}[by]
    said = f"cancelled by the wearer{how} after 8 s"
    assert (record.by, record.detail, on.level) == (by, said, Level.NONE)


def test_walking_on_says_nothing_when_nobody_fell() -> None:
    on = policy()
    assert judge(on, 1.0, ("up_and_walking", Level.INFO, State.RAISED)) == []
    fall(on, 2.0, "fall_imminent")
    assert judge(on, 2.1, ("up_and_walking", Level.INFO, State.RAISED)) == []


def test_a_second_fall_after_an_acknowledged_one_is_told_anew() -> None:
    on = policy()
    alert_id = fall(on, 1.0)[0].alert_id
    assert fall(on, 2.0) == [], "the same fall is not told twice"
    on.acknowledge(5.0, ask("ack", alert_id=alert_id))
    records = fall(on, 20.0)
    assert told(records) == [("fall", "cleared"), ("fall", "raised")]
    assert records[0].alert_id == alert_id != records[1].alert_id


def test_while_falling_nothing_is_to_be_felt_but_not_for_long() -> None:
    on = policy()
    fall(on, 1.0, "fall_imminent")
    assert on.falling(1.1)
    assert not on.falling(1.0 + FALLING_S)
    fall(on, 1.4)
    assert not on.falling(1.4)


# --- the chain after a restart ---


def resumed(*dangers: Kept) -> tuple[Policy, list[Record]]:
    on = Policy(WEARER, "belt", "run2", "simulated:test", dangers)
    return on, on.resume(100.0)


def kept(event: str, age: float = 12.0, acknowledged_by: str = "", same_boot: bool = True) -> Kept:
    return Kept("belt:run1:a7", event, age, acknowledged_by, same_boot)


def test_a_fall_goes_on_where_it_was() -> None:
    on, records = resumed(kept("fall"))
    assert told(records) == [("fall", "confirmed")]
    assert records[0].detail == "the belt restarted; down for 12 s"
    assert on.due() == 118.0, "its 30 s count from the fall"
    records += judge(on, 118.0) + judge(on, 178.0)
    records += on.acknowledge(180.0, ask("ack", alert_id="belt:run1:a7"))
    assert told(records)[1:4] == [
        ("long_lie", "raised"), ("long_lie", "confirmed"), ("long_lie", "acknowledged"),
    ]  # fmt: skip
    assert {record.alert_id for record in records[:4]} == {"belt:run1:a7"}
    assert judge(on, 179.0, ("fall", Level.DANGER, State.RAISED)) != [], "another fall is another"


def test_who_could_not_answer_while_the_belt_was_away_still_can() -> None:
    on, _ = resumed(kept("fall", age=300.0))
    assert judge(on, 109.9) == []
    assert told(judge(on, 110.0)) == [("long_lie", "raised")]
    on, _ = resumed(kept("fall", age=300.0))
    (record,) = on.press(109.0, Gesture.SHORT)
    assert (record.event, record.alert_id) == ("fall_cancelled", "belt:run1:a7")
    assert record.detail == "cancelled by the wearer after 309 s"


def test_balance_lost_just_before_a_restart_is_taken_for_a_fall() -> None:
    on, records = resumed(kept("fall_imminent", age=1.0))
    assert told(records) == [("fall", "raised")]
    assert told(judge(on, 130.0)) == [("long_lie", "raised")]


def test_a_long_lie_is_told_again_at_once_and_then_as_before() -> None:
    on, records = resumed(kept("long_lie", age=500.0))
    assert told(records) == [("long_lie", "confirmed")]
    assert told(judge(on, 160.0)) == [("long_lie", "confirmed")]


def test_what_a_caregiver_knows_stays_known_and_ends_with_the_belt_switched_off() -> None:
    on, records = resumed(kept("long_lie", acknowledged_by="anna"))
    assert told(records) == [("long_lie", "confirmed")]
    assert on.due() == math.inf
    on, records = resumed(kept("long_lie", acknowledged_by="anna", same_boot=False))
    assert told(records) == [("long_lie", "cleared")]
    assert on.level == Level.NONE


def test_a_call_for_help_outlives_a_restart() -> None:
    on, records = resumed(kept("sos"))
    assert told(records) == [("sos", "confirmed")]
    assert told(judge(on, 100.0 + WEARER.escalate_s)) == [("sos", "confirmed")]
    records = on.acknowledge(101.0, ask("ack", alert_id="belt:run1:a7"))
    assert told(records)[:2] == [("sos", "acknowledged"), ("sos", "cleared")]


def test_after_a_restart_walking_on_ends_a_fall_that_the_core_does_not_know_of() -> None:
    on, _ = resumed(kept("fall"))

    def walk(t: float, direction: int) -> list[Record]:
        return on.judge(t, int(t), [], Frame(t=t, direction=direction))

    assert walk(101.0, -1) + walk(104.0, 0) + walk(105.0, 1) + walk(109.0, 1) == []
    (record,) = walk(110.0, -1)
    assert (record.event, record.by) == ("fall_cancelled", "walking")
    on, _ = resumed()
    fall(on, 101.0)
    assert walk(102.0, 1) + walk(120.0, 1) == [], "the core itself says when a fall is over"


@settings(deadline=None)
@given(histories)
def test_what_is_kept_for_a_restart_is_what_is_open(history: list) -> None:
    on = policy()
    _, records = play(on, history)
    with tempfile.TemporaryDirectory() as folder:
        dangers = Dangers(Path(folder))
        for number, record in enumerate(records):
            stamps = {"id": f"belt:run1:{number}", "boot": "run1", "clock_synchronised": True}
            line = {**stamps, "raised_at": "2026-01-01T00:00:00.000+00:00", **record.to_dict()}
            grown = line["state"] == "raised" and line["level"] == "danger"
            dangers.note(line)
            assert dangers.grown or not grown
            dangers.save()
        found = find_kept(Path(folder), "simulated:test", 1e6, 0.0, True, "run1")
    held = {name: r for name, r in open_by(records).items() if r.level == "danger"}
    assert {it.alert_id for it in found} == set(held)
    again = Policy(WEARER, "belt", "run2", "simulated:test", found)
    assert {record.alert_id for record in again.resume(1e6)} == set(held)
    assert again.level == (Level.DANGER if held else Level.NONE)


# --- the rest ---


def test_a_call_for_help_is_open_until_answered() -> None:
    on = policy()
    (sos,) = on.press(1.0, Gesture.LONG)
    assert (sos.event, sos.level, on.press(2.0, Gesture.LONG)) == ("sos", "danger", [])
    records = on.acknowledge(3.0, ask("ack", alert_id=sos.alert_id))
    assert told(records) == [("sos", "acknowledged"), ("sos", "cleared"), ("ack", "confirmed")]
    assert (on.due(), judge(on, 300.0)) == (math.inf, [])
    (again,) = on.press(304.0, Gesture.LONG)
    assert again.alert_id != sos.alert_id


def test_a_call_for_help_is_told_again_until_answered_or_taken_back() -> None:
    on = policy()
    (sos,) = on.press(1.0, Gesture.LONG)
    every = WEARER.escalate_s
    for number in (1, 2, 3):
        due = 1.0 + number * every
        assert on.due() == due
        assert judge(on, due - 0.1) == []
        (again,) = judge(on, due)
        assert (again.event, again.state, again.level) == ("sos", "confirmed", "danger")
        assert again.alert_id == sos.alert_id
        assert again.detail == f"called for help {number * every:.0f} s ago; not yet answered"
    assert told(on.press(200.0, Gesture.SHORT)) == [("sos", "cancelled")]
    assert (on.due(), judge(on, 900.0)) == (math.inf, [])


def test_what_is_not_open_cannot_be_acknowledged() -> None:
    (record,) = policy().acknowledge(1.0, ask("ack", alert_id="belt:run1:a9"))
    assert (record.kind, record.state, record.by) == ("result", "cancelled", "Grace")
    assert record.detail


def test_a_closed_alert_cannot_be_acknowledged() -> None:
    on = policy()
    (obstacle,) = judge(on, 1.0, ("obstacle", Level.WARNING, State.RAISED))
    judge(on, 2.0, ("obstacle", Level.WARNING, State.CLEARED))
    (record,) = on.acknowledge(3.0, ask("ack", alert_id=obstacle.alert_id))
    assert record.state == "cancelled"


def test_what_lies_within_a_session_is_marked_with_it_and_with_its_wearer() -> None:
    on = policy()
    assert on.press(1.0, Gesture.SHORT) == on.press(2.0, Gesture.DOUBLE) == []
    on.session, on.wearer = on.new_session(), "Grace"
    (obstacle,) = judge(on, 3.0, ("obstacle", Level.STOP, State.RAISED))
    assert (obstacle.session, obstacle.wearer) == ("belt:run1:w1", "Grace")
    assert on.new_session() == "belt:run1:w2"


def test_the_cause_is_the_reading_that_decided_or_the_last_good_one() -> None:
    on = policy()
    on.judge(1.0, 1, [], Frame(t=0.99, ping_t=0.98, ping_range=2.0, ping_echo=Echo.DISTANCE))
    raised = [
        Judgement(1.02, 3, "obstacle", Level.STOP, State.RAISED),
        Judgement(1.02, 3, "rear_blind", Level.FAULT, State.RAISED),
        Judgement(1.02, 3, "imu_fault", Level.FAULT, State.RAISED),
        Judgement(1.02, 3, "posture", Level.NOTICE, State.RAISED),
    ]
    frame = Frame(t=1.02, gap=Gap.BUS, ping_t=1.01, ping_echo=Echo.STUCK)
    causes = [record.cause_t for record in on.judge(1.03, 3, raised, frame)]
    assert causes == [1.01, 0.98, 0.99, 1.02]


def test_only_finite_measurements_go_out_and_carry_their_unit() -> None:
    on = policy()
    frame = Frame(t=1.0, distance=1.25, closing=0.5, ttc=math.inf, battery=0.5)
    (record,) = on.judge(
        1.0, 1, [Judgement(1.0, 1, "obstacle", Level.CAUTION, State.RAISED)], frame
    )
    assert record.measurements == {"distance_m": 1.25, "closing_m_s": 0.5, "battery_share": 0.5}


def test_faults_of_health_keep_their_reason_and_last_good_time() -> None:
    (record,) = policy().find(9.0, [Finding("loop_late", State.RAISED, "it stood still", 8.5)])
    assert (record.event, record.level, record.detail) == ("loop_late", "fault", "it stood still")
    assert record.cause_t == 8.5
