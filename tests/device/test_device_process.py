"""The device as a process, fed by a simulated belt: it guards, answers, and leaves no trace."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from device import commands, journal
from device.frames import Guard, RingReader

BELT = '[belt]\nname = "b1"\nrun_dir = "run"\ndata_dir = "data"\n'


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "device", "--config", str(folder / "belt.toml"), *more],
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(what: Callable[[], Any], seconds: float = 10.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (it := what()) is not None:
            return it
        time.sleep(0.02)
    pytest.fail(f"not within {seconds} s")


def ring(folder: Path) -> RingReader | None:
    try:
        return RingReader(folder / "run" / "frames")
    except FileNotFoundError:
        return None


@pytest.fixture(scope="module")
def guarding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen]]:
    folder = tmp_path_factory.mktemp("belt")
    (folder / "belt.toml").write_text(BELT)
    device = start(folder, "--simulate", "clear")
    reader = wait_for(lambda: ring(folder))
    wait_for(lambda: ((n := reader.newest()) and n[1].guard == Guard.FULL) or None)
    yield folder, device
    device.kill()
    device.wait()


def test_a_process_guards_answers_and_ends_clean(
    guarding: tuple[Path, subprocess.Popen[str]],
) -> None:
    folder, device = guarding
    reader = ring(folder)
    assert reader is not None
    assert reader.source == "simulated:clear"
    second = start(folder, "--simulate", "clear")
    assert second.wait(10) == 2
    assert second.stderr is not None
    assert "another device runs" in second.stderr.read()

    def played() -> dict[str, Any] | None:
        """What a motor test brought; none while the belt itself has something to say."""
        answer = commands.send(folder / "run" / "control", "test", "Grace")
        record = wait_for(
            lambda: next(
                (
                    entry.record
                    for entry in journal.read(folder / "data" / "journal", journal.Cursor())
                    if entry.record and entry.record["request"] == answer["request"]
                ),
                None,
            )
        )
        return None if "try again" in record["detail"] else record

    tested = wait_for(played)
    assert (tested["event"], tested["state"], tested["test"]) == ("test", "confirmed", True)
    assert tested["source"] == "simulated:clear"
    before, begun = reader.newest(), time.monotonic()
    time.sleep(0.5)
    after, seconds = reader.newest(), time.monotonic() - begun
    assert before is not None
    assert after is not None
    assert 50 < (after[0] - before[0]) / seconds < 150, "about a hundred samples a second"

    device.send_signal(signal.SIGTERM)
    assert device.wait(10) == 0
    assert [file.name for file in (folder / "run").iterdir()] == ["log"]
    assert 'said="ended: ' in (folder / "run" / "log").read_text()
    assert len(list((folder / "data" / "journal").iterdir())) == 1


@pytest.mark.parametrize(
    ("text", "more", "says"),
    [
        (BELT + "[loop]\nrate_hz = 5\n", ("--simulate", "clear"), "rate_hz"),
        (BELT, (), "the pins cannot be reached"),
        (BELT.replace('"run"', '"belt.toml"'), ("--simulate", "clear"), "set [belt] run_dir"),
    ],
    ids=["impossible value", "no pins", "no folder in memory"],
)  # fmt: skip
def test_what_a_person_must_mend_is_one_line(
    tmp_path: Path, text: str, more: tuple[str, ...], says: str
) -> None:
    (tmp_path / "belt.toml").write_text(text)
    device = start(tmp_path, *more)
    assert device.wait(20) == 2
    assert device.stderr is not None
    (line,) = device.stderr.read().splitlines()
    assert says in line
    left = [file for file in (tmp_path / "run").glob("[!.]*") if file.name != "log"]
    assert [file.name for file in left] == (["cannot_start"] if "pins" in says else [])
    for file in left:  # for the service to tell; lgpio may leave its own, hidden, in the folder
        assert file.read_text().startswith(says)
