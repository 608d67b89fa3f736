"""The wearers' files: whole or not at all, readable by the belt alone, and a full disk is said."""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from device import scribe as module
from device.scribe import Scribe


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20.0
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_the_newest_of_each_file_is_there_at_the_end(tmp_path: Path) -> None:
    scribe, file = Scribe(), tmp_path / "Ada" / "profile.json"
    for number in range(50):
        scribe.put(file, {"number": number})
    scribe.put(tmp_path / "Bob" / "profile.json", {"number": 1})
    scribe.close()
    assert json.loads(file.read_text()) == {"number": 49}
    assert (tmp_path / "Bob" / "profile.json").is_file()
    assert file.stat().st_mode & 0o777 == 0o600
    assert [f.name for f in file.parent.iterdir()] == ["profile.json"]


def test_what_is_dropped_is_gone_with_all_that_waited_for_it(tmp_path: Path) -> None:
    scribe, file = Scribe(), tmp_path / "Ada" / "session.json"
    scribe.put(file, {"a": 1})
    until(file.is_file)
    scribe.put(file, {"a": 2})
    scribe.drop(tmp_path / "Ada")
    scribe.drop(tmp_path / "Bob")  # never was
    scribe.close()
    assert not (tmp_path / "Ada").exists()
    assert scribe.fault == ""


def test_a_full_disk_is_said_leaves_the_old_file_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    scribe, file = Scribe(), tmp_path / "profile.json"
    scribe.put(file, {"a": 1})
    until(file.is_file)
    sync = module.os.fsync

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    scribe.put(file, {"a": 2})
    until(lambda: bool(scribe.fault))
    assert scribe.fault == "profile.json cannot be kept (No space left on device): free space"
    assert json.loads(file.read_text()) == {"a": 1}
    monkeypatch.setattr(module.os, "fsync", sync)
    until(lambda: not scribe.fault)
    assert json.loads(file.read_text()) == {"a": 2}
    scribe.close()
