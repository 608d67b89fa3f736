"""`rearguard doctor` as a command: a running device is asked, the broker is really gone round."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import calibration, cli
from device.calibration import Calibration
from device.cli import doctor
from device.cli.round_trip import round_trip
from device.clock import MonotonicClock
from device.config import Belt, Config, Mqtt
from device.doctor import running
from device.doctor.finding import Finding
from device.doctor.unproven import CHECKLIST
from device.frames import Guard
from device.health import table
from device.settings import load
from tests.device.test_device_process import BELT, ring, start, wait_for
from tests.service.belt import Mosquitto, free_port

CLOCK = MonotonicClock()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    real = Mosquitto(tmp_path_factory.mktemp("broker"))
    yield real
    real.kill()


@pytest.fixture(scope="module")
def guarding(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("belt")
    (folder / "belt.toml").write_text(BELT + f"[mqtt]\nport = {broker.port}\n")
    device = start(folder, "--simulate", "clear")
    reader = wait_for(lambda: ring(folder))
    wait_for(lambda: ((n := reader.newest()) and n[1].guard == Guard.FULL) or None)
    yield folder
    device.terminate()
    device.wait(10)


def test_a_running_device_is_asked_and_its_motor_played(
    guarding: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["doctor", "--config", str(guarding / "belt.toml"), "--yes", "--json", "-"])
    out = capsys.readouterr()
    told = json.loads(out.out)
    by_part = {finding["part"]: finding for finding in told["findings"]}
    assert told["asked"] == "the device that runs"
    assert {*table(Config(), 104.0), "device", "parts", "broker", "disk"} <= set(by_part)
    assert by_part["imu"]["said"] == "fresh"
    assert by_part["broker"]["verdict"] == "well"
    assert by_part["lateness"]["said"].startswith("p50 ≤ ")
    machine = {"clock", "disk", "supply"}  # of the one this runs on
    busy = {"loop", "overload"}
    wrong = {part for part, f in by_part.items() if f["verdict"] in ("warning", "fault")}
    assert wrong <= machine | busy
    assert "LSM6DSOX" in by_part["parts"]["said"]
    assert by_part["motor"]["verdict"] == "unknown"
    assert "played" in by_part["motor"]["said"] or "try again" in by_part["motor"]["said"]
    assert (code, told["guarding_possible"]) == (0, True)
    assert "This belt can guard." in out.err


def test_a_device_that_has_just_started_is_given_time(tmp_path: Path) -> None:
    (tmp_path / "belt.toml").write_text(BELT)
    device = start(tmp_path, "--simulate", "clear")
    try:
        config = load(tmp_path / "belt.toml")
        wait_for(lambda: config.socket_file.exists() or None)
        found = {finding.part: finding for finding in running.examine(config, CLOCK)}
    finally:
        device.terminate()
        device.wait(10)
    assert found["imu"].said == "fresh"
    assert found["device"].left is Guard.FULL


def test_a_calibration_that_the_running_device_has_not_taken_up_is_told(guarding: Path) -> None:
    config = load(guarding / "belt.toml")
    config.belt.data_dir.mkdir(exist_ok=True)
    calibration.save(
        config.calibration_file, config.belt.name, Calibration(chip="LSM6DSOX", made="2026-01-01")
    )
    try:
        found = {f.fault: f for f in running.examine(config, CLOCK)}
    finally:
        config.calibration_file.unlink()
    assert "one of 2026-01-01" in found["calibration_unused"].said
    assert found["calibration_unused"].left is Guard.FULL
    assert "calibration_unused" not in {f.fault for f in running.examine(config, CLOCK)}


def test_without_hardware_it_cannot_guard_and_says_what_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "belt.toml").write_text(BELT + f"[imu]\nbus = 19\n[mqtt]\nport = {free_port()}\n")
    file = tmp_path / "found.json"
    words = ["--config", str(tmp_path / "belt.toml"), "--walk", "--json", str(file)]
    assert cli.main(["doctor", *words]) == 1
    out = capsys.readouterr().out
    told = json.loads(file.read_text())
    faults = {finding["fault"] for finding in told["findings"] if "fault" in finding}
    assert {"no_bus", "broker_unreachable"} <= faults
    assert told["guards"] == "not_guarding"
    assert len(told["checklist"]) == len(CHECKLIST)
    assert all(item["proven"] is None for item in told["checklist"])
    assert "raspi-config" in out
    assert "This belt cannot guard." in out


def test_a_configuration_that_cannot_be_read_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor", "--config", str(tmp_path / "none.toml")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_device_that_does_not_answer_is_told(tmp_path: Path) -> None:
    config = Config(belt=Belt(run_dir=tmp_path, data_dir=tmp_path))
    report = doctor.Report("test")
    with doctor.alone(tmp_path):
        found = list(doctor.examine(config, CLOCK, lambda question: None, report))
    assert found[0].fault == "device_mute"
    assert found[0].left is Guard.NOT_GUARDING


def test_what_health_says_is_taken_apart_row_by_row() -> None:
    words = (
        "no_imu; imu stale; ranger fresh; loop late; button fresh; service stale; "
        "supply: under-voltage; rights: no real-time scheduling (x): set LimitRTPRIO=20 in the "
        "unit; memory is not locked (y): set LimitMEMLOCK=infinity in the unit"
    )
    found = {f.part: f for f in running.judged(table(Config(), 104.0), words)}
    assert {f.part for f in found.values() if f.fault} == {"imu", "service", "supply", "rights"}
    assert found["imu"].left is Guard.NO_IMU
    assert found["rights"].said.endswith("LimitMEMLOCK=infinity in the unit")
    assert (found["loop"].said, found["battery"].said) == ("late", "no fault")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("full; imu fresh", ""),
        ("no_imu; imu stale", ""),
        ("not_guarding; imu stale; ranger stale", ""),
        ("not_guarding; imu fresh", "not_now"),
    ],
)
def test_a_stage_that_no_part_explains_is_a_fault_of_its_own(words: str, fault: str) -> None:
    found = list(running.judged(table(Config(), 104.0), words))
    device = running._stage(words.partition(";")[0], found)
    assert device.fault == fault
    report = doctor.Report("test", [device, *found])
    assert report.guard.name.lower() == words.partition(";")[0]


def trip(port: int, **mqtt: object) -> Finding:
    return round_trip(Config(mqtt=Mqtt(port=port, **mqtt)), CLOCK)


def test_a_message_goes_there_and_back(broker: Mosquitto) -> None:
    found = trip(broker.port)
    assert found.verdict == "well"
    assert "there and back in" in found.said


def test_nobody_there_is_told() -> None:
    assert trip(free_port()).fault == "broker_unreachable"


def test_a_broker_that_takes_the_call_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.cli.round_trip.PATIENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        assert trip(deaf.getsockname()[1]).fault == "broker_unreachable"


def test_a_broker_that_cannot_say_whether_anybody_listens(broker: Mosquitto) -> None:
    found = trip(broker.port, version="3.1.1")
    assert (found.fault, found.verdict) == ("broker_mum", "warning")
    assert "there and back in" in found.said


def _reading(stream: socket.socket) -> bytes:
    return stream.recv(4096)


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        ([b"\x20\x02\x00\x05"], "broker_refuses"),  # CONNACK: not authorised
        ([b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x80"], "broker_silent"),  # SUBACK: failure
    ],
)
def test_a_broker_that_refuses(
    answers: list[bytes], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.cli.round_trip.PATIENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                for answer in answers:
                    _reading(peer)
                    peer.sendall(answer)
                while _reading(peer):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        assert trip(server.getsockname()[1], version="3.1.1").fault == fault
        thread.join()


def test_a_password_that_cannot_be_read_is_told(broker: Mosquitto, tmp_path: Path) -> None:
    missing = trip(broker.port, username="belt", password_file=tmp_path / "none")
    assert missing.fault == "broker_refuses"
    assert trip(broker.port, ca_file=tmp_path / "none").fault == "broker_refuses"
