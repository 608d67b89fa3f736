"""The three lanes to the service, from the loop's side: they may fail, guarding goes on.

Whatever goes wrong in a lane becomes its named fault, told as `storage_fault` by health.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from device.alerts import Record
from device.core import Core
from device.frames import Frame


class Ring(Protocol):
    sequence: int  # of the newest frame

    def write(self, frame: Frame) -> None: ...

    def retime(self, fs: float) -> None: ...


class Recorder(Protocol):
    fault: str  # one line while the disk refuses

    def put(self, record: Record) -> None: ...

    def consumed(self, segment: str) -> None: ...


class Control(Protocol):
    def poll(self) -> list[dict[str, Any]]: ...


class Box(Protocol):
    fault: str  # one line while recordings cannot be kept

    def note(self, sequence: int, core: Core) -> None: ...

    def see(self, record: Record) -> None: ...


class Lanes:
    """Every call returns whatever happens; `faults` says what happened."""

    def __init__(self, ring: Ring, recorder: Recorder, control: Control, box: Box) -> None:
        self._ring, self._recorder, self._control, self._box = ring, recorder, control, box
        self._faults = {"frame ring": "", "journal": "", "control socket": "", "black box": ""}

    def write(self, frame: Frame) -> None:
        """The frame into the ring."""
        self._try("frame ring", lambda: self._ring.write(frame))

    def retime(self, fs: float) -> None:
        """Frames come `fs` a second from now on."""
        self._try("frame ring", lambda: self._ring.retime(fs))

    def put(self, record: Record) -> None:
        """The record to the journal; and what deserves it is kept by the black box."""
        self._try("journal", lambda: self._recorder.put(record))
        self._try("black box", lambda: self._box.see(record))

    def note(self, core: Core) -> None:
        """The core as it is now, after the newest frame: where a recording may begin."""
        self._try("black box", lambda: self._box.note(self._ring.sequence, core))

    def consumed(self, segment: str) -> None:
        """The service has stored everything before `segment`."""
        self._try("journal", lambda: self._recorder.consumed(segment))

    def requests(self) -> list[dict[str, Any]]:
        """What has been asked over the control socket."""
        requests: list[dict[str, Any]] = []
        self._try("control socket", lambda: requests.extend(self._control.poll()))
        return requests

    def faults(self) -> dict[str, str]:
        """Lane → what is wrong with it; empty: it works."""
        return {
            **self._faults,
            "journal": self._faults["journal"] or self._recorder.fault,
            "black box": self._faults["black box"] or self._box.fault,
        }

    def _try(self, lane: str, act: Callable[[], None]) -> None:
        try:
            act()
            self._faults[lane] = ""
        except Exception as error:  # noqa: BLE001  no lane may end guarding, whatever its error
            self._faults[lane] = f"{type(error).__name__}: {error}"
