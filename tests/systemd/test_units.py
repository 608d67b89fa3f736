"""The units as they are: sound, closed up, and of one mind with the code they start."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from device import config, realtime, supervisor
from device.cli import not_guarding
from tests.conftest import ROOT, missing

SYSTEMD = ROOT / "systemd"
PROGRAM = "/opt/rearguard/current/bin/rearguard"
UNITS = sorted(SYSTEMD.glob("*.service"))
ALL = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
EXPOSURE = {"rearguard-service": 1.5, "rearguard-device": 2.5, "rearguard-not-guarding": 2.5}


def values(unit: str, key: str) -> list[str]:
    """Everything a unit says under one key, in its order."""
    text = (SYSTEMD / f"{unit}.service").read_text()
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def value(unit: str, key: str) -> str:
    (only,) = values(unit, key)
    return only


def systemd(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    if shutil.which(words[0]) is None:
        missing(words[0], "`apt-get install systemd`, as ./dev test does")
    return subprocess.run(words, capture_output=True, text=True, check=False, **more)


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    """`verify` warns of an unknown key and exits 0 all the same: any word is too much."""
    files = []
    for unit in [*UNITS, *SYSTEMD.glob("*.device")]:
        files.append(tmp_path / unit.name)
        files[-1].write_text(unit.read_text().replace(PROGRAM, "/usr/bin/true"))
    found = systemd(
        "systemd-analyze", "verify", "--man=no", *map(str, files),
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    newer = "'RestartMode' in section"  # of systemd 254; the units say why it is there
    ours = [ln for ln in found.stderr.splitlines() if "rearguard" in ln and newer not in ln]
    assert (found.returncode, ours) == (0, [])


@pytest.mark.parametrize(("unit", "most"), EXPOSURE.items())
def test_a_unit_is_exposed_no_more_than_it_must_be(unit: str, most: float) -> None:
    found = systemd(
        "systemd-analyze", "security", "--offline=true", "--json=short", "--no-pager",
        str(SYSTEMD / f"{unit}.service"),
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout), "the points it found"
    judged = systemd(
        "systemd-analyze", "security", "--offline=true", f"--threshold={round(most * 10)}",
        "--no-pager", str(SYSTEMD / f"{unit}.service"),
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout.splitlines()[-1]


@pytest.mark.parametrize("unit", ["rearguard-device", "rearguard-service"])
def test_what_remains_of_the_exposure_is_justified(unit: str) -> None:
    """Every point that systemd finds is named in the unit's comment."""
    found = systemd(
        "systemd-analyze", "security", "--offline=true", "--json=short", "--no-pager",
        str(SYSTEMD / f"{unit}.service"),
    )  # fmt: skip
    said = "".join(line for line in (SYSTEMD / f"{unit}.service").read_text().splitlines(True)
                   if line.startswith("#"))  # fmt: skip
    for point in json.loads(found.stdout):
        if point["set"] is False:
            name = re.split(r"[=/]", point["name"])[0]
            whole = re.findall(r"AF_\w+|INET6?|@\w+", point["name"])
            assert any(word in said for word in whole or [name]), point["name"]


@ALL
def test_no_unit_takes_a_simulated_belt(unit: Path) -> None:
    for line in values(unit.stem, "ExecStart"):
        assert "simul" not in line


def test_device_and_service_are_two_ordinary_users(tmp_path: Path) -> None:
    conf = tmp_path / "usr" / "lib" / "sysusers.d" / "rearguard.conf"
    conf.parent.mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    conf.write_bytes((SYSTEMD / "rearguard.sysusers").read_bytes())
    made = systemd("systemd-sysusers", f"--root={tmp_path}")
    assert made.returncode == 0, made.stderr
    users = {
        line.split(":")[0]: line for line in (tmp_path / "etc/passwd").read_text().splitlines()
    }
    device, service = value("rearguard-device", "User"), value("rearguard-service", "User")
    assert device != service
    assert all(users[user].endswith("nologin") for user in (device, service))
    groups = {
        line.split(":")[0]: set(line.split(":")[3].split(","))
        for line in (tmp_path / "etc" / "group").read_text().splitlines()
    }
    assert groups["rearguard"] == {device, service}, "the control socket lets in its members"
    assert groups["i2c"] == groups["gpio"] == {device}


def test_only_the_device_is_a_real_time_process() -> None:
    assert int(value("rearguard-device", "LimitRTPRIO")) == realtime.LOOP
    assert value("rearguard-device", "LimitMEMLOCK") == "infinity"
    assert value("rearguard-service", "RestrictRealtime") == "yes"
    assert value("rearguard-service", "LimitMEMLOCK") == "0"


def test_guarding_waits_for_no_network_and_no_time() -> None:
    orders = " ".join(
        values("rearguard-device", "(?:After|Wants|Requires|BindsTo|Requisite)")
    ).split()
    assert [o for o in orders if "network" in o or "sync" in o or "mosquitto" in o] == []
    assert "rearguard-service.service" not in orders
    needed = values("rearguard-service", "(?:Wants|Requires|BindsTo|Requisite)")
    assert needed == [], "the service comes up without a broker as well"


def test_signs_of_life_come_often_enough() -> None:
    for unit in ("rearguard-device", "rearguard-service"):
        assert value(unit, "Type") == "notify"
        assert int(value(unit, "WatchdogSec")) >= 4 * supervisor.EVERY


def test_giving_up_is_felt_and_the_next_try_is_no_part_of_the_same_count() -> None:
    device = "rearguard-device"
    assert value(device, "OnFailure") == "rearguard-not-guarding.service"
    assert value("rearguard-not-guarding", "OnFailure") == "rearguard-device.service"
    assert int(value(device, "StartLimitIntervalSec")) < not_guarding.SECONDS
    assert value("rearguard-service", "OnFailure") == "rearguard-not-served.service"
    assert value("rearguard-not-served", "OnFailure") == "rearguard-service.service"
    (said,) = values("rearguard-not-served", "ExecStart")
    waits = int(re.findall(r"sleep (\d+)", said)[0])
    assert int(value("rearguard-service", "StartLimitIntervalSec")) < waits


def test_giving_up_is_the_end_of_all_attempts_and_a_stop_ends_that_too() -> None:
    """PartOf= would do it for a restart as well, which the other's Conflicts= then contradicts."""
    for unit, stand_in in (("device", "not-guarding"), ("service", "not-served")):
        assert value(f"rearguard-{unit}", "RestartMode") == "direct"
        assert value(f"rearguard-{unit}", "PropagatesStopTo") == f"rearguard-{stand_in}.service"
        assert value(f"rearguard-{unit}", "Conflicts") == f"rearguard-{stand_in}.service"
        assert values(f"rearguard-{stand_in}", "PartOf") == []


def test_whoever_drives_the_motor_leaves_it_off() -> None:
    for unit in ("rearguard-device", "rearguard-not-guarding"):
        # "-": a motor that is gone must not make a failure of a stop that was asked for
        assert value(unit, "ExecStopPost").startswith(f"-{PROGRAM} motor-off --config ")


def test_the_bus_waited_for_is_the_one_configured() -> None:
    rules = (SYSTEMD / "60-rearguard.rules").read_text()
    assert f'KERNEL=="i2c-{config.Imu().bus}", TAG+="systemd"' in rules
    assert 'ENV{SYSTEMD_ALIAS}+="/rearguard/i2c"' in rules
    assert "rearguard-i2c.device" in values("rearguard-device", "Wants")


def test_the_folders_are_those_of_the_configuration() -> None:
    belt = config.Belt()
    for unit in ("rearguard-device", "rearguard-service"):
        assert value(unit, "ReadWritePaths") == str(belt.data_dir)
        assert (
            f"d {belt.data_dir} 1770 root rearguard" in (SYSTEMD / "rearguard.tmpfiles").read_text()
        )
    assert "/run/" + value("rearguard-device", "RuntimeDirectory") == str(belt.run_dir)
