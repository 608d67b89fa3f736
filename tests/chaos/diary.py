"""The files as they would lie there had the power gone at some moment, from the shim's diary.

What a cut may do to the writes that no sync has covered yet: keep them, tear the last one, or lose
any of them. Names (made, renamed, removed) are taken to be there in order, as a journalling file
system keeps them.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from device import journal
from tests.chaos.ledger import Payload

_HEAD = struct.Struct("c3xII4xqd")
SECTOR, PAGE = 512, 4096  # bytes: what a disk writes whole; SQLite's page
WRITE, TRUNCATE, SYNC, UNLINK, RENAME = "w", "t", "s", "u", "r"


class Note(NamedTuple):
    """One line of the diary."""

    kind: str
    name: str  # of the file, within the folder
    offset: int  # of a write; length after a truncation
    at: float  # s, monotonic
    data: bytes  # of a write; the new name of a renaming


def read(diary: Path) -> list[Note]:
    raw, notes, place = diary.read_bytes(), [], 0
    while place + _HEAD.size <= len(raw):
        kind, name, size, offset, at = _HEAD.unpack_from(raw, place)
        place += _HEAD.size
        text, data = raw[place : place + name].decode(), raw[place + name : place + name + size]
        place += name + size
        notes.append(Note(kind.decode(), text, offset, at, data))
    return notes


@dataclass
class File:
    """What of it is surely on the disk, and what came after the last sync."""

    kept: bytearray = field(default_factory=bytearray)
    loose: list[Note] = field(default_factory=list)

    def sync(self) -> None:
        for note in self.loose:
            _apply(self.kept, note)
        self.loose.clear()


def _apply(content: bytearray, note: Note) -> None:
    if note.kind == TRUNCATE:
        del content[note.offset :]
        content.extend(bytes(note.offset - len(content)))
        return
    content.extend(bytes(max(0, note.offset - len(content))))
    content[note.offset : note.offset + len(note.data)] = note.data


@dataclass
class Disk:
    """The folder at one moment, and every record of the journal synced until then."""

    files: dict[str, File] = field(default_factory=dict)
    promised: dict[str, Payload] = field(default_factory=dict)

    def follow(self, note: Note) -> None:
        if note.kind == UNLINK:
            self.files.pop(note.name, None)
        elif note.kind == RENAME:
            self.files[note.data.decode()] = self.files.pop(note.name, File())
        elif note.kind == SYNC:
            self._sync(note.name)
        else:
            self.files.setdefault(note.name, File()).loose.append(note)

    def _sync(self, name: str) -> None:
        if (file := self.files.get(name)) is None:
            return  # a folder
        before = len(file.kept)
        file.sync()
        if name.endswith(journal.SUFFIX):
            for line in bytes(file.kept[before:]).splitlines(keepends=True):
                if (record := journal.decode(line)) is not None:
                    self.promised[record["id"]] = record

    def lay(self, folder: Path, how: str, dice: random.Random) -> None:
        """Write the files as one of WAYS leaves them."""
        last = self._last_write()
        for name, file in self.files.items():
            content = bytearray(file.kept)
            for note in WAYS[how](file.loose, dice, last):
                _apply(content, note)
            if how == PAGE_GONE and not name.endswith(journal.SUFFIX) and content:
                del content[-(((len(content) - 1) % PAGE) + 1) :]
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def _last_write(self) -> Note | None:
        loose = [note for file in self.files.values() for note in file.loose]
        return max(loose, key=lambda note: note.at, default=None)


def _all(loose: list[Note], _dice: random.Random, _last: Note | None) -> Iterator[Note]:
    yield from loose


def _torn(loose: list[Note], dice: random.Random, last: Note | None) -> Iterator[Note]:
    """The newest write of all is cut off at a sector, or for once in the midst of one."""
    for note in loose:
        if note is not last or note.kind != WRITE:
            yield note
            continue
        size = dice.randrange(len(note.data) + 1)
        yield note._replace(data=note.data[: size if dice.random() < 0.3 else size & -SECTOR])


def _some(loose: list[Note], dice: random.Random, last: Note | None) -> Iterator[Note]:
    """A disk writes in the order it likes."""
    return (note for note in loose if dice.random() < 0.5)


PAGE_GONE = "last page gone"
WAYS = {"at a write": _all, "in a write": _torn, "unsynced lost": _some, PAGE_GONE: _all}


def at(notes: list[Note], count: int) -> Disk:
    """The disk after so many notes."""
    disk = Disk()
    for note in notes[:count]:
        disk.follow(note)
    return disk
