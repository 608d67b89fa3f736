"""The frame ring: what is read is whole and in order, or is not read at all."""

from __future__ import annotations

import dataclasses
import math
import multiprocessing
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.frames import RING_HEADER_SIZE, SLOT_HEADER, SLOT_SIZE, Frame, RingReader
from device.ring import RingWriter


def as_read(frame: Frame) -> dict[str, float]:
    """A frame's values as they look after the ring's 32-bit floats; NaN made comparable."""
    values = dataclasses.asdict(Frame.unpack(frame.pack()))
    return {name: "nan" if math.isnan(value) else value for name, value in values.items()}


floats = st.floats(width=32, allow_nan=True)


@given(t=st.floats(), ax=floats, gap=st.integers(0, 6), direction=st.integers(-1, 9), ttc=floats)
def test_a_frame_survives_packing(
    t: float, ax: float, gap: int, direction: int, ttc: float
) -> None:
    frame = Frame(t=t, ax=ax, gap=gap, direction=direction, ttc=ttc)
    once = Frame.unpack(frame.pack())
    assert once.pack() == frame.pack()
    assert (once.gap, once.direction) == (gap, direction)
    assert as_read(once) == as_read(frame)


def test_a_frame_fits_its_slot() -> None:
    assert SLOT_HEADER.size + len(Frame().pack()) <= SLOT_SIZE


@given(slots=st.integers(2, 9), count=st.integers(0, 40))
def test_the_newest_frames_are_there_in_order(
    tmp_path_factory: pytest.TempPathFactory, slots: int, count: int
) -> None:
    path = tmp_path_factory.mktemp("ring") / "frames"
    writer = RingWriter(path, slots, 104.0, "simulated:test")
    reader = RingReader(path)
    for number in range(1, count + 1):
        writer.write(Frame(t=float(number)))
    kept = range(max(1, count - slots + 1), count + 1)
    assert [frame.t for n in kept if (frame := reader.read(n))] == [float(n) for n in kept]
    assert reader.read(count - slots) is None
    assert reader.read(count + 1) is None
    newest = reader.newest()
    assert (newest[0] if newest else 0) == count
    assert (reader.slots, reader.fs, reader.source) == (slots, 104.0, "simulated:test")
    reader.close()
    writer.close()
    assert not path.exists()


@given(byte=st.integers(0, SLOT_SIZE - 1), flip=st.integers(1, 255))
def test_any_damaged_byte_hides_the_frame(
    tmp_path_factory: pytest.TempPathFactory, byte: int, flip: int
) -> None:
    path = tmp_path_factory.mktemp("ring") / "frames"
    writer = RingWriter(path, 2, 104.0, "live")
    frame = Frame(t=1.0, ax=9.81)
    writer.write(frame)
    used = SLOT_HEADER.size + len(frame.pack())
    with path.open("r+b") as file:
        file.seek(RING_HEADER_SIZE + byte)
        value = file.read(1)[0]
        file.seek(RING_HEADER_SIZE + byte)
        file.write(bytes([value ^ flip]))
    reader = RingReader(path)
    assert (reader.read(1) is None) == (byte < used)
    reader.close()
    writer.close()


def _write_for_ever(path: str, stop: object) -> None:
    writer = RingWriter(Path(path), 4, 104.0, "live")
    number = 0
    while not stop.is_set():  # type: ignore[attr-defined]
        number += 1
        value = float(number % 1000)
        writer.write(Frame(t=float(number), ax=value, ay=value, az=value, ttc=value))


def test_a_reader_beside_a_racing_writer_never_sees_a_mixed_frame(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    process = context.Process(target=_write_for_ever, args=(str(path), stop))
    process.start()
    try:
        while not path.exists():
            process.join(0.01)
        reader = RingReader(path)
        seen, last = 0, 0
        while seen < 3000:
            found = reader.newest()
            if found is None:
                continue
            sequence, frame = found
            assert frame.t == sequence
            assert frame.ax == frame.ay == frame.az == frame.ttc == float(sequence % 1000)
            assert sequence >= last
            seen, last = seen + 1, sequence
    finally:
        stop.set()
        process.join()


def test_a_file_that_is_no_ring_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    with pytest.raises(FileNotFoundError):
        RingReader(path)
    path.write_bytes(b"\0" * 4096)
    with pytest.raises(ValueError, match="not a frame ring"):
        RingReader(path)
    writer = RingWriter(path, 8, 104.0, "live")
    writer._map.flush()
    cut = path.read_bytes()[: RING_HEADER_SIZE + SLOT_SIZE]
    writer.close()
    path.write_bytes(cut)
    with pytest.raises(ValueError, match="shorter"):
        RingReader(path)
    path.write_bytes(b"RG")
    with pytest.raises(ValueError, match="not a frame ring"):
        RingReader(path)


def test_a_reader_knows_that_the_device_began_anew(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    first = RingWriter(path, 4, 104.0, "live")
    reader = RingReader(path)
    assert not reader.replaced()
    second = RingWriter(path, 4, 104.0, "live")
    assert reader.replaced()
    second.close()
    assert reader.replaced()
    reader.close()
    with pytest.raises(struct.error):
        Frame.unpack(b"short")
    del first


def test_readers_see_that_another_motion_sensor_has_come(tmp_path: Path) -> None:
    writer = RingWriter(tmp_path / "frames", 4, 104.2, "live")
    reader = RingReader(tmp_path / "frames")
    assert (reader.fs, reader.source) == (104.2, "live")
    writer.retime(100.0)
    assert (reader.fs, reader.source) == (100.0, "live")
    reader.close()
    writer.close()
