"""The support bundle: whole, readable, and without a secret."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import httpx

from tests.service.belt import Device, Mosquitto, Service, configure, make_token, until
from tests.service.test_recordings import keep


def test_it_holds_what_a_helper_needs_and_no_secret(
    tmp_path: Path, broker: Mosquitto, device: Device
) -> None:
    (tmp_path / "password").write_text("correct-horse-battery\n")
    (tmp_path / "password").chmod(0o600)
    token = make_token(tmp_path, "phone", "operate")
    lines = 'username = "belt"\npassword_file = "password"'
    service = Service(configure(tmp_path, mqtt_port=broker.port, mqtt=lines))
    try:
        alert_id = device.say("fall", "danger")
        (tmp_path / "run" / "log.1").write_text("time=then level=info part=device\n")
        (tmp_path / "run" / "log").write_text("time=now level=info part=device\n")
        name = keep(tmp_path / "data" / "recordings", device, alert_id)
        until(lambda: alert_id in httpx.get(service.url + "/api/v1/alerts").text)
        bearer = {"Authorization": f"Bearer {token}"}
        httpx.post(service.url + "/api/v1/commands/test", headers=bearer)
        found = httpx.get(service.url + "/api/v1/bundle", timeout=10)
    finally:
        service.kill()
    assert 'filename="rearguard-test.zip"' in found.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(found.content))
    texts = {part: archive.read(part).decode("utf-8", "replace") for part in archive.namelist()}
    assert "HEALTH DATA" in texts["READ ME FIRST.txt"]
    assert json.loads(texts["status.json"])["streams"]["loop"]["health"] == "fresh"
    assert json.loads(texts["config.json"])["mqtt"]["username"] == "belt"
    assert json.loads(texts["alerts.json"])[0]["alert_id"] == alert_id
    assert texts["device.txt"] == "the motor was felt\n", "what the device's stand-in answers"
    assert "test by http:phone" in texts["log.txt"]
    assert [line[:9] for line in texts["device-log.txt"].splitlines()] == ["time=then", "time=now "]
    assert "rearguard_frames_total" in texts["metrics.txt"]
    inside = zipfile.ZipFile(io.BytesIO(archive.read(f"recordings/{name}.zip")))
    assert f"{name}/index.csv" in inside.namelist()
    everything = "".join(texts.values())
    for secret in ("horse", token, (tmp_path / "data" / "tokens").read_text()[-60:-5]):
        assert secret not in everything


def test_a_dead_device_and_no_recordings_make_a_bundle_too(
    tmp_path: Path, broker: Mosquitto
) -> None:
    service = Service(configure(tmp_path, mqtt_port=broker.port))
    try:
        found = httpx.get(service.url + "/api/v1/bundle", timeout=10)
    finally:
        service.kill()
    archive = zipfile.ZipFile(io.BytesIO(found.content))
    assert "does not answer" in archive.read("device.txt").decode()
    assert "No such file" in archive.read("device-log.txt").decode()
    assert json.loads(archive.read("status.json"))["guard"] == "not_guarding"
