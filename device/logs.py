"""Log lines: one an event, in logfmt, with the journal's priority; a flood is thinned.

At `info` and above there is nothing of the wearer's health, and never a secret: what was decided
about the body goes to the journal of records, which the service reads. Imports nothing of ours.
"""

from __future__ import annotations

import copy
import logging
import logging.handlers
import os
import queue
import threading
import time
from pathlib import Path
from typing import TextIO

AT_ONCE = 20  # lines of one message before it is thinned
EVERY_S = 10.0  # s between lines of it from then on
MOST_KNOWN = 512  # messages told apart
KEPT = 100_000  # bytes of a file of lines, and as many of what was before
MOST_WAITING = 1000  # lines for a thread to write
LAST_WORDS_S = 1.0  # s that the end of a process waits for them
MAX_LENGTH = 2000  # characters of a line; tracebacks may be long
_PRIORITY = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}  # of syslog(3)


class Descriptor:
    """Standard error as a stream without buffer or lock: the end of the process waits for nobody
    who hangs in writing to it."""

    def write(self, text: str) -> None:
        rest = text.encode()
        while rest:
            rest = rest[os.write(2, rest) :]

    def flush(self) -> None:
        """There is nothing to."""


class Aside(logging.Handler):
    """Writes through `handlers` in a thread of its own, so that a pipe that nobody empties holds
    nobody up. Lines that find no room are counted, and the next one that does says how many."""

    def __init__(self, *handlers: logging.Handler) -> None:
        super().__init__()
        self._handlers = handlers
        self._lines: queue.SimpleQueue[logging.LogRecord | None] = queue.SimpleQueue()
        self._dropped = 0
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        if self._lines.qsize() >= MOST_WAITING:
            self._dropped += 1
            return
        record = copy.copy(record)  # others have it too
        record.msg, record.args = record.getMessage(), None  # as it is now, not when it is written
        record.dropped, self._dropped = self._dropped, 0
        self._lines.put(record)

    def end(self) -> None:
        """Write what waits; what a full pipe takes longer than `LAST_WORDS_S` for is lost."""
        if self._dropped:
            self._lines.put(
                logging.makeLogRecord({"msg": "the log ends", "dropped": self._dropped})
            )
        self._lines.put(None)
        self._thread.join(LAST_WORDS_S)

    def _work(self) -> None:
        while (record := self._lines.get()) is not None:
            for handler in self._handlers:
                handler.emit(record)  # without its lock, which the end of the process takes


def handler(stream: TextIO | Descriptor) -> logging.Handler:
    """Writes lines to `stream`; for the journal (systemd.exec(5): JOURNAL_STREAM) with priority."""
    made = logging.StreamHandler(stream)
    made.setFormatter(Line(for_journal="JOURNAL_STREAM" in os.environ))
    return made


class File(logging.handlers.RotatingFileHandler):
    """Keeps the newest lines in a file as well; one that cannot be written is no fault: the
    journal has them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=KEPT, backupCount=1, encoding="utf-8", delay=True)
        self.setFormatter(Line())

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  its own name
        """Say nothing."""


class Line(logging.Formatter):
    """`time=2026-11-26T09:15:26Z level=warning part=service.door said="too many" left_out=17`; the
    journal knows the time itself."""

    def __init__(self, *, for_journal: bool = False) -> None:
        super().__init__()
        self._for_journal = for_journal

    def format(self, record: logging.LogRecord) -> str:
        line = f"level={record.levelname.lower()} part={record.name} said={_quoted(record)}"
        if record.exc_info:
            line += f" trace={_escaped(self.formatException(record.exc_info))}"
        for count in ("left_out", "dropped"):  # by Sparing; by Aside
            if number := getattr(record, count, 0):
                line += f" {count}={number}"
        if self._for_journal:
            return f"<{_PRIORITY.get(record.levelname, 6)}>{line}"
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        return f"time={at} {line}"


class Sparing(logging.Filter):
    """Lets a message through `AT_ONCE` times, then every `EVERY_S`, with how many were left out."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, object], tuple[float, float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        # by the message without its values, so that a flood of different names is one flood
        key = (record.name, record.msg)
        room, since, left_out = self._seen.get(key, (float(AT_ONCE), record.created, 0))
        room = min(AT_ONCE, room + max(0.0, record.created - since) / EVERY_S)
        passes = room >= 1.0
        if passes and left_out:
            record.left_out = left_out
        held = (room - 1.0, record.created, 0) if passes else (room, record.created, left_out + 1)
        if len(self._seen) > MOST_KNOWN:
            self._seen.clear()
        self._seen[key] = held
        return passes


def _quoted(record: logging.LogRecord) -> str:
    return _escaped(record.getMessage())


def _escaped(text: str) -> str:
    """One line in quotes: nobody can forge a second line by what they send."""
    shown = text[:MAX_LENGTH].replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown) + '"'
