"""Erasing: nothing of one wearer is left in any file, and everything of the others is."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from device import commands
from device.alone import alone
from device.cli import main
from device.questions import QUESTIONS
from device.settings import load
from service.history import History
from service.store import Store
from service.walks import Walks
from tests.conftest import ROOT
from tests.service.belt import Device, Mosquitto, Service, Subscriber, configure, free_port, until
from tests.service.test_export import keep
from tests.service.walked import year

ANNA = "anna of the mill"


def said(device: Device, wearer: str, session: str, ago: float = 60.0) -> None:
    """What a device journals of a walk begun so many seconds ago, and of a fall."""
    for event, state in (("start", "raised"), ("progress", "raised"), ("stop", "cleared")):
        device.say(
            event, "info", kind="session", state=state, alert_id="", session=session,
            wearer=wearer, measurements={"elapsed_s": ago, "dose_s": 45.0},
        )  # fmt: skip
    device.say("fall", "danger", wearer=wearer, session=session)


def holding(folder: Path, *words: str) -> list[str]:
    """Files below a folder that hold any of the words."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(word.encode() in path.read_bytes() for word in words)
    ]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A belt's data with a few weeks of two wearers, their recordings and profiles."""
    data = tmp_path / "data"
    store = Store(data / "store.sqlite")
    for wearer, run in ((ANNA, "x"), ("bert", "y")):
        store.take(
            {
                **one,
                "wearer": wearer,
                "id": one["id"].replace("belt:", f"belt-{run}:"),
                "session": one["session"] + run,
            }
            for one in year(4)
        )
        keep(data / "recordings", wearer, f"rec-{run}")
        (data / "wearers" / wearer).mkdir(parents=True)
        (data / "wearers" / wearer / "profile.json").write_text(json.dumps({"name": wearer}))
    store.close()
    (data / "store.sqlite.corrupt-1").write_text(ANNA)
    return data


def erase(config: Path, *words: str) -> int:
    return main(["erase", "--config", str(config), "--wearer", ANNA, *words])


def test_a_belt_at_rest(
    tmp_path: Path, data: Path, device: Device, capfd: pytest.CaptureFixture[str]
) -> None:
    said(device, ANNA, "late-x")  # journalled, and no service has taken it in
    said(device, "bert", "late-y")
    device.stop()
    assert holding(data, ANNA)
    assert erase(configure(tmp_path, mqtt_port=free_port()), "--yes") == 0
    assert holding(data, ANNA, "late-x") == []
    assert list((data / "wearers").iterdir()) == [data / "wearers" / "bert"]
    told = capfd.readouterr().out
    assert "1 recordings" in told
    assert "4 lines of the journal" in told
    walks, history = Walks(data / "store.sqlite"), History(data / "store.sqlite")
    assert walks.wearers() == ["bert"]
    assert walks.session("late-y")["totals"]["dose_s"] == 45
    assert [e["event"] for e in history.active()] == ["fall"], "bert's fall is still open"
    walks.close()
    history.close()
    db = sqlite3.connect(data / "store.sqlite")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_while_the_service_runs_and_the_broker_retains(
    tmp_path: Path,
    data: Path,
    device: Device,
    broker: Mosquitto,
    caregiver: Subscriber,
    serve: Callable[..., Service],
) -> None:
    service = serve(broker.port)
    said(device, "bert", "w-bert")
    said(device, ANNA, "w-anna", ago=30.0)
    until(lambda: "w-anna" in (caregiver.of("session") or [""])[-1])
    device.stop()  # its wearer takes the belt off; the service stays
    assert erase(configure(tmp_path, mqtt_port=broker.port), "--yes") == 0
    until(lambda: "w-bert" in caregiver.of("session")[-1])
    until(lambda: ANNA not in caregiver.of("alert/active")[-1])
    late = Subscriber(broker.port)
    until(lambda: late.of("alert/active") and late.of("session"))
    assert not any(ANNA in payload for _, payload, *_ in late.messages), "retained"
    late.close()
    assert service.stop() == 0, "and it goes on as before"
    assert holding(data, ANNA, "w-anna") == []


def test_it_asks(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config = configure(tmp_path, mqtt_port=free_port())
    for answer in ("\n", "yes\n", "bert\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert erase(config) == 2
        assert "nothing was deleted" in capfd.readouterr().err
    assert holding(data, ANNA)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ANNA}\n"))
    assert erase(config) == 0
    assert holding(data, ANNA) == []


@pytest.mark.parametrize("name", ["../data", ".", "..", "a/b", "/etc"])
def test_a_name_is_no_path(
    tmp_path: Path, data: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    config = configure(tmp_path, mqtt_port=free_port())
    assert main(["erase", "--config", str(config), "--wearer", name, "--yes"]) == 2
    assert "no wearer's name" in capfd.readouterr().err
    assert len(list((data / "wearers").iterdir())) == 2


def test_a_device_that_does_not_answer_is_not_erased_beneath(
    tmp_path: Path, data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It would write the profile again."""
    config = configure(tmp_path, mqtt_port=free_port())
    with alone(load(config).belt.run_dir):
        assert erase(config, "--yes") == 2
    assert "stop the device" in capfd.readouterr().err
    assert holding(data / "wearers", ANNA)


def test_a_recording_that_cannot_be_read_is_named(
    tmp_path: Path, data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (data / "recordings" / "rec-y" / "index.csv").unlink()
    assert erase(configure(tmp_path, mqtt_port=free_port()), "--yes") == 0
    assert "nobody can read whose they are: rec-y" in capfd.readouterr().out


def test_without_any_history(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert erase(configure(tmp_path, mqtt_port=free_port()), "--yes") == 0
    assert "no history is kept" in capfd.readouterr().out
    shutil.rmtree(tmp_path / "run")
    assert erase(tmp_path / "belt.toml", "--yes") == 0


def test_while_the_whole_belt_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A real device and a real service, idle: the profile goes by the device's own hand."""
    config = configure(tmp_path, mqtt_port=free_port())
    settings, data = load(config), tmp_path / "data"
    device = subprocess.Popen(
        [sys.executable, "-m", "device", "--config", str(config), "--simulate", "clear"],
        cwd=ROOT, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    service = Service(config)
    try:
        until(settings.socket_file.exists, 20)
        send = partial(commands.send, settings.socket_file)
        send("profile", "cli", name=ANNA)
        send("screening", "cli", answers=dict.fromkeys(QUESTIONS, False))
        until(lambda: holding(data / "wearers" / ANNA, "asked_at"), 20)
        send("profile", "cli", name="bert")  # who puts it on after her
        send("screening", "cli", answers=dict.fromkeys(QUESTIONS, False))
        until(lambda: holding(data / "wearers" / "bert", "asked_at"), 20)
        assert erase(config, "--yes") == 0
        assert not (data / "wearers" / ANNA).exists()
        walks = Walks(settings.store_file)
        assert walks.wearers() == ["bert"]
        walks.close()
    finally:
        service.kill()
        device.terminate()
        device.wait(10)
    assert holding(data, ANNA) == []
