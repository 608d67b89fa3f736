"""What systemd hears of the service: alive while both its loops are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from device.journal import SUFFIX
from device.supervisor import VARIABLE
from service.loop import ALIVE_WITHIN
from tests.device.test_supervisor import Systemd
from tests.service.belt import Service, free_port


def test_it_is_ready_lives_and_falls_silent_when_delivery_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Service]
) -> None:
    systemd = Systemd(str(tmp_path / "notify"))
    monkeypatch.setenv(VARIABLE, systemd.address)
    service = serve(free_port())  # no broker is there: that is no reason not to live
    assert systemd.wait("READY=1") == ["READY=1"]
    assert systemd.wait("WATCHDOG=1") == ["WATCHDOG=1"]
    (tmp_path / "data" / "journal").mkdir(parents=True, exist_ok=True)
    os.mkfifo(tmp_path / "data" / "journal" / f"00000001-run{SUFFIX}")  # opening it takes for ever
    with pytest.raises(TimeoutError):
        for _ in range(10):
            systemd.wait("WATCHDOG=1", seconds=ALIVE_WITHIN)
    answer = httpx.get(service.url + "/healthz")
    assert answer.status_code == 503
    assert "makes no rounds" in answer.text, "the one that answers says so of the other"
    systemd.socket.close()
