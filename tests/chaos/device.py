"""The device's side of a tormented belt: the real journal's writer, fed with made-up alerts.

Segments it drops are kept beside (`witness`), so that afterwards everything it ever wrote is known.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

from device import segments
from tests.service.belt import Device

SMALL = 1 << 15  # bytes of a segment: they end often
LIMIT = 64_000_000  # bytes of the journal: the default of [loop] journal_mb
WITNESS = "data/witness"  # on the same disk, so that a second name can be given
EVENTS = (
    *[("obstacle", "caution"), ("obstacle", "warning"), ("unsteady", "caution")] * 4,
    *[("rear_blind", "fault"), ("fall", "danger"), ("long_lie", "danger"), ("pace", "notice")],
)


def run(folder: str, seed: str, records: str, past: str) -> None:
    """Say alerts until SIGTERM, or just `records` of them if that is not 0.

    They are decided now, or spread over the last `past` seconds.
    """
    _keep_what_is_dropped(Path(folder) / WITNESS)
    segments.SEGMENT_BYTES = SMALL
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    device = Device(Path(folder), rate=20.0, limit_bytes=LIMIT)
    dice, count, wanted, span = random.Random(seed), 0, int(records), float(past)
    started = time.monotonic()
    while not stopping.is_set() and not (wanted and count >= wanted):
        for _ in range(dice.randint(1, 4)):
            event, level = dice.choice(EVENTS)
            t = started - span + span * count / wanted if wanted else time.monotonic()
            _episode(device, event, level, count, t, dice)
            count += 2
        stopping.wait(dice.expovariate(10.0) if not wanted else 0.0)
        while device.recorder._queue.qsize() > 100:  # the disk is slower than we are
            stopping.wait(0.002)
    device.stop()


def _episode(
    device: Device, event: str, level: str, number: int, t: float, dice: random.Random
) -> None:
    """Raised, and its end; each record is known by its `number`."""
    alert_id = device.say(event, level, t=t, measurements={"number": float(number)})
    by = dice.choice(("button", "walking"))
    state = "cleared"
    if level == "danger":
        event, level, state = "fall_cancelled", "info", "cancelled"
    more = {"state": state, "by": by, "alert_id": alert_id, "t": t}
    device.say(event, level, measurements={"number": number + 1.0}, **more)


def _keep_what_is_dropped(witness: Path) -> None:
    """A second name for every segment before its first is taken away."""
    witness.mkdir(parents=True, exist_ok=True)
    drop = segments.SegmentWriter.drop_before

    def drop_before(self: segments.SegmentWriter, segment: str) -> None:
        for file in segments.segments(self._folder)[:-1]:
            if file.name < segment and not (witness / file.name).exists():
                os.link(file, witness / file.name)
        drop(self, segment)

    segments.SegmentWriter.drop_before = drop_before  # type: ignore[method-assign]
