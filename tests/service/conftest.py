"""Fixtures that end what they began."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service import payloads
from tests.service.belt import Device, Mosquitto, Service, Subscriber, configure


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    yield broker
    broker.kill()


@pytest.fixture
def caregiver(broker: Mosquitto) -> Iterator[Subscriber]:
    caregiver = Subscriber(broker.port)
    yield caregiver
    caregiver.close()
    payloads.check(caregiver.messages)


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    (tmp_path / "run").mkdir(exist_ok=True)
    device = Device(tmp_path)
    yield device
    device.stop()


@pytest.fixture
def serve(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Service]:
    """`serve(port_of_broker, **more)`: a service process, killed at the end."""

    def start(mqtt_port: int, **more: Any) -> Service:
        service = Service(configure(tmp_path, mqtt_port=mqtt_port, **more))
        request.addfinalizer(lambda: service.process.poll() is None and service.kill())
        return service

    return start
