"""The journal's format and its reader: durable records on their way from device to service.

A folder of segments, `00000001-<run>.journal`, `00000002-<run>.journal`, …; numbers never repeat
while any segment is left. A record is one line: eight hex digits of CRC-32, a space, a JSON object,
a newline; so a torn or damaged line is seen, told and stepped over, and `cat` shows the rest.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUFFIX = ".journal"


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the journal: everything before it has been consumed."""

    segment: str = ""  # file name; empty: the very beginning
    offset: int = 0  # bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One line read: its record, or None with the damaged line's size, and the place after it."""

    record: dict[str, Any] | None
    after: Cursor
    damaged: int = 0


def encode(record: dict[str, Any]) -> bytes:
    """A record as a line. Raises ValueError for NaN or infinity: JSON has no word for them."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(line: bytes) -> dict[str, Any] | None:
    """The record of a whole line (with its newline), or None when it is damaged."""
    try:
        crc, text = int(line[:8], 16), line[9:-1]
        if line[-1:] != b"\n" or line[8:9] != b" " or crc != zlib.crc32(text):
            return None
        record = json.loads(text, parse_constant=_refuse)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _refuse(word: str) -> None:
    """NaN and infinity, which Python reads, are no JSON: nothing beyond could keep them."""
    raise ValueError(word)


def segments(folder: Path) -> list[Path]:
    """Segments, oldest first."""
    return sorted(folder.glob("*" + SUFFIX))


def read(folder: Path, cursor: Cursor, limit: int = 256) -> list[Entry]:
    """At most `limit` entries after `cursor`, oldest first.

    An unfinished last line of the newest segment is left for later; of an older one it is damage.
    Where the cursor's segment is gone (given up, or the folder was lost), reading begins anew.
    """
    entries: list[Entry] = []
    if not (folder / cursor.segment).is_file():
        cursor = Cursor()
    files = [file for file in segments(folder) if file.name >= cursor.segment]
    for position, file in enumerate(files):
        offset = cursor.offset if file.name == cursor.segment else 0
        newest = position == len(files) - 1
        try:
            with file.open("rb") as stream:
                stream.seek(offset)
                while len(entries) < limit:
                    line = stream.readline()
                    if not line or (newest and not line.endswith(b"\n")):
                        break
                    offset += len(line)
                    record = decode(line)
                    damaged = 0 if record is not None else len(line)
                    entries.append(Entry(record, Cursor(file.name, offset), damaged))
        except FileNotFoundError:  # consumed and dropped since it was listed
            continue
        if len(entries) >= limit:
            break
    return entries
