"""How long an alert takes from its decision to a subscriber, and what its parts add to that.

A real broker, the service as its own process, and the device's own journal and frames at 100 Hz;
beside them a bare paho client that publishes at QoS 1 to the same broker. Both clocks are the one
monotonic clock of this machine.

`./dev bench delivery [--alerts N] [--json FILE]`; goal: p99 of alerts at most 100 ms.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.service.belt import TOPIC, Device, Mosquitto, Service, Subscriber, configure, until

GOAL_MS = 100.0  # p99
PAUSE_S = 0.05  # between alerts, on the average: a caregiver's phone sees far fewer
LEVELS = (("fall", "danger"), ("rear_blind", "fault"), ("obstacle", "warning"))


def percentile(values: list[float], share: float) -> float:
    """The smallest of the values that so great a share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]


def summary(values: list[float]) -> dict[str, float]:
    """ms"""
    return {
        "n": len(values),
        "p50_ms": round(statistics.median(values), 2),
        "p99_ms": round(percentile(values, 0.99), 2),
        "most_ms": round(max(values), 2),
    }


def belt(count: int, broker: Mosquitto, folder: Path) -> dict[str, list[float]]:
    """Level → ms from decision to receipt, of `count` alerts."""
    dice = random.Random(1)  # noqa: S311 — pauses
    caregiver = Subscriber(broker.port)
    (folder / "run").mkdir()
    device = Device(folder)
    service = Service(configure(folder, mqtt_port=broker.port))
    try:
        until(lambda: caregiver.of("status")[-1:] == ["online"], 20)
        for number in range(count):
            event, level = LEVELS[number % len(LEVELS)]
            ended = device.say(event, level)
            device.say(event, level, alert_id=ended, state="cleared")
            time.sleep(dice.uniform(0, 2 * PAUSE_S))
        until(lambda: len(caregiver.alerts()) >= 2 * count, 30)
    finally:
        service.stop()
        device.stop()
        caregiver.close()
    took: dict[str, list[float]] = {level: [] for _, level in LEVELS}
    for topic, text, _, at in caregiver.messages:
        if topic == "alert":
            alert = json.loads(text)
            if alert["kind"] == "alert" and ":service-" not in alert["id"]:
                took[alert["level"]].append(1000 * (at - alert["t"]))
    return took


def bare(count: int, broker: Mosquitto) -> list[float]:
    """ms from a bare client's publish to receipt."""
    caregiver = Subscriber(broker.port)
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    sent = []
    for number in range(count):
        sent.append(time.monotonic())
        client.publish(TOPIC + "alert", json.dumps({"number": number, "text": "x" * 600}), qos=1)
        time.sleep(PAUSE_S / 5)
    until(lambda: len(caregiver.of("alert")) == count, 30)
    client.disconnect()
    client.loop_stop()
    came = {json.loads(text)["number"]: at for _, text, _, at in caregiver.messages}
    caregiver.close()
    return [1000 * (came[number] - at) for number, at in enumerate(sent)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=600, metavar="N", help="(600)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder))
        try:
            beside = summary(bare(options.alerts, broker))
            took = belt(options.alerts, broker, Path(folder))
        finally:
            broker.kill()
    everything = summary([ms for values in took.values() for ms in values])
    figures = {"alerts": everything, "bare_client": beside}
    figures |= {level: summary(values) for level, values in took.items()}
    holds = everything["p99_ms"] <= GOAL_MS
    if options.json:
        options.json.write_text(json.dumps({**figures, "goal_ms": GOAL_MS, "holds": holds}) + "\n")
    for name, of in figures.items():
        print(f"{name:12s} p50 {of['p50_ms']:7.2f} ms  p99 {of['p99_ms']:7.2f} ms  n {of['n']}")
    print(
        f"delivery: decision to receipt p50 {everything['p50_ms']} ms, "
        f"p99 {everything['p99_ms']} ms (goal {GOAL_MS:g}): {'holds' if holds else 'FAILS'}"
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
