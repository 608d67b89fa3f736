"""The weekly test alert: raised at its hour, answered or complained about, across restarts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.alerts import Level
from device.config import DAYS, WeeklyTest
from device.settings import load
from service.desk import Desk, checked
from service.history import History
from service.moment import Moment
from service.own import OwnRecords
from service.store import Store
from service.weekly import Weekly, last_time
from tests.service.belt import BELT, Device, Mosquitto, Service, Subscriber, configure, until

_NOTICE = Level.NOTICE
MONDAY = datetime(2026, 11, 23, 10).timestamp()  # ten in the morning, wherever this runs
HOUR, DAY = 3600.0, 86400.0


class Belt:
    """A service's store and its weekly test; time is what it is told."""

    def __init__(self, folder: Path, when: WeeklyTest | None = None) -> None:
        self.folder, self.when = folder, when or WeeklyTest()
        self.silence = ""
        self.starts = 0
        self.start()
        self.store.take([self._own.record(self.at(MONDAY - DAY), "pace", _NOTICE, "before all")])

    def start(self) -> None:
        self.starts += 1
        self.store = Store(self.folder / "store.sqlite")
        self.history = History(self.folder / "store.sqlite")
        self._own = OwnRecords(BELT, "boot", str(self.starts))
        self.weekly = Weekly(
            self.when, self._own, self.store, self.history, lambda _t: self.silence
        )
        self.desk = Desk(self.store, self.history, self._own, _no_device)

    def restart(self) -> None:
        self.close()
        self.start()

    def close(self) -> None:
        self.store.close()
        self.history.close()

    def at(self, wall: float) -> Moment:
        return Moment(wall - MONDAY, wall)

    def poll(self, wall: float) -> list[tuple[str, str, str]]:
        """(event, level, state) of what was stored."""
        before = self.history.newest()
        self.weekly.poll(self.at(wall))
        return [(r["event"], r["level"], r["state"]) for r in self.records()[before:]]

    def records(self) -> list[dict[str, Any]]:
        return self.history.alerts(limit=1000)[0][::-1]

    def acknowledge(self, wall: float) -> None:
        (open_one,) = self.history.active()[-1:]
        now = self.at(wall)
        answer = {"alert_id": open_one["alert_id"], "by": "anna"}
        self.desk.put(checked("ack", "mqtt", answer), now.t)
        assert self.desk.poll(now)


@pytest.fixture
def belt(tmp_path: Path) -> Any:
    belt = Belt(tmp_path)

    yield belt
    belt.close()


def test_it_is_raised_once_a_week_at_its_hour_and_answered(belt: Belt) -> None:
    assert belt.poll(MONDAY - 1) == []
    assert belt.poll(MONDAY + 15) == [("test_alert", "notice", "raised")]
    assert belt.records()[-1]["test"], "it is marked as a test"
    assert belt.poll(MONDAY + HOUR) == []
    belt.restart()
    assert belt.poll(MONDAY + 2 * HOUR) == []
    belt.acknowledge(MONDAY + 3 * HOUR)
    (answer,) = belt.records()[-1:]
    assert (answer["state"], answer["by"], answer["test"]) == ("acknowledged", "mqtt:anna", True)
    assert all(e["event"] == "pace" for e in belt.history.active())
    assert belt.poll(MONDAY + 2 * DAY) == [], "who answered is not complained about"
    assert belt.poll(MONDAY + 7 * DAY + 1) == [("test_alert", "notice", "raised")]


def test_nobody_answers(belt: Belt) -> None:
    belt.poll(MONDAY + 1)
    assert belt.poll(MONDAY + DAY - 60) == []
    belt.restart()
    assert belt.poll(MONDAY + DAY + 60) == [("test_unseen", "fault", "raised")]
    assert belt.poll(MONDAY + 2 * DAY) == [], "said once"
    belt.restart()
    assert belt.poll(MONDAY + 7 * DAY + 1) == [("test_alert", "notice", "raised")]
    assert belt.poll(MONDAY + 8 * DAY + 60) == [("test_unseen", "fault", "raised")]
    tests = [r for r in belt.records() if r["event"] != "pace"]
    assert len({r["alert_id"] for r in tests}) == 1, "one episode until it is answered"
    assert len({r["id"] for r in tests}) == len(tests)
    belt.acknowledge(MONDAY + 9 * DAY)
    assert all(e["event"] == "pace" for e in belt.history.active())
    assert belt.poll(MONDAY + 10 * DAY) == []


def test_a_belt_that_is_off_is_tested_when_it_is_on_again(belt: Belt) -> None:
    belt.silence = "the device has given no frame"
    assert belt.poll(MONDAY + 1) == []
    belt.restart()
    assert belt.poll(MONDAY + HOUR) == []
    belt.silence = ""
    assert belt.poll(MONDAY + 5 * HOUR) == [("test_alert", "notice", "raised")]


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_a_clock_that_steps_brings_no_second_test(belt: Belt, step: float) -> None:
    belt.poll(MONDAY + 1)
    belt.restart()
    for minute in range(0, 180, 7):
        assert belt.poll(MONDAY + 60 * minute + step) == []


def test_never_and_a_new_belt(tmp_path: Path) -> None:
    (tmp_path / "never").mkdir()
    (tmp_path / "new").mkdir()
    never = Belt(tmp_path / "never", WeeklyTest(day="never"))
    assert never.poll(MONDAY + 20 * DAY) == []
    never.close()
    new = Belt(tmp_path / "new", WeeklyTest(day="sunday", hour=0))
    assert new.poll(MONDAY) == [], "the first test is at its hour, not at the first start"
    new.close()


@given(
    st.sampled_from(DAYS),
    st.integers(0, 23),
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
)
def test_the_last_time_is_at_most_a_week_ago(day: str, hour: int, now: datetime) -> None:
    then = datetime.fromtimestamp(last_time(WeeklyTest(day, hour), now.timestamp()))
    assert (DAYS[then.weekday()], then.hour, then.minute, then.second) == (day, hour, 0, 0)
    assert timedelta(0) <= now - then < timedelta(days=7)


def test_over_the_wire(
    tmp_path: Path,
    broker: Mosquitto,
    caregiver: Subscriber,
    device: Device,
    serve: Callable[..., Service],
) -> None:
    """A service that finds itself a week old sends it, and hears the answer."""
    store = Store(_store_file(tmp_path, broker.port))
    old = OwnRecords(BELT, "boot", "old").record(
        Moment(0.0, datetime.now().timestamp() - 8 * DAY), "pace", _NOTICE, "long ago"
    )
    store.take([{**old, "state": "cleared"}])
    store.close()
    serve(broker.port)
    test = until(lambda: next((a for a in caregiver.alerts() if a["test"]), None), 15)
    assert (test["event"], test["level"]) == ("test_alert", "notice")
    caregiver.publish("command/ack", f'{{"alert_id": "{test["alert_id"]}", "by": "anna"}}')
    until(lambda: any(a["state"] == "acknowledged" for a in caregiver.alerts()))
    until(lambda: caregiver.of("alert/active")[-1] == "[]")


def _store_file(folder: Path, port: int) -> Path:
    return load(configure(folder, mqtt_port=port)).store_file


def _no_device(*_: Any, **__: Any) -> dict[str, Any]:
    raise AssertionError("nothing is for the device here")
