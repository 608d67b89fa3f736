"""The desk: what is asked in time is passed on, what nobody waits for any more is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.commands import CommandError
from service.broker import Message
from service.desk import A_ROUND, COMMANDS, MAX_WAITING, Desk, Refused, Repeated, TooMany, checked
from service.history import History
from service.moment import Moment
from service.own import OwnRecords
from service.store import Store
from service.walks import Walks
from tests.service.test_store import record
from tests.service.walked import START, walk

NOW = Moment(5.0, 1.7e9)


class Bench:
    """A desk before a device that answers as told."""

    def __init__(self, folder: Path) -> None:
        self.sent: list[tuple[str, str, dict[str, str]]] = []
        self.deaf = False
        self.store = Store(folder / "store.sqlite")
        self.history = History(folder / "store.sqlite")
        self.desk = Desk(self.store, self.history, OwnRecords("belt", "b", "1"), self._send)

    def _send(self, command: str, by: str, **arguments: str) -> dict[str, Any]:
        if self.deaf:
            raise CommandError("nobody there")
        self.sent.append((command, by, arguments))
        return {"request": "r1", "accepted": True}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.history.close()
    bench.store.close()


def test_a_command_is_passed_on_once(bench: Bench) -> None:
    command = checked("start", "http", {"by": "toni"})
    bench.desk.put(command, NOW.t)
    assert not bench.desk.poll(NOW)
    assert not bench.desk.poll(NOW)
    assert bench.sent == [("start", "http:toni", {})]
    assert command.answer.result(0) == "r1"


def test_what_nobody_waits_for_any_more_is_not_done(bench: Bench) -> None:
    gone, there = checked("test", "http", {}), checked("stop", "http", {})
    bench.desk.put(gone, NOW.t)
    bench.desk.put(there, NOW.t)
    gone.answer.cancel()
    bench.desk.poll(NOW)
    assert [name for name, *_ in bench.sent] == ["stop"]


def test_a_device_that_does_not_answer_is_told_to_who_asked(bench: Bench) -> None:
    bench.deaf = True
    command = checked("test", "http", {})
    bench.desk.put(command, NOW.t)
    bench.desk.poll(NOW)
    with pytest.raises(CommandError):
        command.answer.result(0)


def test_a_flood_is_bounded(bench: Bench) -> None:
    for _ in range(5 * MAX_WAITING):
        bench.desk.receive(Message("rearguard/belt/command/test", b"", retained=False), NOW.t)
    with pytest.raises(Refused, match="too many"):
        bench.desk.put(checked("test", "http", {}), NOW.t)
    bench.desk.poll(NOW)
    assert len(bench.sent) == A_ROUND
    for _ in range(MAX_WAITING):
        bench.desk.poll(NOW)
    assert len(bench.sent) == MAX_WAITING


def test_a_command_that_comes_twice_is_carried_out_once(bench: Bench) -> None:
    for _ in range(3):
        bench.desk.receive(Message("rearguard/belt/command/stop", b'{"id": "7"}', False), NOW.t)
    with pytest.raises(Repeated, match="'7' has come before"):
        bench.desk.put(checked("stop", "http:phone", {"id": "7"}), NOW.t)
    bench.desk.receive(Message("rearguard/belt/command/stop", b'{"id": "8"}', False), NOW.t)
    bench.desk.poll(NOW)
    bench.desk.poll(NOW)
    assert len(bench.sent) == 2


def test_who_asks_too_often_waits_and_no_other_with_them(bench: Bench) -> None:
    rate, burst = COMMANDS
    for n in range(int(burst)):
        bench.desk.put(checked("test", "http:phone", {}), NOW.t)
        bench.desk.poll(NOW)
        assert len(bench.sent) == n + 1
    with pytest.raises(TooMany):
        bench.desk.put(checked("test", "http:other", {}), NOW.t)
    bench.desk.put(checked("ack", "mqtt", {"alert_id": "a1"}), NOW.t)
    bench.desk.put(checked("test", "http:phone", {}), NOW.t + 1 / rate)


def test_a_loss_is_acknowledged_here_and_closed(bench: Bench) -> None:
    """What the device's recorder lost, its policy cannot clear."""
    bench.store.take([record(1, event="storage_fault", level="fault"), record(2)])
    for alert_id in ("a1", "a2"):
        bench.desk.put(checked("ack", "mqtt", {"alert_id": alert_id, "by": "anna"}), NOW.t)
    assert bench.desk.poll(NOW)
    assert bench.sent == [("ack", "mqtt:anna", {"alert_id": "a2"})]
    assert [episode["alert_id"] for episode in bench.history.active()] == ["a2"]
    done = bench.history.recent(1)[0]
    assert (done["state"], done["by"], done["open"]) == ("acknowledged", "mqtt:anna", False)


def test_what_somebody_says_of_a_walk_is_kept_without_the_device(
    bench: Bench, tmp_path: Path
) -> None:
    bench.deaf = True
    bench.store.take(walk("w1", START))
    rated = checked("rate", "http", {"session": "w1", "borg_cr10": 4, "by": "anna"})
    chosen = checked("programme", "http", {"wearer": "anna", "name": "six-weeks"})
    ended = checked("programme", "http", {"wearer": "anna", "name": "none"})
    for command in (rated, chosen, ended):
        bench.desk.put(command, NOW.t)
    assert bench.desk.poll(NOW)
    assert bench.desk.poll(NOW)
    walks = Walks(tmp_path / "store.sqlite")
    assert walks.session("w1")["borg_cr10"] == 4
    assert walks.session("w1")["wearer"] == "anna"
    assert [r["detail"] for r in walks.results("programme", "anna")] == ["six-weeks", ""]
    [effort] = walks._records("event = 'effort'")
    assert (effort["by"], effort["id"]) == ("http:anna", rated.answer.result(0))
    walks.close()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("rate", {"session": "w1"}),
        ("rate", {"session": "w1", "borg_cr10": 11}),
        ("rate", {"session": "w1", "borg_cr10": True}),
        ("rate", {"session": "", "borg_cr10": 3}),
        ("programme", {"wearer": "anna", "name": "marathon"}),
        ("programme", {"name": "six-weeks"}),
        ("forget", {"name": "anna"}),  # deleting is for whoever stands at the belt
        ("screening", {"answers": {}}),
    ],
)
def test_a_note_that_cannot_be_is_refused(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        checked(name, "mqtt", arguments)


def test_an_effort_of_no_session_is_refused(bench: Bench) -> None:
    command = checked("rate", "http", {"session": "none", "borg_cr10": 3})
    bench.desk.put(command, NOW.t)
    bench.desk.poll(NOW)
    with pytest.raises(Refused, match="no session"):
        command.answer.result(0)
