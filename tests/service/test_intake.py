"""Intake: from any place, through any damage, every record once."""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.commands import CommandError
from device.journal import encode
from service.history import History
from service.intake import NOTHING_YET, TELL_EVERY, Intake
from service.moment import Moment
from service.own import OwnRecords
from service.store import Store
from tests.service.test_store import record


class Bench:
    """A journal folder, a store, and an intake between them; time moves a second a poll."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "journal"
        self._path = folder / "store.sqlite"
        self.told: list[str] = []
        self.deaf = False
        self.keep_bytes = 0
        self._t = 0.0
        self._start = 0
        self.open()

    def open(self) -> None:
        self._start += 1
        self.store = Store(self._path)
        own = OwnRecords("belt", "boot", str(self._start))
        self.intake = Intake(self.journal, self.store, own, self._tell, self.keep_bytes)

    def restart(self) -> None:
        self.store.close()
        self.open()

    def poll(self, seconds: float = 1.0) -> int:
        self._t += seconds
        return self.intake.poll(Moment(self._t, 1.7e9 + self._t))

    def write(self, segment: str, data: bytes) -> None:
        self.journal.mkdir(exist_ok=True)
        with (self.journal / f"{segment}.journal").open("ab") as file:
            file.write(data)

    def found(self) -> list[dict[str, Any]]:
        history = History(self._path)
        records, _ = history.alerts(limit=5000)
        history.close()
        return records[::-1]

    def ids(self) -> list[int]:
        return [int(r["t"]) for r in self.found() if r["event"] != "storage_fault"]

    def _tell(self, segment: str) -> None:
        if self.deaf:
            raise CommandError("nobody there")
        self.told.append(segment)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.store.close()


def line(number: int) -> bytes:
    return encode(record(number))


def test_a_torn_line_is_waited_for(bench: Bench) -> None:
    bench.write("00000001-r", line(1) + line(2)[:30])
    bench.poll()
    assert bench.ids() == [1]
    bench.poll()
    bench.write("00000001-r", line(2)[30:])
    bench.poll()
    assert bench.ids() == [1, 2]


def test_damage_is_told_and_stepped_over(bench: Bench) -> None:
    bench.write("00000001-r", line(1) + b"00000000 {}\n" + encode({"id": "no record"}) + line(2))
    bench.poll()
    faults = [r for r in bench.found() if r["event"] == "storage_fault"]
    assert bench.ids() == [1, 2]
    assert len(faults) == 2
    assert "12 damaged bytes" in faults[0]["detail"]
    assert len({r["id"] for r in faults}) == 2
    assert all(r["id"].startswith("belt:service-boot-1:") for r in faults)
    bench.restart()
    assert bench.poll() == 0, "told again after a restart"


def test_what_no_store_could_keep_is_damage_and_blocks_nothing(bench: Bench) -> None:
    text = json.dumps({**record(2), "t": float("nan")}).encode()
    bench.write("00000001-r", line(1) + b"%08x %s\n" % (zlib.crc32(text), text) + line(3))
    bench.poll()
    assert bench.ids() == [1, 3]
    assert [r["event"] for r in bench.found()].count("storage_fault") == 1


def test_a_segment_left_torn_by_a_crash_is_damage_once_another_begins(bench: Bench) -> None:
    bench.write("00000001-r", line(1) + line(2)[:30])
    bench.poll()
    bench.write("00000002-s", line(3))
    bench.poll()
    assert bench.ids() == [1, 3]
    assert [r["event"] for r in bench.found()].count("storage_fault") == 1


def test_a_lost_folder_is_begun_anew(bench: Bench) -> None:
    bench.write("00000004-r", line(1))
    bench.poll()
    (bench.journal / "00000004-r.journal").unlink()
    bench.write("00000001-s", line(1) + line(2))
    bench.poll()
    assert bench.ids() == [1, 2]


def test_more_than_one_bite_is_eaten_without_waiting(bench: Bench) -> None:
    bench.write("00000001-r", b"".join(map(line, range(1000))))
    for _ in range(5):
        bench.poll(0.02)
    assert bench.ids() == list(range(1000))


def test_the_sign_of_life_says_how_far_and_comes_often_enough(bench: Bench) -> None:
    bench.poll()
    assert bench.told == [NOTHING_YET]
    bench.write("00000001-r", line(1))
    bench.write("00000002-r", line(2))
    for _ in range(100):
        bench.poll(0.02)
    assert set(bench.told[1:]) == {"00000002-r.journal"}
    assert len(bench.told) == 3
    bench.keep_bytes = 1 << 20
    bench.restart()
    bench.poll()
    assert bench.told[-1] == "00000001-r.journal", "record 1 has not arrived anywhere yet"
    bench.store.delivered([1, 2], "2026-01-01")
    bench.poll()
    assert bench.told[-1] == "00000002-r.journal"
    assert TELL_EVERY <= 2.0
    bench.deaf = True
    bench.poll()
    assert not bench.intake.device_answers


def test_who_cannot_store_gives_no_sign_of_life(bench: Bench) -> None:
    bench.write("00000001-r", line(1))
    bench.store._db.execute("PRAGMA query_only = 1")  # as a disk that refuses
    with pytest.raises(Exception, match="readonly"):
        bench.poll()
    assert bench.told == []
    bench.store._db.execute("PRAGMA query_only = 0")
    bench.poll()
    assert bench.ids() == [1]
    assert bench.told == ["00000001-r.journal"]


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_however_it_is_cut_and_restarted_nothing_is_lost_or_doubled(data: st.DataObject) -> None:
    """Bytes arrive in arbitrary pieces, over several segments, the service restarts in between."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        number = 0
        for segment in range(1, data.draw(st.integers(1, 3)) + 1):
            count = data.draw(st.integers(0, 8))
            stream = b"".join(line(number + k) for k in range(count))
            number += count
            while stream:
                size = data.draw(st.integers(1, len(stream)))
                bench.write(f"{segment:08d}-r", stream[:size])
                stream = stream[size:]
                if data.draw(st.booleans()):
                    bench.poll()
                if data.draw(st.booleans()):
                    bench.restart()
        bench.poll()
        assert bench.ids() == list(range(number))
        assert len(bench.found()) == number, "damage was seen where there was none"
        bench.store.close()
