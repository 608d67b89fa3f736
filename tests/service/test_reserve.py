"""The reserve: there while the disk has room, gone when it has none, and told until it is back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from service.history import History
from service.moment import Moment
from service.own import OwnRecords
from service.reserve import FULL, ROOM, SIZE, Reserve, Shortage
from service.store import Store


class Disk:
    """A disk that says what it is told to; its files are real."""

    left = 10 * ROOM

    def statvfs(self, _path: Path) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=self.left // 512, f_frsize=512)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "reserve"
        self._store = folder / "store.sqlite"
        self._t, self._start = 0.0, 0
        self.open()

    def open(self) -> None:
        self._start += 1
        self.store, self.history = Store(self._store), History(self._store)
        own = OwnRecords("belt", "boot", str(self._start))
        self.shortage = Shortage(Reserve(self.file), own, self.store, self.history)

    def close(self) -> None:
        self.store.close()
        self.history.close()

    def poll(self) -> bool:
        self._t += 1.0
        return self.shortage.poll(Moment(self._t, 1.7e9 + self._t))

    def told(self) -> list[tuple[str, str]]:
        records, _ = self.history.alerts(limit=99)
        return [(r["event"], r["state"]) for r in records[::-1]]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "statvfs", disk.statvfs)
    return disk


@pytest.fixture
def bench(tmp_path: Path, disk: Disk) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_it_goes_when_the_disk_is_full_and_is_told_until_it_is_back(
    bench: Bench, disk: Disk
) -> None:
    assert not bench.poll()
    assert bench.file.stat().st_blocks * 512 >= SIZE, "a file with holes holds no room"
    disk.left = FULL - 512
    assert bench.poll()
    assert not bench.file.exists()
    bench.close()
    bench.open()  # the service restarts meanwhile
    disk.left = SIZE + ROOM
    assert not bench.poll(), "told once, and not over before there is room to spare"
    disk.left = SIZE + ROOM + 512
    assert bench.poll()
    assert bench.file.exists()
    assert bench.told() == [("storage_fault", "raised"), ("storage_fault", "cleared")]
    assert bench.history.active() == []


def test_it_goes_even_if_the_telling_fails_and_is_told_later(bench: Bench, disk: Disk) -> None:
    bench.poll()
    disk.left = 0
    bench.store._db.execute("PRAGMA query_only = 1")
    with pytest.raises(Exception, match="readonly"):
        bench.poll()
    assert not bench.file.exists()
    bench.store._db.execute("PRAGMA query_only = 0")
    assert bench.poll()
    assert bench.told() == [("storage_fault", "raised")]


def test_a_disk_without_room_from_the_start_is_told(bench: Bench, disk: Disk) -> None:
    disk.left = ROOM
    assert bench.poll()
    assert not bench.file.exists()
    assert bench.told() == [("storage_fault", "raised")]
