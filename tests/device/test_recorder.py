"""The journal, written and read: nothing lost, nothing under a second id, damage told."""

from __future__ import annotations

import errno
import json
import math
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import dangers, journal
from device.alerts import Record
from device.clock import MonotonicClock
from device.recorder import Origin, Recorder
from device.segments import SegmentWriter

ORIGIN = Origin("belt", "run1", "simulated:test")


class FixedWall:
    def at(self, t: float) -> tuple[float, bool]:
        return 1_800_000_000.0 + t, True


def recorder(folder: Path, run: str = "run1", room: int = 64, limit: int = 1 << 20) -> Recorder:
    return Recorder(
        folder,
        Origin("belt", run, "simulated:test"),
        MonotonicClock(),
        FixedWall(),
        queue_size=room,
        limit_bytes=limit,
    )


def everything(folder: Path, limit: int = 256) -> list[dict[str, Any]]:
    """All records, read a few at a time from the stored cursor, as the service does."""
    found, cursor = [], journal.Cursor()
    while entries := journal.read(folder, cursor, limit):
        found += [entry.record for entry in entries if entry.record]
        cursor = entries[-1].after
    return found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(record=st.dictionaries(st.text(), json_values, max_size=4))
def test_a_line_brings_back_its_record(record: dict[str, Any]) -> None:
    line = journal.encode(record)
    assert line.count(b"\n") == 1
    assert journal.decode(line) == json.loads(json.dumps(record))


@given(record=st.dictionaries(st.text(), json_values, max_size=3), data=st.data())
def test_a_damaged_line_is_never_taken_for_whole(
    record: dict[str, Any], data: st.DataObject
) -> None:
    line = journal.encode(record)
    at = data.draw(st.integers(0, len(line) - 1))
    assert journal.decode(line[:at]) is None
    changed = bytearray(line)
    changed[at] ^= data.draw(st.integers(1, 255))
    decoded = journal.decode(bytes(changed))
    # the checksum's own digits may change case without meaning another number
    assert decoded is None or decoded == json.loads(json.dumps(record))


def test_json_has_no_word_for_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        journal.encode({"distance_m": math.nan})


@given(sizes=st.lists(st.integers(0, 400), max_size=30), limit=st.integers(1, 7))
def test_what_is_appended_is_read_whatever_the_segments(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], limit: int
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    writer = SegmentWriter(folder, "run1", limit_bytes=1 << 20)
    writer.ready()
    writer._segment_bytes = 500
    for number, size in enumerate(sizes):
        writer.append(journal.encode({"number": number, "text": "x" * size}))
        writer.sync()
        assert writer.roll_over() == []
    writer.leave()
    assert [record["number"] for record in everything(folder, limit)] == list(range(len(sizes)))


def test_records_get_id_time_and_origin(tmp_path: Path) -> None:
    writer = recorder(tmp_path)
    for number in range(100, 110):
        writer.put(Record("alert", "obstacle", "warning", t=float(number)))
    writer.close()
    records = everything(tmp_path)
    assert [record["id"] for record in records] == [f"belt:run1:{n}" for n in range(1, 11)]
    assert records[0]["raised_at"] == "2027-01-15T08:01:40.000+00:00"
    assert records[0]["clock_synchronised"] is True
    assert (records[0]["belt"], records[0]["boot"], writer.lost) == ("belt", "run1", 0)


def test_danger_is_on_the_disk_before_the_next_tick_of_the_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, on_disk = [], threading.Event()
    fdatasync = os.fdatasync

    def watch(descriptor: int) -> None:
        fdatasync(descriptor)
        synced.append(os.fstat(descriptor).st_size)
        on_disk.set()

    monkeypatch.setattr(os, "fdatasync", watch)
    writer = recorder(tmp_path)
    writer.put(Record("alert", "pace", "notice"))
    assert not on_disk.wait(0.3)
    writer.put(Record("alert", "fall", "danger"))
    assert on_disk.wait(0.5)
    assert synced[0] == sum(file.stat().st_size for file in journal.segments(tmp_path))
    writer.close()


def test_a_torn_tail_is_stepped_over_and_said(tmp_path: Path) -> None:
    first = recorder(tmp_path, "run1")
    first.put(Record("alert", "fall", "danger"))
    first.close()
    with journal.segments(tmp_path)[-1].open("ab") as file:
        file.write(journal.encode({"id": "belt:run1:2"})[:-5])
    unfinished = journal.read(tmp_path, journal.Cursor())
    assert [entry.damaged for entry in unfinished] == [0]  # it may still be finished
    second = recorder(tmp_path, "run2")
    second.put(Record("alert", "sos", "danger"))
    second.close()
    entries = journal.read(tmp_path, journal.Cursor())
    assert [entry.record["id"] if entry.record else "" for entry in entries] == [
        "belt:run1:1", "", "belt:run2:1",
    ]  # fmt: skip
    assert entries[1].damaged > 0


def test_a_full_disk_loses_nothing_and_repeats_nothing_under_a_new_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, write = threading.Event(), os.write

    def no_room(descriptor: int, line: bytes) -> int:
        if full.is_set() and line[:4] != b"wake":
            part = write(descriptor, line[: len(line) // 2])  # as a full disk does: half of it
            return part if part else 0
        return write(descriptor, line)

    monkeypatch.setattr(os, "write", no_room)
    writer = recorder(tmp_path)
    writer.put(Record("alert", "pace", "notice"))
    full.set()
    for number in range(5):
        writer.put(Record("alert", "fall", "danger", t=float(number)))
    for _ in range(200):
        if writer.fault:
            break
        threading.Event().wait(0.01)
    assert "disk is full" in writer.fault
    full.clear()
    writer.put(Record("alert", "sos", "danger"))
    writer.close()
    assert writer.fault == ""
    ids = [record["id"] for record in everything(tmp_path)]
    assert list(dict.fromkeys(ids)) == [f"belt:run1:{n}" for n in range(1, 8)]


def test_on_a_full_disk_a_fall_takes_the_room_of_what_matters_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, write = threading.Event(), os.write
    full.set()
    monkeypatch.setattr(os, "write", lambda fd, line: 0 if full.is_set() else write(fd, line))
    writer = recorder(tmp_path, room=16)
    for event, level in [("pace", "notice")] * 20 + [("fall", "danger")] * 3:
        writer.put(Record("alert", event, level))
        while writer._queue.qsize():
            threading.Event().wait(0.001)
    full.clear()
    writer.close()
    events = [record["event"] for record in everything(tmp_path)]
    assert events.count("fall") == 3
    assert "storage_fault" in events, "what had to go is told"


def test_a_danger_is_kept_for_a_restart_before_its_record_and_let_go_after_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    save, append = dangers.Dangers.save, SegmentWriter.append

    def noted(self: dangers.Dangers) -> None:
        if self._open != self._saved:
            order.append("kept" if self._open else "let go")
        save(self)

    def written(self: SegmentWriter, line: bytes) -> None:
        append(self, line)
        order.append(str((journal.decode(line) or {})["state"]))

    monkeypatch.setattr(dangers.Dangers, "save", noted)
    monkeypatch.setattr(SegmentWriter, "append", written)
    writer = recorder(tmp_path)
    writer.put(Record("alert", "fall", "danger", alert_id="a1"))
    writer.put(Record("alert", "fall_cancelled", "info", "cancelled", alert_id="a1"))
    writer.close()
    assert order == ["kept", "raised", "cancelled", "let go"]


def test_a_folder_that_cannot_be_made_is_a_fault_until_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "card" / "journal"
    folder.parent.write_text("not a folder: the card is not there")
    writer = recorder(folder)
    writer.put(Record("alert", "fall", "danger"))
    for _ in range(200):
        if writer.fault:
            break
        threading.Event().wait(0.01)
    assert "check the card" in writer.fault
    folder.parent.unlink()
    writer.close()
    assert writer.fault == ""
    assert [record["event"] for record in everything(folder)] == ["fall"]


def test_a_sync_that_fails_writes_the_same_ids_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OSError(errno.EIO, "Input/output error")]
    fdatasync = os.fdatasync

    def fail_once(descriptor: int) -> None:
        if failures:
            raise failures.pop()
        fdatasync(descriptor)

    monkeypatch.setattr(os, "fdatasync", fail_once)
    writer = recorder(tmp_path)
    writer.put(Record("alert", "fall", "danger", detail="one"))
    writer.put(Record("alert", "fall", "danger", detail="two"))
    writer.close()
    records = {record["id"]: record["detail"] for record in everything(tmp_path)}
    assert records == {"belt:run1:1": "one", "belt:run1:2": "two"}


def test_a_full_queue_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold, write = threading.Event(), os.write

    def slow(descriptor: int, line: bytes) -> int:
        hold.wait(5)
        return write(descriptor, line)

    monkeypatch.setattr(os, "write", slow)
    writer = recorder(tmp_path, room=16)
    for number in range(40):
        writer.put(Record("alert", "pace", "notice", t=float(number)))
    lost = writer.lost
    assert lost >= 40 - 18
    hold.set()
    writer.close()
    told = [record for record in everything(tmp_path) if record["event"] == "storage_fault"]
    assert told
    assert told[0]["detail"] == f"{lost} records found no room and were lost"
    assert told[0]["level"] == "fault"


def test_consumed_segments_go_and_an_overflow_is_told(tmp_path: Path) -> None:
    writer = recorder(tmp_path, limit=4000)
    for number in range(40):
        writer.put(Record("alert", "fall", "danger", t=float(number)))
        while writer._queue.qsize() > 8:
            threading.Event().wait(0.002)
    writer.close()
    files = journal.segments(tmp_path)
    assert sum(file.stat().st_size for file in files[:-1]) <= 4000
    told = [record for record in everything(tmp_path) if record["event"] == "storage_fault"]
    assert told
    assert "given up unsent" in told[-1]["detail"]

    again = recorder(tmp_path, "run2")
    again.consumed("99999999")
    again.close()
    (left,) = journal.segments(tmp_path)  # the newest stays, whatever was consumed
    assert left.name.endswith("-run2.journal")


def test_a_cursor_whose_segment_is_gone_begins_anew(tmp_path: Path) -> None:
    writer = recorder(tmp_path)
    writer.put(Record("alert", "fall", "danger"))
    writer.close()
    assert len(journal.read(tmp_path, journal.Cursor("00000099-gone.journal", 12))) == 1
    assert journal.read(tmp_path / "nowhere", journal.Cursor()) == []
