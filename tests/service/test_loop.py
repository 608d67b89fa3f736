"""The loop when the disk refuses: nothing lost, nothing claimed, and it recovers by itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from device.config import Mqtt, WeeklyTest
from device.settings import load
from service.broker import Broker
from service.delivery import Delivery
from service.desk import Desk
from service.discovery import Discovery
from service.history import History
from service.intake import Intake
from service.live import Live
from service.loop import Loop
from service.moment import moment
from service.own import OwnRecords
from service.presence import Presence
from service.reserve import Reserve, Shortage
from service.retention import Retention
from service.store import Store
from service.telemetry import Telemetry
from service.walks import Walks
from service.watch import Watch
from service.weekly import Weekly
from tests.service.belt import BELT, TOPIC, Device, Mosquitto, Subscriber, configure, until


def test_a_disk_that_refuses(
    tmp_path: Path, broker: Mosquitto, caregiver: Subscriber, device: Device
) -> None:
    config = load(configure(tmp_path, mqtt_port=broker.port))
    store = Store(config.store_file)
    history = History(config.store_file)
    watch = Watch(config.ring_file, moment().t, config.cannot_start_file)
    own = OwnRecords(BELT, "boot", "1")
    told: list[str] = []
    link = Broker(
        Mqtt(port=broker.port),
        BELT,
        will=(TOPIC + "status", "offline"),
        subscriptions=(TOPIC + "c",),
    )
    failures: list[str] = []

    def no_device(*_: Any, **__: Any) -> dict[str, Any]:
        raise AssertionError("nobody commands here")

    loop = Loop(
        watch,
        Intake(config.journal_dir, store, own, told.append, 1 << 20),
        Presence(own, watch, store, history),
        Shortage(Reserve(config.reserve_file), own, store, history),
        Desk(store, history, own, no_device),
        link,
        Delivery(store, link, TOPIC + "alert", "boot", lambda _: True),
        Telemetry(link, TOPIC, Live(config, watch), history, Walks(config.store_file)),
        Discovery(link, BELT, "1"),
        Weekly(WeeklyTest(), own, store, history, watch.silence),
        Retention(store, config.keep, lambda: True),
        failed=lambda: failures.append("failed"),
    )
    loop.start()
    try:
        until(lambda: caregiver.of("status") == ["online"])
        store._db.execute("PRAGMA query_only = 1")  # SQLite refuses to write, as a disk would
        said = device.say("fall", "danger")
        until(lambda: caregiver.of("status")[-1] == "offline")
        assert "records cannot be kept" in loop.trouble
        quiet = len(told)
        time.sleep(2.2)
        assert len(told) == quiet, "a sign of life from a service that keeps nothing"
        assert caregiver.alerts() == []
        store._db.execute("PRAGMA query_only = 0")
        until(lambda: [a["alert_id"] for a in caregiver.alerts()] == [said])
        until(lambda: caregiver.of("status")[-1] == "online")
        assert loop.trouble == ""
        assert failures == []
        store._db.close()  # what cannot be mended from within ends the process, and is told
        until(lambda: failures == ["failed"])
        assert not loop.alive(moment().t)
    finally:
        loop.stop()
        link.close("offline")
        watch.close()
        history.close()
        store.close()
