"""The goal of the week reaches the device, once, and again when it has to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from device.commands import CommandError
from service.asked import Asked
from service.history import History
from service.store import Store
from service.walks import Walks
from tests.service.belt import Device, Service, configure, free_port, until
from tests.service.walked import START, record, walk

PAGE = {"X-Rearguard": "page"}
ALLOWED = record("screening", START - timedelta(days=1), 1, run="run-0", detail="allow: nothing")
CHOSEN = record("programme", START, 2, run="service-x", detail="four-weeks")


class Bench:
    """A history, and a device that hears or does not."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store.sqlite")
        self.told: list[tuple[str, float]] = []
        self.deaf = False
        self._readers = Walks(folder / "store.sqlite"), History(folder / "store.sqlite")
        self.asked = Asked(*self._readers, self._send)

    def _send(self, command: str, by: str, *, name: str, minutes: float) -> None:
        assert (command, by) == ("goal", "service")
        if self.deaf:
            raise CommandError("nobody there")
        self.told.append((name, minutes))

    def look(self, days: float) -> None:
        self.asked.look(START + timedelta(days=days))

    def close(self) -> None:
        self.store.close()
        for reader in self._readers:
            reader.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_the_goal_is_told_when_it_changes(bench: Bench) -> None:
    bench.look(0)
    assert bench.told == [], "nobody wears it yet"
    bench.store.take([ALLOWED, CHOSEN])
    for _ in range(3):
        bench.look(0.1)
    assert bench.told == [("anna", 10)]
    for day in (1, 2, 4, 6):
        bench.store.take(walk(f"w{day}", START + timedelta(days=day), first=10 * day))
        bench.look(day)
    bench.look(7.5)  # the week is over, and nothing else is new
    assert bench.told == [("anna", 10), ("anna", 12)] or bench.told[-1] == ("anna", 12)


def test_a_device_that_was_away_or_began_anew_is_told(bench: Bench) -> None:
    bench.store.take([ALLOWED, CHOSEN])
    bench.deaf = True
    bench.look(0.1)
    bench.deaf = False
    bench.look(0.1)
    assert bench.told == [("anna", 10)]
    bench.store.take([record("perception", START, 3, run="run-9", state="confirmed")])
    bench.look(0.1)
    assert bench.told == [("anna", 10)] * 2


def test_a_refusal_and_the_end_of_a_programme_leave_no_goal_behind(bench: Bench) -> None:
    bench.store.take([ALLOWED, CHOSEN])
    bench.look(0.1)
    bench.store.take([record("screening", START, 5, run="run-0", detail="refuse: dizziness")])
    bench.look(0.2)
    assert bench.told[-1] == ("anna", 0), "the device refuses by itself, and asks for nothing more"
    bench.store.take([record("screening", START, 6, run="run-0", detail="limit: fall")])
    bench.look(0.3)
    assert bench.told[-1] == ("anna", 10)
    bench.store.take([record("programme", START, 7, run="service-x", detail="")])
    bench.look(0.4)
    assert bench.told[-1] == ("anna", 0)


def test_from_the_interface_to_the_device(
    tmp_path: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real service: a session is rated, a programme chosen, and the device hears the goal."""
    service = Service(configure(tmp_path, mqtt_port=free_port()))
    try:
        said: dict[str, Any] = {
            "kind": "session",
            "level": "info",
            "alert_id": "",
            "wearer": "anna",
        }
        device.say("screening", state="confirmed", detail="allow: nothing", **said)
        device.say("stop", state="cleared", detail="dose", session="w1",
                   measurements={"elapsed_s": 900.0, "dose_s": 700.0}, **said)  # fmt: skip
        with httpx.Client(base_url=service.url, timeout=5, headers=PAGE) as http:
            until(lambda: http.get("/api/v1/sessions/w1").status_code == 200)
            rated = http.post("/api/v1/sessions/w1/effort", json={"borg_cr10": 4, "by": "anna"})
            assert rated.json()["result"]["measurements"] == {"borg_cr10": 4.0}
            assert http.get("/api/v1/sessions/w1").json()["borg_cr10"] == 4
            for path, wrong, status in (
                ("sessions/w1/effort", {"borg_cr10": 12}, 422),
                ("sessions/none/effort", {"borg_cr10": 2}, 404),
                ("wearers/anna/programme", {"name": "marathon"}, 400),
            ):
                assert http.post(f"/api/v1/{path}", json=wrong).status_code == status
            chosen = http.post("/api/v1/wearers/anna/programme", json={"name": "six-weeks"})
            assert chosen.json()["result"]["detail"] == "six-weeks"
            course = http.get("/api/v1/wearers/anna/progress").json()["course"]
            assert (course["goal_min"], course["sessions"]) == (10, 3)
        goal = until(lambda: [r for r in device.requests if r["command"] == "goal"], 25)
        assert (goal[0]["name"], goal[0]["minutes"]) == ("anna", 10)
    finally:
        service.kill()
