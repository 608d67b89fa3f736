"""Metrics as Prometheus reads them, and its rules for names."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from device.frames import Gap
from service import machine
from tests.service.belt import Device, Mosquitto, Service, configure, until

UNITS = ("seconds", "bytes", "celsius", "ratio", "total", "info")
PLAIN = {  # numbers of things, and what is either so or not
    "rearguard_guard", "rearguard_stream_fresh", "rearguard_alerts_active",
    "rearguard_outbox_records", "rearguard_device_answers", "rearguard_throttled",
    "rearguard_throttled_since_start",
}  # fmt: skip


def scrape(service: Service) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    answer = httpx.get(service.url + "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_they_follow_the_rules_and_say_what_is(
    tmp_path: Path, broker: Mosquitto, device: Device
) -> None:
    device.frame.lateness = 0.004
    service = Service(configure(tmp_path, mqtt_port=broker.port))
    try:
        for n in range(3):
            device.say("obstacle" if n else "fall", "warning" if n else "danger")
        told = (("event", "obstacle"),)
        until(lambda: scrape(service).get("rearguard_alerts_total", {}).get(told) == 2)
        device.frame.gap = Gap.BUS
        until(lambda: scrape(service).get("rearguard_imu_gaps_total"))
        found = scrape(service)
    finally:
        service.kill()
    for name in found:
        assert re.fullmatch(r"(rearguard|process)_[a-z_]+[a-z]", name)
        stem = re.sub(r"_(bucket|sum|count)$", "", name)
        assert stem in PLAIN or stem.endswith(UNITS), name
    assert found["rearguard_guard"][("stage", "full"),] == 1
    assert found["rearguard_alerts_total"][("event", "fall"),] == 1
    assert found["rearguard_outbox_records"][()] == 3, "nobody listens at this broker"
    assert found["rearguard_outbox_oldest_age_seconds"][()] > 0
    assert list(found["rearguard_imu_gaps_total"]) == [(("why", "bus"),)]
    late = {
        float(dict(k)["le"]): v for k, v in found["rearguard_loop_lateness_seconds_bucket"].items()
    }
    assert late[0.002] == 0 < late[0.005] == late[float("inf")]
    ages = found["rearguard_stream_age_seconds"]
    assert {dict(k)["stream"] for k in ages} == {
        "loop", "imu", "rear", "journal", "storage", "broker", "battery", "clock",
    }  # fmt: skip


def test_the_machine_says_what_it_knows_and_nothing_else(tmp_path: Path) -> None:
    assert machine.throttled(tmp_path) is None
    assert machine.temperature(tmp_path) != machine.temperature(tmp_path), "NaN"
    heat = tmp_path / "class" / "thermal" / "thermal_zone0"
    heat.mkdir(parents=True)
    (heat / "temp").write_text("61223\n")
    assert machine.temperature(tmp_path) == 61.223
    firmware = tmp_path / "devices" / "platform" / "soc" / "soc:firmware"
    firmware.mkdir(parents=True)
    for flags, known in (("50000", (False, True)), ("1", (True, False)), ("0", (False, False))):
        (firmware / "get_throttled").write_text(flags + "\n")
        assert machine.throttled(tmp_path) == known
    (firmware / "get_throttled").write_text("?\n")
    assert machine.throttled(tmp_path) is None
    assert machine.free_bytes(tmp_path / "gone") == 0
    assert machine.resident_bytes() > 1_000_000
