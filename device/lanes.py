"""The three lanes to the service, from the loop's side: they may fail, guarding goes on.

Whatever goes wrong in a lane becomes its named fault, told as `storage_fault` by health.py; it is
tried again a second later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from device.alerts import Record
from device.frames import Frame

RETRY_S = 1.0  # s a lane that failed is left alone


class Ring(Protocol):
    def write(self, frame: Frame) -> None: ...


class Recorder(Protocol):
    fault: str  # one line while the disk refuses

    def put(self, record: Record) -> None: ...

    def consumed(self, segment: str) -> None: ...


class Control(Protocol):
    def poll(self) -> list[dict[str, Any]]: ...


class Lanes:
    """Every call returns whatever happens; `faults` says what happened."""

    def __init__(self, ring: Ring, recorder: Recorder, control: Control) -> None:
        self._ring, self._recorder, self._control = ring, recorder, control
        self._faults = {"frame ring": "", "journal": "", "control socket": ""}
        self._retry_at = dict.fromkeys(self._faults, 0.0)  # s

    def write(self, now: float, frame: Frame) -> None:
        """The frame into the ring."""
        self._try(now, "frame ring", lambda: self._ring.write(frame))

    def put(self, now: float, record: Record) -> None:
        """The record to the journal."""
        self._try(now, "journal", lambda: self._recorder.put(record))

    def consumed(self, now: float, segment: str) -> None:
        """The service has stored everything before `segment`."""
        self._try(now, "journal", lambda: self._recorder.consumed(segment))

    def requests(self, now: float) -> list[dict[str, Any]]:
        """What has been asked over the control socket."""
        requests: list[dict[str, Any]] = []
        self._try(now, "control socket", lambda: requests.extend(self._control.poll()))
        return requests

    def faults(self) -> dict[str, str]:
        """Lane → what is wrong with it; empty: it works."""
        return {**self._faults, "journal": self._faults["journal"] or self._recorder.fault}

    def _try(self, now: float, lane: str, act: Callable[[], None]) -> None:
        if now < self._retry_at[lane]:
            return
        try:
            act()
            self._faults[lane] = ""
        except Exception as error:  # noqa: BLE001  no lane may end guarding, whatever its error
            self._faults[lane] = f"{type(error).__name__}: {error}"
            self._retry_at[lane] = now + RETRY_S
