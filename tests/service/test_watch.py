"""Watch, presence and picture: silence is seen, told once, and never drawn as safety."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.config import Config
from device.frames import Frame, Gap, Guard
from device.ring import RingWriter
from service.history import History
from service.live import Live
from service.moment import Moment
from service.own import OwnRecords
from service.presence import Presence
from service.store import Store
from service.watch import START_GRACE, Watch

START = 100.0  # s


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[RingWriter]:
    ring = RingWriter(tmp_path / "frames", 64, 100.0, "simulated:test")
    yield ring
    ring.close()


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    watch = Watch(tmp_path / "frames", START, tmp_path / "cannot_start")
    yield watch
    watch.close()


def frame(t: float, **more: Any) -> Frame:
    return Frame(**{"t": t, "tick": t, "ax": 0.0, "ay": 0.0, "az": 9.81, "guard": 3, **more})


def test_it_follows_and_keeps_the_age_of_each_stream(ring: RingWriter, watch: Watch) -> None:
    ring.write(frame(100.0, ping_t=99.99, ping_echo=1))
    ring.write(frame(100.1, ping_t=100.08, ping_echo=2))
    ring.write(frame(100.2, ax=math.nan, gap=Gap.BUS))
    watch.poll(100.2)  # joins at the newest
    for t in (100.3, 100.4):
        ring.write(frame(t, ping_t=t, ping_echo=0))
    ring.write(frame(100.5, ax=math.nan, gap=Gap.BUS, ping_t=100.5, ping_echo=2))
    watch.poll(100.5)
    seen = watch.seen
    assert seen is not None
    assert (seen.frame.t, seen.imu_t, seen.rear_t, seen.rear_echo) == (100.5, 100.4, 100.4, 2)
    assert seen.source == "simulated:test"


def test_silence_is_told_after_a_second(ring: RingWriter, watch: Watch) -> None:
    ring.write(frame(100.0))
    watch.poll(100.0)
    assert watch.silence(100.9) == ""
    assert "no frame for 1.1 s" in watch.silence(101.1)
    assert watch.silence(90.0), "a frame from the future is not fresh"


def test_being_lapped_by_the_writer_is_no_silence(ring: RingWriter, watch: Watch) -> None:
    ring.write(frame(100.0))
    watch.poll(100.0)
    for n in range(200):  # three times round
        ring.write(frame(110.0 + n / 100))
    watch.poll(112.0)
    assert watch.silence(112.0) == ""


def test_a_new_ring_is_followed(ring: RingWriter, watch: Watch, tmp_path: Path) -> None:
    for n in range(10):
        ring.write(frame(100.0 + n / 100))
    watch.poll(100.1)
    again = RingWriter(tmp_path / "frames", 64, 100.0, "live")
    again.write(frame(105.0))
    watch.poll(105.0)
    assert watch.silence(105.0) == ""
    assert watch.seen is not None
    assert watch.seen.source == "live"


def test_a_file_that_is_no_ring_is_named(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "frames").write_bytes(b"x" * 500)
    watch.poll(100.0)
    assert "frame ring cannot be read" in watch.silence(100.0)


class Telling:
    """A presence with its store, polled at given times."""

    def __init__(self, folder: Path, watch: Watch, start: int = 1) -> None:
        self.store = Store(folder / "store.sqlite")
        self.history = History(folder / "store.sqlite")
        own = OwnRecords("belt", "boot", str(start))
        self._watch = watch
        self._presence = Presence(own, watch, self.store, self.history)

    def at(self, t: float) -> bool:
        self._watch.poll(t)
        return self._presence.poll(Moment(t, 1.7e9))

    def told(self) -> list[tuple[str, str]]:
        records, _ = self.history.alerts(limit=50)
        return [(r["event"], r["state"]) for r in records[::-1]]

    def close(self) -> None:
        self.history.close()
        self.store.close()


def test_one_episode_from_silence_to_frames(ring: RingWriter, watch: Watch, tmp_path: Path) -> None:
    telling = Telling(tmp_path, watch)
    ring.write(frame(100.0))
    assert [telling.at(t) for t in (100.0, 100.9, 101.1, 102.0, 110.0)] == [0, 0, 1, 0, 0]
    telling.close()
    telling = Telling(tmp_path, watch, start=2)  # the service restarts in its midst
    assert not telling.at(120.0)
    assert len(telling.history.active()) == 1
    ring.write(frame(130.0))
    assert telling.at(130.0)
    assert telling.told() == [("not_guarding", "raised"), ("not_guarding", "cleared")]
    assert telling.history.active() == []
    telling.close()


def test_a_device_that_ends_is_told_however_soon_it_is_back(
    ring: RingWriter, watch: Watch, tmp_path: Path
) -> None:
    telling = Telling(tmp_path, watch)
    ring.write(frame(100.0))
    assert not telling.at(100.0)
    again = RingWriter(tmp_path / "frames", 64, 100.0, "live")
    again.write(frame(100.3))
    assert [telling.at(t) for t in (100.3, 100.4)] == [True, False]
    assert telling.told() == [("not_guarding", "raised"), ("not_guarding", "cleared")]
    assert telling.history.active() == []
    late = RingWriter(tmp_path / "frames", 64, 100.0, "live")
    assert telling.at(102.0)  # silent, and told as that
    late.write(frame(102.5))
    assert [telling.at(t) for t in (102.5, 102.6)] == [True, False]
    assert len(telling.told()) == 4
    telling.close()


def test_why_a_device_cannot_start_is_told_at_once_and_once(
    watch: Watch, ring: RingWriter, tmp_path: Path
) -> None:
    telling = Telling(tmp_path, watch)
    why = tmp_path / "cannot_start"
    why.write_text("no motion sensor on I2C bus 1 (nothing answers)\n")
    assert [telling.at(START + t) for t in (0.1, 5.0, 20.0)] == [True, False, False]
    (told,) = telling.history.active()
    assert told["detail"] == (
        "the device cannot start: no motion sensor on I2C bus 1 (nothing answers)"
    )
    live = Live(Config(), watch)
    assert "no motion sensor" in live.picture(START + 20.0)["reason"]
    why.unlink()
    ring.write(frame(START + 30.0))
    assert telling.at(START + 30.0)
    assert telling.history.active() == []
    telling.close()


def test_a_device_that_never_comes_is_told_after_its_time_to_start(
    watch: Watch, tmp_path: Path
) -> None:
    telling = Telling(tmp_path, watch)
    assert not telling.at(START + START_GRACE - 0.1)
    assert telling.at(START + START_GRACE + 0.1)
    telling.close()


def test_a_dead_ring_found_at_the_start_is_told_at_once(
    ring: RingWriter, watch: Watch, tmp_path: Path
) -> None:
    telling = Telling(tmp_path, watch)
    ring.write(frame(50.0))
    assert telling.at(START)
    telling.close()


def test_the_picture_shows_no_old_value_as_new(ring: RingWriter, watch: Watch) -> None:
    live = Live(Config(), watch)
    empty = live.picture(START)
    ring.write(frame(100.0, distance=1.5, lean=-0.1, ping_t=100.0, ping_echo=0, direction=-1))
    watch.poll(100.0)
    fresh, silent = live.picture(100.01), live.picture(103.0)
    assert (fresh["guard"], fresh["distance_m"], fresh["direction"]) == ("full", 1.5, "backward")
    assert fresh["lean_deg"] == -5.7
    assert fresh["reason"] == ""
    for picture in (empty, silent):
        assert picture.keys() == fresh.keys()
        assert picture["guard"] == "not_guarding"
        assert not picture["online"]
        assert picture["reason"]
        assert picture["distance_m"] is None
    json.dumps([empty, fresh, silent], allow_nan=False)


@pytest.mark.parametrize(("said", "shown"), [(1, True), (0, False), (-1, None)])
def test_under_voltage_is_in_the_picture(
    said: int, shown: bool | None, ring: RingWriter, watch: Watch
) -> None:
    ring.write(frame(100.0, under_voltage=said))
    watch.poll(100.0)
    assert Live(Config(), watch).picture(100.01)["under_voltage"] is shown


def test_a_stale_stream_is_named_while_frames_go_on(ring: RingWriter, watch: Watch) -> None:
    live = Live(Config(), watch)
    ring.write(frame(100.0, ping_t=100.0, ping_echo=1))
    watch.poll(100.0)
    ring.write(frame(100.9, ax=math.nan, gap=Gap.NO_DATA, guard=Guard.NOT_GUARDING))
    watch.poll(100.9)
    assert [line.split(":")[0] for line in live.stale(100.9)] == ["imu", "rear"]
    assert live.picture(100.9)["guard"] == "not_guarding"
