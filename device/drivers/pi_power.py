"""The Pi's own word on its supply: under-voltage and throttling, now and since it started.

From the firmware's flags in sysfs. `vcgencmd get_throttled` has the same, but needs a process a
look and the group video; the hwmon `rpi_volt` alarm knows under-voltage alone.
"""

from __future__ import annotations

from pathlib import Path

PLACES = "devices/platform/soc*/soc*firmware/get_throttled"  # under /sys
UNDER_VOLTAGE = "under-voltage"
NOW = {0: UNDER_VOLTAGE, 1: "frequency capped", 2: "throttled", 3: "too hot"}
EVER = 16  # the same flags this much higher: since the start


class PiPower:
    """Without that file (no Pi) nothing is ever wrong."""

    def __init__(self, sys: Path = Path("/sys")) -> None:
        self._file = next(iter(sorted(sys.glob(PLACES))), None)

    @property
    def there(self) -> bool:
        """Whether there is anything to read."""
        return self._file is not None

    def read(self) -> list[str]:
        """What limits the Pi now, in words (NOW). Raises OSError, ValueError."""
        return self._words(0)

    def ever(self) -> list[str]:
        """What has limited it since its start. Raises OSError, ValueError."""
        return self._words(EVER)

    def _words(self, shift: int) -> list[str]:
        if self._file is None:
            return []
        flags = int(self._file.read_text(), 16) >> shift
        return [word for bit, word in NOW.items() if flags >> bit & 1]
