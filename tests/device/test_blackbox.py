"""The black box: what it keeps can be read, and is judged again as it was judged on the belt."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device import blackbox
from device.alerts import Level, Record, State
from device.archive import Archive
from device.blackbox import BlackBox
from device.clock import SystemWallClock
from device.config import Config
from device.core import Core, Judgement
from device.frames import Frame, RingReader
from device.haptics import Haptics
from device.health import Health, table
from device.lanes import Lanes
from device.loop import Loop
from device.policy import Policy
from device.recordings import Malformed, RecordingSet
from device.replay import replay
from device.ring import RingWriter
from device.sources.imu_chips import Lsm6dsoxChip
from device.sources.simulated import simulated
from tests.device.virtual import practice

STEP = 0.01  # s


class Clock:
    """Time that passes when the test says so; the black box's thread must not move it."""

    def __init__(self) -> None:
        self.t = 5000.0

    def now(self) -> float:
        return self.t

    def sleep_until(self, deadline: float) -> None:
        return


class Nobody:
    """The journal and the control socket, which this test does not need."""

    fault = ""

    def put(self, record: Record) -> None: ...

    def consumed(self, segment: str) -> None: ...

    def poll(self) -> list[dict[str, Any]]:
        return []


class Recalling(Core):
    """The core, with what it judged kept for the test."""

    def __init__(self, fs: float, **parameters: float) -> None:
        super().__init__(fs, **parameters)
        self.judged: list[Judgement] = []

    def step(self, frame: Frame) -> list[Judgement]:
        judgements = super().step(frame)
        self.judged += judgements
        return judgements


class Belt:
    """A simulated wearer on the real loop, in virtual time."""

    def __init__(self, folder: Path, scenario: str) -> None:
        self.clock = Clock()
        config = Config()
        source, motor = simulated(config, scenario, self.clock)
        self.core = Recalling(source.fs, has_ranger=1.0)
        ring = RingWriter(folder / "frames", 16384, source.fs, source.name)
        self.recordings = folder / "recordings"
        self.box = BlackBox(
            self.recordings, folder / "frames", "belt", source.fs, self.clock, SystemWallClock(), 30
        )
        policy, haptics = Policy(config.wearer, "belt", "run1", source.name), Haptics(motor, 1.0)
        self.loop = Loop(
            self.clock, 1 / STEP, source, self.core, policy,
            practice(policy, haptics, folder), haptics,
            Health(table(config, source.fs), self.clock.now()),
            Lanes(ring, Nobody(), Nobody(), self.box),
        )  # fmt: skip
        assert source.imu
        self._chip: Lsm6dsoxChip = source.imu._bus.open().chips[0x6A]
        self._ends = [source.close, motor.close, ring.close]

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.clock.t += STEP
            self._chip.celsius += 1.2 * STEP  # it comes from the cold
            self.loop.tick(self.clock.t)

    def close(self) -> None:
        for end in self._ends:
            end()


@pytest.fixture
def fallen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Belt]:
    """Somebody has walked and fallen; a short black box has kept that, and not how it began."""
    for name, seconds in (("BEFORE_S", 3.0), ("AFTER_S", 5.0), ("NOTE_S", 1.0)):
        monkeypatch.setattr(blackbox, name, seconds)
    belt = Belt(tmp_path, "fall")
    belt.run(14.0)
    belt.box.close()
    yield belt
    belt.close()


def test_a_fall_is_kept_and_judged_again_as_on_the_belt(fallen: Belt) -> None:
    (folder,) = (
        f for f in fallen.recordings.iterdir() if "fall_imminent" in (f / "index.csv").read_text()
    )
    recordings = RecordingSet(folder)
    assert recordings.faults == []
    (entry,) = recordings.entries
    recording = Archive(folder / entry.file).trial(entry)
    assert entry.fall
    assert recording.start is not None
    assert recording.pings is not None
    assert len(recording.pings) > 100
    assert np.count_nonzero(recording.start.drift) > 3

    begins = recording.start.sample
    assert begins > 4.0 * entry.fs, "long after the core began"
    judged = replay(recording)
    live = [
        (j.event, j.sample - begins)
        for j in fallen.core.judged
        if begins <= j.sample < begins + entry.n and j.state == State.RAISED
    ]
    assert {"fall_imminent", "fall"} <= {event for event, _ in live}
    again = [(r.event, r.sample) for r in judged.records if r.state == State.RAISED]
    assert [told for told in again if told[0] != "long_lie"] == live
    reader = RingReader(fallen.recordings.parent / "frames")
    frames = [reader.read(begins + 1 + k) for k in range(entry.n)]
    reader.close()
    for name in ("lean", "speed", "risk", "sway"):  # estimate by estimate, to the last bit
        kept = np.array([getattr(frame, name) for frame in frames], np.float32)
        assert np.array_equal(judged.estimates[name], kept, equal_nan=True), name


def test_one_recording_an_episode_and_none_for_less(tmp_path: Path) -> None:
    belt = Belt(tmp_path, "chair")
    belt.run(9.9)  # an obstacle is told, and the missing service not yet
    belt.box.close()
    belt.close()
    assert not belt.recordings.exists() or list(belt.recordings.iterdir()) == []


def test_the_oldest_go(fallen: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blackbox, "KEEP", 3)
    box = BlackBox(
        fallen.recordings, fallen.recordings.parent / "frames", "belt", 104.0, fallen.clock,
        SystemWallClock(), 30,
    )  # fmt: skip
    box.note(1000, fallen.core)
    for number in range(6):
        box.see(Record("alert", "sos", Level.DANGER.word, alert_id=f"belt:run2:b{number}"))
        box.see(Record("alert", "sos", Level.DANGER.word, alert_id=f"belt:run2:b{number}"))
    box.close()
    assert box.fault == ""
    names = sorted(folder.name for folder in fallen.recordings.iterdir())
    assert names == ["belt-run2-b3", "belt-run2-b4", "belt-run2-b5"]


class Later:
    """A wall clock that is so many days ahead, and trusted or not."""

    def __init__(self, days: float, trusted: bool) -> None:
        self._days, self._trusted = days, trusted

    def at(self, t: float) -> tuple[float, bool]:
        return time.time() + self._days * 86400, self._trusted


@pytest.mark.parametrize(
    ("days", "trusted", "left"), [(31, True, 0), (29, True, 1), (31, False, 1)]
)
def test_recordings_go_after_their_days_when_the_clock_is_set(
    tmp_path: Path, days: float, trusted: bool, left: int
) -> None:
    recordings = tmp_path / "recordings"
    (recordings / "belt-run1-a1").mkdir(parents=True)
    (recordings / "belt-run1-a1" / "belt.npz").write_bytes(b"raw signals")
    wall = Later(days, trusted)
    box = BlackBox(recordings, tmp_path / "frames", "belt", 104.0, Clock(), wall, 30)
    box.close()
    assert len(list(recordings.iterdir())) == left


def test_with_no_days_nothing_is_recorded(fallen: Belt) -> None:
    before = sorted(fallen.recordings.iterdir())
    box = BlackBox(
        fallen.recordings, fallen.recordings.parent / "frames", "belt", 104.0, fallen.clock,
        Later(0, False), 0,
    )  # fmt: skip
    box.note(1000, fallen.core)
    box.see(Record("alert", "sos", Level.DANGER.word, alert_id="belt:run2:b1"))
    box.close()
    assert sorted(fallen.recordings.iterdir()) == before


def test_no_recording_begins_before_another_motion_sensor(tmp_path: Path) -> None:
    """A replay would go on at the old one's rate."""
    box = BlackBox(tmp_path / "r", tmp_path / "frames", "b", 104.0, Clock(), SystemWallClock(), 30)
    core = Core(104.0)
    box.note(10, core)
    core.retime(100.0)
    box.note(12, core)
    assert list(box._notes) == [(12, core.save())]
    box.close()


def test_no_ring_and_no_room_are_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    box = BlackBox(
        tmp_path / "file", tmp_path / "frames", "belt", 104.0, Clock(), SystemWallClock(), 30
    )
    box.see(Record("alert", "sos", Level.DANGER.word, alert_id="belt:run1:a1"))
    box.close()
    assert "could not be kept" in box.fault


def test_a_damaged_state_is_said(fallen: Belt) -> None:
    folder = next(fallen.recordings.iterdir())
    (entry,) = RecordingSet(folder).entries
    arrays = dict(np.load(folder / entry.file))
    del arrays["core_sample"]
    np.savez(folder / entry.file, **arrays)
    with pytest.raises(Malformed, match="core_sample"):
        Archive(folder / entry.file).trial(entry)


class Card:
    """A disk on which recordings take the room of whatever else is to be written."""

    def __init__(self, folder: Path, others: int) -> None:
        self.folder, self.others = folder, others

    def free(self, folder: Path) -> int:
        made = list(self.folder.glob("[!.]*")) if self.folder.exists() else []
        return blackbox.RESERVE + 10 - self.others - len(made)


def test_on_a_card_that_fills_recordings_go_before_records_have_no_room(
    fallen: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blackbox, "LOOK_S", 0.0)
    before = sorted(folder.name for folder in fallen.recordings.iterdir())
    assert before
    for k in range(3):
        (fallen.recordings / f"z{k}").mkdir()
        os.utime(fallen.recordings / f"z{k}", (2e9 + k, 2e9 + k))
    card = Card(fallen.recordings, others=8)  # room for two
    box = BlackBox(fallen.recordings, fallen.recordings.parent / "frames", "belt", 104.0,
                   fallen.clock, Later(0, False), 30, room=card.free)  # fmt: skip
    box.close()
    assert sorted(f.name for f in fallen.recordings.iterdir()) == ["z1", "z2"], "the newest stay"

    card.others = 11  # nothing of ours would be enough
    box = BlackBox(fallen.recordings, fallen.recordings.parent / "frames", "belt", 104.0,
                   fallen.clock, Later(0, False), 30, room=card.free)  # fmt: skip
    box.note(1000, fallen.core)
    box.see(Record("alert", "sos", Level.DANGER.word, alert_id="belt:run3:a1"))
    box.close()
    assert list(fallen.recordings.iterdir()) == []
    assert "the room left is for records" in box.fault


def test_a_recording_cut_off_by_the_power_is_no_recording(fallen: Belt) -> None:
    """It lies under a name that is none, and the next start takes it away."""
    half = fallen.recordings / ".unfinished"
    half.mkdir()
    (half / "belt.npz").write_bytes(b"half")
    box = BlackBox(
        fallen.recordings, fallen.recordings.parent / "frames", "belt", 104.0, fallen.clock,
        Later(0, False), 30,
    )  # fmt: skip
    box.close()
    assert not half.exists()
    assert all(RecordingSet(folder).faults == [] for folder in fallen.recordings.iterdir())
