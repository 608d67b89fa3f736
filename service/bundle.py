"""The support bundle: what whoever helps from afar needs, in one ZIP archive. No secrets.

It holds the wearer's alerts and last recordings: health data, and said so in its first file.
"""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from device.logs import Line
from service.recordings import Recordings, UnknownRecordingError

LINES = 1000  # of the service's own log that are kept in memory
ALERTS = 200
LAST = 3  # recordings

ABOUT = """Rearguard support bundle of {belt}, drawn up {time} by version {version}.

THE ALERTS AND RECORDINGS IN IT ARE HEALTH DATA: give it only to whom the wearer would.
There are no secrets in it: config.json names the files that hold them, not what they hold.

status.json      how everything stood: streams with their ages, what is open
device.txt       what the device said of itself when asked (rearguard doctor)
config.json      the configuration in force, with every default
alerts.json      the newest {alerts} records, newest first
log.txt          the newest {lines} lines of the service's log
device-log.txt   the newest of the device's; older ones: journalctl -u rearguard-device
metrics.txt      for Prometheus
recordings/      the last {last} of the black box: recording sets for `rearguard replay`
"""


class Recent(logging.Handler):
    """Keeps the newest lines of the log in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(Line())
        self._lines: deque[str] = deque(maxlen=LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))

    def text(self) -> str:
        return "".join(f"{line}\n" for line in list(self._lines))


class Bundle:
    """Gathers at each call what the parts say now."""

    def __init__(
        self, status: Callable[[], dict[str, Any]], device: Callable[[], str],
        config: dict[str, dict[str, Any]], alerts: Callable[[int], list[dict[str, Any]]],
        log: Recent, device_log: Path, metrics: Callable[[], bytes], recordings: Recordings,
        version: str,
    ) -> None:  # fmt: skip
        """Each gives its file's content; `device` may take a second to answer. `device_log`: where
        the device keeps its newest lines."""
        self._status, self._device, self._config = status, device, config
        self._alerts, self._log, self._metrics = alerts, log, metrics
        self._device_log = device_log
        self._recordings, self._version = recordings, version

    def zipped(self) -> bytes:
        status = self._status()
        about = ABOUT.format(
            belt=status["belt"], time=status["time"], version=self._version,
            alerts=ALERTS, lines=LINES, last=LAST,
        )  # fmt: skip
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in (
                ("READ ME FIRST.txt", about),
                ("status.json", _json(status)),
                ("device.txt", self._device() + "\n"),
                ("config.json", _json(self._config)),
                ("alerts.json", _json(self._alerts(ALERTS))),
                ("log.txt", self._log.text()),
                ("device-log.txt", _lines(self._device_log)),
                ("metrics.txt", self._metrics().decode()),
            ):
                archive.writestr(name, text)
            for name in self._recordings.names()[:LAST]:
                try:
                    archive.writestr(f"recordings/{name}.zip", self._recordings.zipped(name))
                except UnknownRecordingError as error:  # gone since, or broken: say so in its place
                    archive.writestr(f"recordings/{name}.txt", f"{error}\n")
        return out.getvalue()


def _lines(file: Path) -> str:
    """What a log file and the one before it hold, or why it cannot be read."""
    try:
        before = file.with_name(file.name + ".1")
        older = before.read_text(encoding="utf-8") if before.exists() else ""
        return older + file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return f"{error}\n"


def _json(found: Any) -> str:
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
