"""Intake: follows the device's journal into the store, and tells the device how far it has come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from device.alerts import Level
from device.commands import CommandError
from device.journal import Cursor, read, segments
from service.moment import Moment
from service.own import OwnRecords
from service.store import Store, is_record

TELL_EVERY = 1.0  # s; the device raises service_lost when it hears nothing for longer than two
LOOK_EVERY = 1.0  # s between full looks, should the cheap one ever be fooled
LIMIT = 256  # lines a transaction
NOTHING_YET = "00000000"  # sorts before every segment: nothing may be dropped


class Intake:
    """Reads on from the stored cursor. One transaction inserts the records and moves it."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        own: OwnRecords,
        tell: Callable[[str], object],
        keep_bytes: int,
    ) -> None:
        """`tell` sends the device `consumed` with a segment's name; it may raise CommandError.

        `keep_bytes`: how much of the journal may be kept back for records not yet delivered.
        """
        self._folder, self._store, self._own, self._tell = folder, store, own, tell
        self._keep_bytes = keep_bytes
        self._cursor = store.cursor
        self._newest: Path | None = None  # segment
        self._mark: tuple[int, int] | None = None  # what the folder looked like when last read out
        self._looked_at = self._told_at = float("-inf")
        self.read_at = float("-inf")  # s, when the journal was last looked into
        self.records = self.damaged = 0  # taken in, and lines that were none
        self.device_answers = False  # whether the device took our last sign of life

    def poll(self, now: Moment) -> int:
        """Store what is new; returns how many records that was. Raises sqlite3.Error."""
        new = self._read_on(now) if self._changed(now.t) else 0
        # The sign of life comes after the storing: who cannot store must not say that all is well.
        if now.t - self._told_at >= TELL_EVERY:
            self._told_at = now.t
            try:
                self._tell(self._done_with())
                self.device_answers = True
            except CommandError:  # shown by the status; the device's silence is watch.py's matter
                self.device_answers = False
        return new

    def _read_on(self, now: Moment) -> int:
        entries = read(self._folder, self._cursor, LIMIT)
        if not entries:
            return 0
        records = []
        for entry in entries:
            if entry.record is not None and is_record(entry.record):
                records.append(entry.record)
            else:
                records.append(self._damage(now, entry.after, entry.damaged))
        new = self._store.take(records, entries[-1].after, entries[0].after.segment)
        self.records += new
        self._cursor = entries[-1].after
        if len(entries) == LIMIT:
            self._mark = None  # there is more
        return new

    def _done_with(self) -> str:
        """The segment before which the device may drop all.

        What nobody has had yet stays in the journal as well, as long as there is room: should the
        store be damaged, it is read again from there.
        """
        done = self._cursor.segment or NOTHING_YET
        needed, size = self._store.needed() or done, 0
        for file in reversed(segments(self._folder)):
            if file.name >= done:
                continue
            size += file.stat().st_size
            if file.name < needed or size > self._keep_bytes:
                break
            done = file.name
        return done

    def _damage(self, now: Moment, after: Cursor, size: int) -> dict[str, object]:
        self.damaged += 1
        what = f"{size} damaged bytes" if size else "a line that is no record"
        return self._own.record(
            now,
            "storage_fault",
            Level.FAULT,
            f"{what} in the journal before {after.segment}:{after.offset}: records may be lost",
        )

    def _changed(self, t: float) -> bool:
        """Two stat calls instead of a look into every file, at every round."""
        try:
            folder = self._folder.stat().st_mtime_ns
            if self._mark is None or folder != self._mark[0] or t - self._looked_at >= LOOK_EVERY:
                self._looked_at = t
                files = segments(self._folder)
                self._newest = files[-1] if files else None
                self._mark = None
            size = self._newest.stat().st_size if self._newest else 0
        except FileNotFoundError:  # no device has been here yet, or a segment went this moment
            self._mark = None
            return False
        self.read_at = t
        if self._mark == (folder, size):
            return False
        self._mark = folder, size
        return True
